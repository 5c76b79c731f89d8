#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>

#include "tests/stores/sqlite_support.h"
#include "tests/support/generate_history.h"
#include "tests/support/record_builder.h"
#include "tests/support/temp_folder.h"

// A database with flipped or missing bytes is read or refused. It never crashes or hangs the program, and is never
// reported as a lock.
namespace flaky {
namespace {

constexpr size_t kPage = 8192;

class SqliteDamage : public testing::Test {
 protected:
  void SetUp() override {
    HistoryShape shape;
    shape.runs = 60;
    shape.tests = 40;
    shape.max_message = 600;
    OpenFile(path_, OpenMode::kWrite)->Write(GenerateHistory(shape));
    whole_ = Bytes(path_);
    ASSERT_EQ(whole_.size() % kPage, 0u);
  }

  void Use(const std::string& bytes, const std::string& what) {
    std::ofstream(path_, std::ios::binary | std::ios::trunc) << bytes;
    for (const char* companion : {"-wal", "-shm"}) std::filesystem::remove(path_ + companion);
    for (const OpenMode mode : {OpenMode::kRead, OpenMode::kWrite}) {
      try {
        const auto store = OpenFile(path_, mode);
        ReadAll(*store);
        store->Count({});
        store->VisitFailures({}, [](const FailureView&) {});
        if (mode == OpenMode::kRead) continue;
        const RunRecord record = BuildRecord("new").Build();
        store->Write({&record, 1});
      } catch (const StoreError& error) {
        ++refused_;
        EXPECT_NE(error.kind(), ErrorKind::kTransient) << what << ": " << error.what();
        EXPECT_NE(error.kind(), ErrorKind::kAuth) << what << ": " << error.what();
        EXPECT_THAT(error.what(), testing::HasSubstr(path_));
      }
    }
  }

  TempFolder folder_;
  std::string path_ = folder_.File("history.db");
  std::string whole_;
  int refused_ = 0;
};

TEST_F(SqliteDamage, FlippedBytes) {
  // In each page: the header, where structure is, and a place further on.
  for (size_t page = 0; page < whole_.size(); page += kPage) {
    for (const size_t offset : {size_t{0}, size_t{3}, size_t{5}, size_t{9}, size_t{40}, size_t{4000}, size_t{8000}}) {
      if ((page / kPage + offset) % 3 != 0) continue;
      std::string damaged = whole_;
      damaged[page + offset] = static_cast<char>(~damaged[page + offset]);
      Use(damaged, "byte " + std::to_string(page + offset));
    }
  }
  EXPECT_GT(refused_, 10) << "this damages too little to show anything";
}

TEST_F(SqliteDamage, MissingBytes) {
  for (const size_t part : {1, 2, 3, 5, 7, 9}) {
    Use(whole_.substr(0, whole_.size() * part / 10), std::to_string(part) + " tenths of it");
    Use(whole_.substr(0, whole_.size() * part / 10 / kPage * kPage), std::to_string(part) + " tenths of its pages");
  }
  EXPECT_GT(refused_, 5);
}

}  // namespace
}  // namespace flaky
