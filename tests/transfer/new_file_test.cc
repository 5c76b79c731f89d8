// SPDX-License-Identifier: MIT
#include "transfer/new_file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>

#include "stores/error.h"
#include "tests/support/journal_text.h"
#include "tests/support/temp_folder.h"

namespace flaky {
namespace {

TEST(NewFile, GetsItsNameOnlyWhenItIsComplete) {
  const TempFolder folder;
  const std::string path = folder.File("f");
  {
    NewFile file(path);
    file.Write("half");
    EXPECT_TRUE(std::filesystem::exists(path + ".part"));
    EXPECT_THROW(NewFile{path}, StoreError) << "it is being written";
  }
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
  WriteWholeFile(path, "old");
  WriteWholeFile(path + ".part", "left by a killed process, and longer than the new content");
  std::filesystem::create_symlink("f", folder.File("link"));
  {
    NewFile file(folder.File("link"));
    file.Write("new");
    EXPECT_EQ(ReadWholeFile(path), "old");
    file.Publish();
  }
  EXPECT_EQ(ReadWholeFile(path), "new");
  EXPECT_TRUE(std::filesystem::is_symlink(folder.File("link")));
  EXPECT_FALSE(std::filesystem::exists(path + ".part"));
  struct stat status {};
  ASSERT_EQ(stat(path.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
}

TEST(NewFile, RefusesWhatIsNotAFile) {
  const TempFolder folder;
  EXPECT_THROW(NewFile("/dev/null"), StoreError);
  EXPECT_THROW(NewFile(folder.path().string()), StoreError);
  EXPECT_THROW(NewFile(folder.File("none/f")), StoreError);
  std::filesystem::create_symlink("/etc/passwd", folder.File("f.part"));
  EXPECT_THROW(NewFile(folder.File("f")), StoreError);
}

}  // namespace
}  // namespace flaky
