// SPDX-License-Identifier: MIT
#include <SQLiteCpp/SQLiteCpp.h>

#include "stores/sql/sql_script.h"
#include "stores/sqlite/sqlite_store.h"
#include "tests/contract/contract.h"
#include "tests/support/temp_folder.h"

namespace flaky {
namespace {

class SqlitePlace : public Place {
 public:
  explicit SqlitePlace(const std::string& prefix) {
    location_ = ParseLocation("sqlite:" + folder_.File("history.db") + "?prefix=" + prefix);
  }
  std::unique_ptr<Store> Open(OpenMode mode) override { return sqlite::Open(location_, mode); }
  void AgeClaims(std::chrono::seconds time) override {
    SQLite::Database(location_.address.Reveal(), SQLite::OPEN_READWRITE).exec(AgeClaimsSql(location_.prefix, time));
  }
  bool Execute(const std::string& sql) override {
    SQLite::Database(location_.address.Reveal(), SQLite::OPEN_READWRITE)
        .exec("PRAGMA foreign_keys = ON; " + ReplaceAll(sql, "{prefix}", location_.prefix));
    return true;
  }

 private:
  TempFolder folder_;
  Location location_;
};

Traits Sqlite(const std::string& name, const std::string& prefix) {
  return {name, [prefix] { return std::make_unique<SqlitePlace>(prefix); }};
}

INSTANTIATE_TEST_SUITE_P(Sqlite, StoreContract,
                         testing::Values(Sqlite("Prefixed", "flaky_test_"), Sqlite("Unprefixed", ""),
                                         Sqlite("DigitFirst", "0_")),
                         NameOf);

}  // namespace
}  // namespace flaky
