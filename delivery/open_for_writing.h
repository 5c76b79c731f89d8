// SPDX-License-Identifier: MIT
#ifndef FLAKY_DELIVERY_OPEN_FOR_WRITING_H_
#define FLAKY_DELIVERY_OPEN_FOR_WRITING_H_

#include <memory>
#include <string>

#include "settings/locations.h"
#include "stores/open.h"

namespace flaky {

// Opens a store for writing. Creates the folder of the default file (DefaultHistoryFile) if it is missing; the user has
// to create any other folder. Throws StoreError, and SettingError if the default folder is not usable.
std::unique_ptr<Store> OpenForWriting(const Location& location, OpenMode mode, RetryPolicy policy);

// Returns the spool's folder, which it creates if it is missing and can be created. Throws SettingError if it is not
// usable.
std::string SpoolForWriting(const ResolvedSettings& resolved);

}  // namespace flaky

#endif  // FLAKY_DELIVERY_OPEN_FOR_WRITING_H_
