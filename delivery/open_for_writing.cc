// SPDX-License-Identifier: MIT
#include "delivery/open_for_writing.h"

#include <cerrno>
#include <filesystem>
#include <string>
#include <system_error>
#include <utility>

#include "spool/spool_files.h"
#include "stores/schemes.h"

namespace flaky {

std::unique_ptr<Store> OpenForWriting(const Location& location, OpenMode mode, RetryPolicy policy) {
  const std::string file = DefaultHistoryFile();
  if (SchemeOf(location.scheme).is_file && location.address.Reveal() == file) {
    if (!MakePrivateFolders(std::filesystem::path(file).parent_path())) {
      throw StoreError(ErrorKind::kMissing, location.display_name, "make its folder", "",
                       std::generic_category().message(errno));
    }
    UsableStateFolder(GetEnvironment);  // another user may have been faster
  }
  return OpenStore(location, mode, std::move(policy));
}

std::string SpoolForWriting(const ResolvedSettings& resolved) {
  const std::string& spool = resolved.spool.Get();
  const bool is_there = MakePrivateFolders(spool);
  if (is_there && !resolved.everywhere.Given(setting::kSpool)) UsableStateFolder(GetEnvironment);
  return spool;
}

}  // namespace flaky
