#ifndef FLAKY_DELIVERY_OPEN_FOR_WRITING_H_
#define FLAKY_DELIVERY_OPEN_FOR_WRITING_H_

#include <memory>

#include "stores/open.h"

namespace flaky {

// Opens a store for writing. Creates the folder of the default file (DefaultHistoryFile) if it is missing; the user has
// to create any other folder. Throws StoreError.
std::unique_ptr<Store> OpenForWriting(const Location& location, OpenMode mode, RetryPolicy policy);

}  // namespace flaky

#endif  // FLAKY_DELIVERY_OPEN_FOR_WRITING_H_
