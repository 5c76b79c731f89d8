// SPDX-License-Identifier: MIT
#include <gmock/gmock.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "tests/stores/sqlite_support.h"
#include "tests/support/own_mounts.h"
#include "tests/support/record_builder.h"
#include "tests/support/temp_folder.h"

namespace flaky {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::chrono::milliseconds kShort(50);

class SqliteFile : public testing::Test {
 protected:
  static int ModeOf(const std::string& path) {
    struct stat info = {};
    EXPECT_EQ(stat(path.c_str(), &info), 0) << path;
    return info.st_mode & 0777;
  }
  std::vector<std::string> FilesInFolder() const {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(folder_.path()))
      names.push_back(entry.path().filename());
    return names;
  }
  void WriteRun(const std::string& id) { OpenFile(path_, OpenMode::kWrite)->Write({{BuildRecord(id).Build()}}); }

  TempFolder folder_;
  std::string path_ = folder_.File("history.db");
};

TEST_F(SqliteFile, IsPrivateToItsUserAndSoAreItsLogs) {
  const mode_t before = umask(0);
  const auto store = OpenFile(path_, OpenMode::kWrite);
  const RunRecord record = BuildRecord("run").Build();
  store->Write({&record, 1});
  umask(before);
  EXPECT_EQ(ModeOf(path_), 0600);
  EXPECT_EQ(ModeOf(path_ + "-wal"), 0600);
  EXPECT_EQ(ModeOf(path_ + "-shm"), 0600);
}

TEST_F(SqliteFile, KeepsAnExistingFilesMode) {
  std::ofstream(path_).close();
  chmod(path_.c_str(), 0640);
  OpenFile(path_, OpenMode::kWrite);
  EXPECT_EQ(ModeOf(path_), 0640);
}

TEST_F(SqliteFile, IsInWalMode) {
  WriteRun("run");
  EXPECT_EQ(Query(path_, "PRAGMA journal_mode"), std::vector<std::string>{"wal"});
}

TEST_F(SqliteFile, APathIsOnlyAPath) {
  const auto back = std::filesystem::current_path();
  std::filesystem::current_path(folder_.path());
  for (const char* name : {":memory:", "file:x.db", "a b%41#c.db", "-x", "what?mode=ro.db", "ü\n.db"}) {
    OpenFile(name, OpenMode::kWrite);
    EXPECT_TRUE(std::filesystem::exists(folder_.path() / name)) << name;
    EXPECT_EQ(OpenFile(folder_.File(name), OpenMode::kRead)->Count({}), Totals());
  }
  std::filesystem::current_path(back);
}

TEST_F(SqliteFile, AMissingFileIsNotMadeByAReader) {
  const auto error = ErrorOf([&] { OpenFile(path_, OpenMode::kRead); });
  ASSERT_TRUE(error);
  EXPECT_EQ(error->kind(), ErrorKind::kMissing);
  EXPECT_THAT(error->what(), AllOf(HasSubstr(path_), HasSubstr("no such file")));
  EXPECT_THAT(FilesInFolder(), IsEmpty());
}

TEST_F(SqliteFile, AReaderLeavesNoFiles) {
  WriteRun("run");
  const std::string before = Bytes(path_);
  EXPECT_EQ(ReadAll(*OpenFile(path_, OpenMode::kRead)).size(), 1u);
  EXPECT_EQ(FilesInFolder(), std::vector<std::string>{"history.db"});
  EXPECT_EQ(Bytes(path_), before);
}

TEST_F(SqliteFile, AMissingFolderIsNamed) {
  const auto error = ErrorOf([&] { OpenFile(folder_.File("no/where/h.db"), OpenMode::kWrite); });
  ASSERT_TRUE(error);
  EXPECT_EQ(error->kind(), ErrorKind::kMissing);
  EXPECT_THAT(error->what(), HasSubstr("no folder '" + folder_.File("no/where") + "'"));
}

TEST_F(SqliteFile, PathsThatAreNotFilesAreRefused) {
  mkfifo(folder_.File("fifo").c_str(), 0600);
  std::ofstream(folder_.File("file")).close();
  for (const OpenMode mode : {OpenMode::kRead, OpenMode::kWrite}) {
    EXPECT_THAT(ErrorOf([&] { OpenFile(folder_.path(), mode); })->what(), HasSubstr("folder"));
    for (const std::string& path : {std::string(folder_.path()), folder_.File("fifo"), folder_.File("file/below.db"),
                                    std::string("/dev/null"), std::string(300, 'x')}) {
      const auto error = ErrorOf([&] { OpenFile(path, mode); });
      ASSERT_TRUE(error) << path;
      EXPECT_EQ(error->kind(), ErrorKind::kInvalid) << error->what();
    }
  }
}

