// SPDX-License-Identifier: MIT

// The recorder shares no code with the program. Both must take the same folders in /tmp for this user's.
#include "settings/ownership.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <string>
#include <vector>

#include "recorder/spool_folder.h"
#include "tests/support/temp_folder.h"

namespace flaky {
namespace {

namespace fs = std::filesystem;

struct FolderCase {
  std::string what, path;
  bool is_own = false;
};

TEST(OwnershipTest, RecorderAndProgramTakeTheSameFoldersForOwn) {
  const TempFolder folder;
  const auto make = [&](const std::string& name, unsigned mode = 0700) {
    const std::string path = folder.File(name);
    fs::create_directory(path);
    ::chmod(path.c_str(), mode);
    return path;
  };
  std::vector<FolderCase> cases = {
      {"a private folder", make("private"), true},      {"one that all users may write to", make("open", 0777), true},
      {"a sticky one", make("sticky", 01777), true},    {"one without rights", make("closed", 0), true},
      {"a missing one", folder.File("missing"), false}, {"an empty path", "", false},
      {"a path in a file", "/dev/null/x", false}};
  fs::create_directory_symlink(make("target"), folder.File("link"));
  fs::create_directory_symlink(folder.File("missing"), folder.File("dangling"));
  ::close(::creat(folder.File("file").c_str(), 0600));
  ::mkfifo(folder.File("pipe").c_str(), 0600);
  for (const char* name : {"link", "dangling", "file", "pipe"}) cases.push_back({name, folder.File(name), false});
  constexpr unsigned kOther = 65534;
  // Root gives a folder away. For any other user, the root folder is another user's.
  std::string others = "/";
  if (::geteuid() == 0) {
    others = make("others");
    ASSERT_EQ(::chown(others.c_str(), kOther, kOther), 0);
  }
  cases.push_back({"another user's", others, false});
  for (const FolderCase& each : cases) {
    EXPECT_EQ(IsOwnFolder(each.path), each.is_own) << each.what;
    EXPECT_EQ(flaky_recorder::IsOwnFolder(each.path.c_str()), each.is_own) << each.what;
  }
  ::chmod(folder.File("closed").c_str(), 0700);
}

}  // namespace
}  // namespace flaky
