#include "delivery/open_for_writing.h"

#include <cerrno>
#include <filesystem>
#include <string>
#include <system_error>
#include <utility>

#include "settings/locations.h"
#include "spool/spool_files.h"
#include "stores/schemes.h"

namespace flaky {

std::unique_ptr<Store> OpenForWriting(const Location& location, OpenMode mode, RetryPolicy policy) {
  const std::string file = DefaultHistoryFile();
  if (SchemeOf(location.scheme).is_file && location.address.Reveal() == file &&
      !MakePrivateFolders(std::filesystem::path(file).parent_path())) {
    throw StoreError(ErrorKind::kMissing, location.display_name, "make its folder", "",
                     std::generic_category().message(errno));
  }
  return OpenStore(location, mode, std::move(policy));
}

}  // namespace flaky