TEST_F(SqliteFile, AMissingPermissionIsReported) {
  if (geteuid() == 0) {
    // Root may do everything, so another user tries it.
    WriteRun("run");
    chmod(path_.c_str(), 0600);
    chmod(folder_.path().c_str(), 0755);
    const pid_t pid = fork();
    if (pid == 0) {
      if (seteuid(65534) != 0) _exit(2);
      EXPECT_EQ(ErrorOf([&] { OpenFile(path_, OpenMode::kRead); })->kind(), ErrorKind::kAuth);
      EXPECT_EQ(ErrorOf([&] { OpenFile(path_, OpenMode::kWrite); })->kind(), ErrorKind::kAuth);
      EXPECT_EQ(ErrorOf([&] { OpenFile(folder_.File("new.db"), OpenMode::kWrite); })->kind(), ErrorKind::kAuth);
      _exit(HasFailure() ? 1 : 0);
    }
    int status = 0;
    waitpid(pid, &status, 0);
    EXPECT_EQ(status, 0);
  } else {
    WriteRun("run");
    chmod(path_.c_str(), 0);
    EXPECT_EQ(ErrorOf([&] { OpenFile(path_, OpenMode::kRead); })->kind(), ErrorKind::kAuth);
    chmod(path_.c_str(), 0400);
    EXPECT_EQ(ErrorOf([&] { OpenFile(path_, OpenMode::kWrite); })->kind(), ErrorKind::kAuth);
  }
}

TEST_F(SqliteFile, AFileThatIsNotADatabaseIsRefusedAndLeftAlone) {
  for (const std::string& content :
       {std::string("hello\n"), std::string(5000, 'x'), std::string(100, '\0') + "tail", std::string("SQLite format 3"),
        std::string("SQLite format 3\0", 16) + std::string(5000, '\xff')}) {
    std::ofstream(path_, std::ios::binary | std::ios::trunc) << content;
    for (const OpenMode mode : {OpenMode::kRead, OpenMode::kWrite}) {
      const auto error = ErrorOf([&] { OpenFile(path_, mode); });
      ASSERT_TRUE(error) << content.substr(0, 20);
      EXPECT_EQ(error->kind(), ErrorKind::kInvalid) << error->what();
      EXPECT_THAT(error->what(), HasSubstr(path_));
    }
    EXPECT_EQ(Bytes(path_), content);
  }
}

TEST_F(SqliteFile, ALockIsWaitedForAndThenReported) {
  const auto store = OpenFile(path_, OpenMode::kWrite, "flaky_test_", kShort);
  SQLite::Database other(path_, SQLite::OPEN_READWRITE);
  other.exec("BEGIN IMMEDIATE");
  const RunRecord record = BuildRecord("run").Build();
  const auto begin = std::chrono::steady_clock::now();
  const auto error = ErrorOf([&] { store->Write({&record, 1}); });
  EXPECT_GE(std::chrono::steady_clock::now() - begin, kShort);
  ASSERT_TRUE(error);
  EXPECT_EQ(error->kind(), ErrorKind::kTransient);
  EXPECT_EQ(error->vendor_code(), "SQLITE_BUSY");
  EXPECT_THAT(error->what(), HasSubstr("locked"));
  EXPECT_EQ(store->Count({}).runs, 0) << "readers do not wait for a writer";
  EXPECT_NO_THROW(OpenFile(path_, OpenMode::kWrite, "flaky_test_", kShort)) << "an up-to-date schema needs no lock";
  other.exec("COMMIT");
  EXPECT_EQ(store->Write({&record, 1}).size(), 1u);
}

TEST_F(SqliteFile, ALockDuringTheFirstOpeningIsReported) {
  RunSql(path_, "CREATE TABLE x (y); DROP TABLE x");
  SQLite::Database other(path_, SQLite::OPEN_READWRITE);
  other.exec("BEGIN EXCLUSIVE");
  const auto error = ErrorOf([&] { OpenFile(path_, OpenMode::kWrite, "flaky_test_", kShort); });
  ASSERT_TRUE(error);
  EXPECT_EQ(error->kind(), ErrorKind::kTransient);
}

TEST_F(SqliteFile, AReadOnlyFolderCanBeReadWhenNoWriterLeftItsLog) {
  const std::string why = InOwnMounts([&] {
    MountSmall(folder_.path(), "8m");
    WriteRun("run");
    MakeReadOnly(folder_.path());
    EXPECT_EQ(ReadAll(*OpenFile(path_, OpenMode::kRead)).size(), 1u);
    EXPECT_EQ(ErrorOf([&] { OpenFile(path_, OpenMode::kWrite); })->kind(), ErrorKind::kAuth);
    EXPECT_EQ(ErrorOf([&] { OpenFile(folder_.File("new.db"), OpenMode::kWrite); })->kind(), ErrorKind::kAuth);
  });
  EXPECT_EQ(why, "");
}

