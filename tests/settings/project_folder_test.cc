// SPDX-License-Identifier: MIT
#include "settings/project_folder.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "settings/build_folder.h"
#include "settings/git_folder.h"
#include "settings/repository_name.h"
#include "settings/settings_files.h"
#include "tests/support/temp_folder.h"

namespace flaky {
namespace {

namespace fs = std::filesystem;

class ProjectFolderTest : public ::testing::Test {
 protected:
  fs::path Path(const std::string& name) const { return folder_.path() / name; }

  void WriteFile(const std::string& name, const std::string& content) const {
    fs::create_directories(Path(name).parent_path());
    std::ofstream(Path(name), std::ios::binary) << content;
  }

  // What CMake leaves in a build folder.
  void WriteBuild(const std::string& build, const std::string& sources) const {
    WriteFile(build + "/CMakeCache.txt",
              "# This is the CMakeCache file.\nCMAKE_BUILD_TYPE:STRING=\n//Source directory\n"
              "CMAKE_HOME_DIRECTORY:INTERNAL=" +
                  Path(sources).string() + "\nCMAKE_ROOT:INTERNAL=/usr/share/cmake\n");
  }

 private:
  TempFolder folder_;
};

TEST(RemoteUrlTest, TheRemoteNamedOriginCountsElseTheFirst) {
  EXPECT_EQ(RemoteUrl(""), std::nullopt);
  EXPECT_EQ(RemoteUrl("[core]\n\tbare = false\n[branch \"main\"]\n\tremote = origin\n"), std::nullopt);
  EXPECT_EQ(RemoteUrl("[remote \"up\"]\n url = a/up\n[remote \"origin\"]\n url = a/acme\n url = b/second\n"), "a/acme");
  EXPECT_EQ(RemoteUrl("[remote \"up\"]\n url = a/up\n[remote \"fork\"]\n url = a/fork\n"), "a/up");
  EXPECT_EQ(RemoteUrl("[remote \"Origin\"]\n pushurl = x\n\turl = a/case\n"), "a/case");
}

TEST(RemoteUrlTest, ReadsEveryFormOfAValue) {
  EXPECT_EQ(RemoteUrl("[REMOTE \"origin\"] URL=plain"), "plain");
  EXPECT_EQ(RemoteUrl("[remote.origin]\nurl = old # note\n"), "old");
  EXPECT_EQ(RemoteUrl("; note\n# note\n[remote \"origin\"]\n\tfetch = +refs/*:refs/*\n\turl = \"a ; b\" ; note\n"),
            "a ; b");
  EXPECT_EQ(RemoteUrl("[remote \"origin\"]\r\n\turl = with\\\\backslash  \r\n"), "with\\backslash");
  EXPECT_EQ(RemoteUrl("[remote \"origin\"]\n url = one\\\ntwo\n"), "onetwo");
  EXPECT_EQ(RemoteUrl("[remote \"or\\\"igin\"]\n url = quoted\n"), "quoted");
  EXPECT_EQ(RemoteUrl("[remote \"origin\"]\n url\n"), std::nullopt);
  EXPECT_EQ(RemoteUrl("[remote \"origin\"\n url = x\n"), std::nullopt) << "git does not read this either";
  EXPECT_EQ(RemoteUrl("[remote \"origin"), std::nullopt);
  EXPECT_EQ(RemoteUrl("[remote \"origin\"]\n = x\n"), std::nullopt);
}

TEST(NameInUrlTest, TakesTheLastPart) {
  for (const char* url :
       {"https://example.org/team/acme.git", "https://example.org/team/acme", "https://example.org/team/acme/",
        "https://user:secret@example.org/acme.git/", "ssh://git@example.org:22/team/acme.git",
        "git@example.org:team/acme.git", "git@example.org:acme", "/srv/acme.git", "/srv/acme/.git", "../acme",
        "acme.git", "file:///srv/acme", "/mnt/acme.bundle", "https://example.org/acme.git?private_token=secret",
        "hg::https://example.org/acme", "C:\\work\\acme"}) {
    EXPECT_EQ(NameInUrl(url), "acme") << url;
  }
  EXPECT_EQ(NameInUrl("https://example.org/a.git.git"), "a.git");
}

TEST(NameInUrlTest, TakesNothingThatMayHoldAPassword) {
  for (const char* url : {"", "/", "https://secret@example.org", "https://user:secret@example.org/", "user:secret@host",
                          "..", ".", "https://", "ssh://:"}) {
    EXPECT_EQ(NameInUrl(url), "") << url;
  }
}

TEST_F(ProjectFolderTest, AConfigurationThatNamesNoRemoteLeavesTheFoldersName) {
  WriteFile("acme/.git/HEAD", "ref: refs/heads/main\n");
  EXPECT_EQ(ProjectOf(Path("acme")), "acme");
  WriteFile("acme/.git/config", "[remote \"origin\"]\n\turl = https://token@example.org\n");
  EXPECT_EQ(ProjectOf(Path("acme")), "acme");
  WriteFile("acme/.git/config", std::string(5 << 20, '\n') + "[remote \"origin\"]\n\turl = x/other\n");
  EXPECT_EQ(ProjectOf(Path("acme")), "acme") << "too large";
  WriteFile("acme/.git/config", "[remote \"origin\"]\n\turl = x/bad\xff\n");
  EXPECT_EQ(ProjectOf(Path("acme")), "bad\xef\xbf\xbd");
}

TEST_F(ProjectFolderTest, RemotesThatNameEachOtherEnd) {
  for (const auto& [one, other] : {std::pair("a", "b"), std::pair("b", "a")}) {
    WriteFile(std::string(one) + "/.git/config", "[remote \"origin\"]\n\turl = " + Path(other).string() + "\n");
  }
  const std::string name = ProjectOf(Path("a"));
  EXPECT_TRUE(name == "a" || name == "b") << name;
}

TEST_F(ProjectFolderTest, ABuildFolderHasTheProjectOfItsSources) {
  WriteFile("shop/CMakeLists.txt", "project(anything)\n");
  WriteFile("shop/src/net/CMakeLists.txt", "");
  WriteBuild("shop/build", "shop");
  WriteBuild("elsewhere", "shop");
  for (const char* folder : {"shop", "shop/src", "shop/src/net", "shop/src/gone", "shop/build", "shop/build/core/data",
                             "elsewhere", "elsewhere/net"}) {
    EXPECT_EQ(ProjectOf(Path(folder)), "shop") << folder;
    EXPECT_EQ(SourcesOf(Path(folder)), Path("shop")) << folder;
  }
  EXPECT_EQ(ProjectOf(Path("other")), "other");
  EXPECT_EQ(SourcesOf(Path("other")), fs::path());
}

TEST_F(ProjectFolderTest, ABuildFolderOutsideOfTheRepositoryHasItsName) {
  WriteFile("work/.git/config", "[remote \"origin\"]\n\turl = git@example.org:team/acme.git\n");
  WriteBuild("elsewhere", "work/part");
  EXPECT_EQ(ProjectOf(Path("elsewhere/tests")), "acme");
  EXPECT_EQ(SourcesOf(Path("elsewhere/tests")), Path("work"));
}

TEST_F(ProjectFolderTest, WithoutTheCacheTheTestFilesTell) {
  WriteFile("b/CTestTestfile.cmake",
            "# CMake generated Testfile for \n# Source directory: " + Path("shop").string() + "\n");
  WriteFile("b/net/CTestTestfile.cmake",
            "# CMake generated Testfile for \n# Source directory: " + Path("shop/net").string() + "\n");
  EXPECT_EQ(ProjectOf(Path("b/net/data")), "shop");
  // Files that a person has written.
  WriteFile("engine/build/CTestTestfile.cmake", "subdirs(core)\n");
  WriteFile("engine/build/core/CTestTestfile.cmake", "add_test(core core)\n");
  EXPECT_EQ(ProjectOf(Path("engine/build")), "engine");
  EXPECT_EQ(ProjectOf(Path("engine/build/core")), "engine");
  WriteFile("tests/CTestTestfile.cmake", "add_test(core core)\n");
  EXPECT_EQ(ProjectOf(Path("tests")), "tests");
}

TEST_F(ProjectFolderTest, ADamagedCacheNamesNothing) {
  WriteFile("b/CMakeCache.txt", "CMAKE_HOME_DIRECTORY:INTERNAL=relative/shop\n");
  EXPECT_EQ(ProjectOf(Path("b")), "b");
  WriteFile("b/CMakeCache.txt", "xCMAKE_HOME_DIRECTORY:INTERNAL=/shop\n");
  EXPECT_EQ(ProjectOf(Path("b")), "b");
  WriteFile("b/CMakeCache.txt", "CMAKE_HOME_DIRECTORY:INTERNAL=/gone/shop");
  EXPECT_EQ(ProjectOf(Path("b")), "shop") << "the sources may be on another machine";
}

TEST_F(ProjectFolderTest, AFolderForEveryUserBelongsToNoProject) {
  WriteFile("shared/CMakeLists.txt", "");
  WriteFile("shared/.flaky.toml", "");
  WriteFile("shared/mine/x", "");
  EXPECT_EQ(ProjectOf(Path("shared/mine")), "shared");
  EXPECT_EQ(FindProjectFile(Path("shared/mine")).path, Path("shared/.flaky.toml"));
  ASSERT_EQ(::chmod(Path("shared").c_str(), 01777), 0);
  EXPECT_EQ(ProjectOf(Path("shared/mine")), "mine");
  EXPECT_EQ(FindProjectFile(Path("shared/mine")).path, fs::path());
}

TEST_F(ProjectFolderTest, SlashesAndDotsInAPathChangeNothing) {
  WriteFile("shop/.git/HEAD", "");
  WriteFile("plain/src/x", "");
  const std::string root = Path("").string();
  for (const std::string shop : {"shop", "shop/", "shop/src/", "shop/./src/.", "plain/../shop//"}) {
    EXPECT_EQ(RepositoryTop(root + shop), Path("shop")) << shop;
    EXPECT_EQ(ProjectOf(root + shop), "shop") << shop;
  }
  for (const std::string plain : {"plain", "plain/", "plain/.", "plain/./", "shop/../plain//"}) {
    EXPECT_EQ(RepositoryTop(root + plain), fs::path()) << plain;
    EXPECT_EQ(ProjectOf(root + plain), "plain") << plain;
  }
}

TEST_F(ProjectFolderTest, TheFileOfTheSourcesCountsInTheirBuildFolder) {
  WriteFile("shop/.flaky.toml", "");
  WriteBuild("elsewhere", "shop");
  EXPECT_EQ(FindProjectFile(Path("elsewhere/net")).path, Path("shop/.flaky.toml"));
  WriteFile("elsewhere/.flaky.toml", "");
  EXPECT_EQ(FindProjectFile(Path("elsewhere/net")).path, Path("elsewhere/.flaky.toml"));
}

}  // namespace
}  // namespace flaky
