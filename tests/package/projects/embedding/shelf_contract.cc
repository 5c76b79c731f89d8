// SPDX-License-Identifier: MIT
#include "shelf_store.h"
#include "stores/open.h"
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

TEST(ShelfRecipe, ARegisteredStoreIsOpenedByItsLocation) {
  RegisterStore(kShelfScheme, kShelfDriver);
  const Location location = ParseLocation("shelf:one");
  EXPECT_THROW(OpenStore(location, OpenMode::kRead), StoreError);
  EXPECT_EQ(OpenStore(location, OpenMode::kWrite)->name(), "shelf:one");
  EXPECT_EQ(OpenStore(location, OpenMode::kRead)->Count({}), Totals());
}

}  // namespace
}  // namespace flaky
