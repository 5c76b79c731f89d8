#include "shelf_store.h"
#include "tests/contract/contract.h"

namespace flaky {
namespace {

class ShelfPlace : public Place {
 public:
  std::unique_ptr<Store> Open(OpenMode mode) override { return OpenShelf(shelf_, mode); }

 private:
  std::shared_ptr<Shelf> shelf_ = std::make_shared<Shelf>();
};

INSTANTIATE_TEST_SUITE_P(Shelf, StoreContract,
                         testing::Values(Traits{"Plain", [] { return std::make_unique<ShelfPlace>(); }, false}),
                         NameOf);

}  // namespace
}  // namespace flaky
