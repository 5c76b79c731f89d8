#ifndef FLAKY_STORES_OPEN_H_
#define FLAKY_STORES_OPEN_H_

#include <memory>
#include <string>
#include <vector>

#include "stores/location.h"
#include "stores/store.h"

namespace flaky {

// Opens the store at `location`. Throws StoreError: kInvalid for a scheme that this build does not have (the message
// lists those it has), otherwise what the store's own opening throws.
std::unique_ptr<Store> OpenStore(const Location& location, OpenMode mode);

// The schemes this program knows, and whether this build has their store.
struct SchemeInfo {
  std::string scheme;
  bool built;
  std::string address_form;  // "sqlite:PATH"
};
const std::vector<SchemeInfo>& KnownSchemes();

}  // namespace flaky

#endif  // FLAKY_STORES_OPEN_H_
