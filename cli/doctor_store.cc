// SPDX-License-Identifier: MIT
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdlib>

#include "cli/doctor.h"
#include "cli/file_system.h"
#include "cli/output/numbers.h"
#include "cli/output/time_text.h"
#include "history/text.h"
#include "stores/schemes.h"

namespace flaky {
namespace {

// Slower round trips are noticeable: each delivery makes several.
constexpr std::chrono::milliseconds kSlowAnswer{500};

std::string Milliseconds(std::chrono::microseconds time) {
  return Decimals(static_cast<double>(time.count()) / 1000, time.count() < 10'000 ? 1 : 0) + " ms";
}

RetryPolicy WithoutRetries() {
  RetryPolicy policy;
  policy.patience = std::chrono::milliseconds(0);
  return policy;
}

std::string AdviceFor(const StoreError& error, const Location& location) {
  if (ExitCodeOf(error) == ExitCode::kLocked) return "wait for the process or session that has locked it, or end it";
  switch (error.kind()) {
    case ErrorKind::kAuth:
      return SchemeOf(location.scheme).is_file
                 ? "give this user read and write permission for the file and its folder"
                 : "check the user, password or token (`flaky config` shows where they come "
                   "from), or ask the store's owner for them";
    case ErrorKind::kTransient:
      return "make sure that the server is running and reachable from here; until then results wait in the "
             "spool";
    case ErrorKind::kMissing:
      return "create it, or set FLAKY_TESTS_STORE and its companions to another store";
    default:
      break;
  }
  return "see docs/stores/" + location.scheme + ".md, or choose another store";
}

// Judges a SQLite file that does not exist yet; the first delivery will create it.
void JudgeFileToCome(const Location& location, const std::string& which, Findings& findings) {
  const std::filesystem::path file = location.address.Reveal();
  const std::filesystem::path folder = file.has_parent_path() ? file.parent_path() : ".";
  // Only the default folder is created too.
  const bool makes_folder = file == DefaultHistoryFile();
  const std::filesystem::path place = makes_folder ? NearestThatIs(folder) : folder;
  if (!MayAccess(place, F_OK)) {
    findings.push_back({which + "store", Verdict::kProblem,
                        location.display_name + ": neither the file nor its folder exists",
                        "create the folder " + folder.string(), ExitCode::kUnreachable});
    return;
  }
  findings.push_back(
      {which + "store", Verdict::kFine, location.display_name + ": does not exist yet; the first delivery creates it"});
  if (MayAccess(place, W_OK | X_OK)) {
    findings.push_back({which + "permissions", Verdict::kFine, "it can be created in " + place.string()});
  } else {
    findings.push_back({which + "permissions", Verdict::kProblem, "no file can be created in " + place.string(),
                        "give this user write permission there, or set FLAKY_TESTS_DB", ExitCode::kAuth});
  }
  CheckFileSystem(which + "store", place, findings);
}

// SQLite keeps two companion files next to the database, so the folder must be writable too.
void AddFileRights(const Location& location, StoreHealth& health) {
  const std::filesystem::path file = location.address.Reveal();
  const std::filesystem::path folder = file.has_parent_path() ? file.parent_path() : ".";
  if (!MayAccess(file, W_OK)) health.lacks.push_back("writing the file");
  if (!MayAccess(folder, W_OK | X_OK)) health.lacks.push_back("creating files in its folder " + folder.string());
  health.may_make_tables = health.lacks.empty();
}

void JudgeConnection(const StoreHealth& health, const Location& location, const std::string& check,
                     Findings& findings) {
  std::string found = location.display_name + " answers";
  if (!health.server.empty()) found += " (" + health.server + ")";
  if (!SchemeOf(location.scheme).is_file) {
    found += ": connected in " + Milliseconds(health.connected_in);
    if (health.round_trip.count() > 0) found += ", round trip " + Milliseconds(health.round_trip);
    if (health.encryption && !health.encryption->empty()) found += ", encrypted with " + *health.encryption;
  }
  findings.push_back({check, Verdict::kFine, found});
  if (health.round_trip >= kSlowAnswer) {
    findings.push_back(
        {check, Verdict::kWarning, "the round trip takes " + Milliseconds(health.round_trip),
         "let one delivery serve many test programs (`flaky run -- ctest`), or use a store closer to this machine"});
  }
  if (health.encryption && health.encryption->empty()) {
    findings.push_back({check, Verdict::kWarning, "the network connection to it is not encrypted",
                        std::string(SchemeOf(location.scheme).how_to_encrypt)});
  }
}

}  // namespace

void JudgeRights(const StoreHealth& health, const Location& location, const std::string& check, Findings& findings) {
  if (health.lacks.empty()) {
    // Without tables there are no rights to check; JudgeSchema reports whether this user may create them.
    if (!health.has_tables && !health.may_make_tables) return;
    findings.push_back({check, Verdict::kFine, "read and write permission"});
    return;
  }
  findings.push_back(
      {check, Verdict::kProblem, "this user lacks permission for: " + Join(health.lacks, "; "),
       SchemeOf(location.scheme).is_file
           ? "give this user write permission for the file and its folder (chmod, chown), or set FLAKY_TESTS_DB"
           : "docs/stores/" + location.scheme + ".md lists the permissions that recording needs; reading needs fewer",
       ExitCode::kAuth});
}

void JudgeAccess(const StoreHealth& health, const std::string& check, Findings& findings) {
  for (const AccessFinding& each : health.access) {
    const Verdict verdict = each.weight == AccessFinding::Weight::kFine      ? Verdict::kFine
                            : each.weight == AccessFinding::Weight::kWarning ? Verdict::kWarning
                                                                             : Verdict::kProblem;
    findings.push_back({check, verdict, each.found, each.advice, ExitCode::kAuth});
  }
}

void JudgeSchema(const StoreHealth& health, const Location& location, const std::string& check, Findings& findings) {
  for (const std::string& other : health.other_prefixes) {
    findings.push_back({check, Verdict::kFine,
                        "tables with the prefix '" + other +
                            "' exist as well; if they hold runs recorded before the prefix was changed, `flaky "
                            "schema adopt --from-prefix '" +
                            other + "'` copies it"});
  }
  const std::string by_hand =
      "ask an administrator to run the SQL that `flaky schema sql --store " + location.scheme + "` prints";
  if (!health.schema && health.has_tables) {
    findings.push_back({check, Verdict::kWarning, "this user may not read its version", "see the permissions"});
  } else if (!health.schema) {
    if (health.may_make_tables) {
      findings.push_back({check, Verdict::kFine, "there are no tables yet; the first delivery creates them"});
    } else {
      const bool nobody_may = !SchemeOf(location.scheme).makes_tables;
      findings.push_back(
          {check, Verdict::kProblem,
           std::string("there are no tables, and ") +
               (nobody_may ? "a Supabase project's interface cannot create them" : "this user may not create them"),
           by_hand, nobody_may ? ExitCode::kUnreachable : ExitCode::kAuth});
    }
  } else if (health.schema->found > health.schema->known) {
    findings.push_back({check, Verdict::kProblem,
                        "version " + std::to_string(health.schema->found) +
                            " was created by a newer flaky; this one knows " + std::to_string(health.schema->known) +
                            " and only reads it",
                        "install a newer flaky", ExitCode::kSchemaTooNew});
  } else if (!health.missing.empty()) {
    findings.push_back({check, Verdict::kProblem,
                        "the schema version is recorded, but these tables are missing: " + Join(health.missing, ", "),
                        "restore them from a back-up, or record into another store or FLAKY_TESTS_TABLE_PREFIX and "
                        "copy the remaining data with `flaky migrate-store`"});
  } else if (!health.schema->pending.empty()) {
    const std::string found = "version " + std::to_string(health.schema->found) + ", this program has " +
                              std::to_string(health.schema->known);
    if (health.may_make_tables) {
      findings.push_back({check, Verdict::kFine, found + "; the next delivery upgrades it"});
    } else {
      findings.push_back({check, Verdict::kProblem, found + ", and this user may not change tables",
                          "ask an administrator to run `flaky schema migrate`", ExitCode::kAuth});
    }
  } else {
    findings.push_back(
        {check, Verdict::kFine, "version " + std::to_string(health.schema->found) + ", which is this program's"});
  }
}

void JudgeClock(const StoreHealth& health, Timestamp now, const std::string& check, Findings& findings) {
  const size_t before = findings.size();
  if (health.clock_ahead_us && std::abs(*health.clock_ahead_us) > kToleratedSkew + health.round_trip.count()) {
    const int64_t ahead = *health.clock_ahead_us;
    findings.push_back({check, Verdict::kWarning,
                        "the store's clock is " + Duration(std::abs(ahead) / 1000) + (ahead > 0 ? " fast" : " slow") +
                            ", compared with this machine's",
                        "synchronise the clocks (NTP): runs are ordered by the clock of the machine they ran on"});
  }
  if (health.newest_run && *health.newest_run > now + kToleratedSkew) {
    findings.push_back(
        {check, Verdict::kWarning,
         "the store has a run of " + TimeText(*health.newest_run) + " UTC, which is in the future",
         "synchronise the clocks (NTP) of the machines that record: `flaky check` and `flaky trend` look "
         "back from the present"});
  }
  if (findings.size() > before) return;
  findings.push_back({check, Verdict::kFine,
                      health.clock_ahead_us ? "the store's and this machine's differ by " +
                                                  (std::abs(*health.clock_ahead_us) < kMicrosPerSecond
                                                       ? "less than a second"
                                                       : Duration(std::abs(*health.clock_ahead_us) / 1000))
                                            : "no run of the store is in the future"});
}

void CheckStore(const Location& location, const std::string& which, Findings& findings) {
  std::optional<StoreHealth> examined;
  const bool is_file = SchemeOf(location.scheme).is_file;
  struct stat status {};
  if (is_file && ::stat(location.address.Reveal().c_str(), &status) != 0 && errno == ENOENT) {
    JudgeFileToCome(location, which, findings);
    return;
  }
  try {
    examined = ExamineStore(location);
    if (!examined) OpenStore(location, OpenMode::kRead, WithoutRetries());
  } catch (const StoreError& error) {
    findings.push_back(
        {which + "store", Verdict::kProblem, error.what(), AdviceFor(error, location), ExitCodeOf(error)});
    return;
  }
  if (!examined) {
    findings.push_back({which + "store", Verdict::kFine,
                        location.display_name + " can be opened; the store `" + location.scheme +
                            "` has no health check, so permissions, schema and clock are not checked"});
    return;
  }
  StoreHealth& health = *examined;
  if (is_file) AddFileRights(location, health);
  JudgeConnection(health, location, which + "store", findings);
  if (is_file) CheckFileSystem(which + "store", location.address.Reveal(), findings);
  JudgeRights(health, location, which + "permissions", findings);
  JudgeAccess(health, which + "access", findings);
  JudgeSchema(health, location, which + "schema", findings);
  JudgeClock(health, Timestamp::Now(), which + "clock", findings);
}

}  // namespace flaky
