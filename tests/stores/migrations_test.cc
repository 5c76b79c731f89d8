#include <gmock/gmock.h>

#include <fstream>
#include <map>
#include <span>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "stores/sql/ledger.h"

namespace flaky {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// The first three columns of a line of migrations.txt, and the last.
using Checksums = std::map<std::string, std::string>;

constexpr std::string_view kRule =
    "A released migration never changes, because its checksum is in the databases of users: write a new one instead. "
    "For one that is not released yet, this line belongs in tests/stores/migrations.txt: ";

void Add(std::string_view dialect, std::span<const Migration> migrations, Checksums& checksums) {
  for (const Migration& migration : migrations) {
    checksums[std::string(dialect) + " " + std::to_string(migration.version) + " " + std::string(migration.name)] =
        Checksum(migration);
  }
}

// What this build has. Of the list it can check only the dialects that it has.
Checksums BuiltMigrations(std::vector<std::string>& dialects) {
  Checksums checksums;
  dialects.emplace_back("sqlite");
  Add("sqlite", SqliteMigrations(), checksums);
#if defined(FLAKY_STORE_POSTGRES) || defined(FLAKY_STORE_SUPABASE)
  dialects.emplace_back("postgres");
  Add("postgres", PostgresMigrations(), checksums);
#endif
#ifdef FLAKY_STORE_SUPABASE
  dialects.emplace_back("supabase");
  Add("supabase", SupabaseMigrations(), checksums);
#endif
  return checksums;
}

Checksums ReadList(std::istream& list) {
  Checksums checksums;
  std::string line;
  while (std::getline(list, line)) {
    if (line.empty() || line.starts_with('#')) continue;
    const size_t last = line.rfind(' ');
    if (last != std::string::npos) checksums[line.substr(0, last)] = line.substr(last + 1);
  }
  return checksums;
}

// One text for each migration that is missing, changed or not listed.
std::vector<std::string> Differences(const Checksums& listed, const Checksums& built,
                                     const std::vector<std::string>& dialects) {
  std::vector<std::string> differences;
  for (const auto& [name, checksum] : listed) {
    bool has_dialect = false;
    for (const std::string& dialect : dialects) has_dialect = has_dialect || name.starts_with(dialect + " ");
    if (has_dialect && !built.contains(name)) {
      differences.push_back(name + " is listed but missing. A released migration is never removed or renamed.");
    }
  }
  for (const auto& [name, checksum] : built) {
    const auto found = listed.find(name);
    if (found != listed.end() && found->second == checksum) continue;
    differences.push_back(name + (found == listed.end() ? " is not listed. " : " changed. ") + std::string(kRule) +
                          name + " " + checksum);
  }
  return differences;
}

TEST(Migrations, AreThoseOfTheList) {
  std::ifstream file(MIGRATIONS_LIST);
  ASSERT_TRUE(file) << MIGRATIONS_LIST;
  const Checksums listed = ReadList(file);
  EXPECT_GE(listed.size(), 7u);

  std::vector<std::string> dialects;
  const Checksums built = BuiltMigrations(dialects);
  for (const std::string& difference : Differences(listed, built, dialects)) ADD_FAILURE() << difference;
}

TEST(Migrations, OneThatDiffersFromTheListIsReported) {
  std::istringstream list("# comment\n\nsqlite 1 0001_a aa\nsqlite 2 0002_b bb\npostgres 1 0001_a aa\n");
  const Checksums listed = ReadList(list);
  const std::vector<std::string> sqlite = {"sqlite"};
  EXPECT_THAT(Differences(listed, {{"sqlite 1 0001_a", "aa"}, {"sqlite 2 0002_b", "bb"}}, sqlite), IsEmpty());
  EXPECT_THAT(Differences(listed, {{"sqlite 1 0001_a", "aa"}}, sqlite),
              ElementsAre(HasSubstr("sqlite 2 0002_b is listed but missing")));
  EXPECT_THAT(Differences(listed, {{"sqlite 1 0001_a", "aa"}, {"sqlite 2 0002_b", "cc"}}, sqlite),
              ElementsAre(AllOf(HasSubstr("sqlite 2 0002_b changed."), HasSubstr("write a new one"),
                                HasSubstr("migrations.txt: sqlite 2 0002_b cc"))));
  EXPECT_THAT(
      Differences(listed, {{"sqlite 1 0001_a", "aa"}, {"sqlite 2 0002_b", "bb"}, {"sqlite 3 0003_c", "cc"}}, sqlite),
      ElementsAre(AllOf(HasSubstr("sqlite 3 0003_c is not listed."), HasSubstr("sqlite 3 0003_c cc"))));
  EXPECT_THAT(Differences(listed, {{"sqlite 1 0001_a", "aa"}, {"sqlite 2 0002_x", "bb"}}, sqlite),
              ElementsAre(HasSubstr("0002_b is listed but missing"), HasSubstr("0002_x is not listed")));
}

}  // namespace
}  // namespace flaky