TEST_F(SqliteFile, AReadOnlyFolderWithALogIsReadCompletelyOrNotAtAll) {
  const std::string why = InOwnMounts([&] {
    MountSmall(folder_.path(), "8m");
    const pid_t pid = fork();
    if (pid == 0) {
      // Dies with the store open, so that the run is only in the log.
      const auto store = OpenFile(path_, OpenMode::kWrite);
      const RunRecord record = BuildRecord("run").Build();
      store->Write({&record, 1});
      _exit(0);
    }
    int status = 0;
    waitpid(pid, &status, 0);
    ASSERT_TRUE(std::filesystem::exists(path_ + "-wal"));
    MakeReadOnly(folder_.path());
    try {
      EXPECT_EQ(ReadAll(*OpenFile(path_, OpenMode::kRead)).size(), 1u);
    } catch (const StoreError& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kAuth);
      EXPECT_THAT(error.what(), HasSubstr("-wal"));
    }
  });
  EXPECT_EQ(why, "");
}

TEST_F(SqliteFile, AFullDiskIsReportedAndLosesNothingStored) {
  const std::string why = InOwnMounts([&] {
    MountSmall(folder_.path(), "2m");
    const auto store = OpenFile(path_, OpenMode::kWrite);
    std::vector<RunRecord> stored;
    std::optional<StoreError> full;
    for (int i = 0; i < 1000 && !full; ++i) {
      const RunRecord record =
          BuildRecord("run" + std::to_string(1000 + i)).Part("p", i, 1).Fail("S.T", std::string(50'000, 'm')).Build();
      try {
        store->Write({&record, 1});
        stored.push_back(record);
      } catch (const StoreError& error) {
        full = error;
      }
    }
    ASSERT_TRUE(full);
    EXPECT_EQ(full->kind(), ErrorKind::kPermanent);
    EXPECT_EQ(full->vendor_code().substr(0, 11), "SQLITE_FULL") << full->what();
    EXPECT_GT(stored.size(), 3u);
    EXPECT_EQ(SumOf(ReadAll(*store)), SumOf(stored)) << "the object can still be used, and nothing is half stored";

    ASSERT_EQ(mount("tmpfs", folder_.path().c_str(), "tmpfs", MS_REMOUNT, "size=16m"), 0);
    const RunRecord more = BuildRecord("zz").Build();
    store->Write({&more, 1});
    EXPECT_EQ(ReadAll(*store).size(), stored.size() + 1) << "room was made";
  });
  EXPECT_EQ(why, "");
}

TEST_F(SqliteFile, AFullDiskAtTheFirstOpeningIsReported) {
  const std::string why = InOwnMounts([&] {
    MountSmall(folder_.path(), "16k");
    const auto error = ErrorOf([&] { OpenFile(path_, OpenMode::kWrite); });
    ASSERT_TRUE(error);
    EXPECT_EQ(error->kind(), ErrorKind::kPermanent) << error->what();
    ASSERT_EQ(mount("tmpfs", folder_.path().c_str(), "tmpfs", MS_REMOUNT, "size=16m"), 0);
    EXPECT_TRUE(OpenFile(path_, OpenMode::kWrite)->schema().pending.empty());
  });
  EXPECT_EQ(why, "");
}

TEST_F(SqliteFile, ThreeDeliveriesOfOneRunOneOfThemTwice) {
  const auto part = [](const std::string& id, int64_t start, int64_t failed) {
    BuildRecord record("shared");
    record.Part(id, start, failed);
    if (failed > 0) record.Fail("Suite.Test", "in " + id, start + 1);
    return record.Build();
  };
  for (const RunRecord& record : {part("a", 0, 1), part("b", 100, 0), part("a", 0, 1), part("c", 50, 1)}) {
    OpenFile(path_, OpenMode::kWrite)->Write({&record, 1});
  }
  const auto store = OpenFile(path_, OpenMode::kRead);
  EXPECT_EQ(store->Count({}), (Totals{1, 3, 2}));
  const Account account = ReadAll(*store).at(0).run.account;
  EXPECT_EQ(account.started_at, At(0));
  EXPECT_EQ(account.ended_at, At(110));
  EXPECT_EQ(account.total_tests, 6);
  EXPECT_EQ(account.failed_tests, 2);
  EXPECT_EQ(account.status, kFail);
  EXPECT_EQ(Query(path_, "SELECT count(*) FROM flaky_test_rosters"), std::vector<std::string>{"2"}) << "with its list";
}

}  // namespace
}  // namespace flaky
