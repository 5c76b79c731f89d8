// SPDX-License-Identifier: MIT
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <set>

#include "cli/delivery_report.h"
#include "cli/doctor.h"
#include "cli/file_system.h"
#include "cli/output/escaped.h"
#include "cli/output/numbers.h"
#include "cli/output/time_text.h"
#include "delivery/background_trouble.h"
#include "delivery/delivery_pause.h"
#include "delivery/own_stores.h"
#include "spool/spool_files.h"
#include "spool/spool_scan.h"

namespace flaky {
namespace {

constexpr char kCheck[] = "spool";
constexpr int64_t kLongWait = 3600 * kMicrosPerSecond;

// A journal is a few kB plus the messages of failures.
constexpr int64_t kNoRoom = 1 << 20;
constexpr int64_t kLittleRoom = 256 << 20;
constexpr int64_t kFewFiles = 1'000;

constexpr size_t kLongestReason = 1'000;

void Warn(Findings& findings, const std::string& found, const std::string& advice) {
  findings.push_back({kCheck, Verdict::kWarning, found, advice});
}

std::string Journals(size_t count) { return Counted(static_cast<int64_t>(count), "journal"); }

// Returns false if the spool cannot be examined.
bool JudgeFolder(const std::string& spool, Findings& findings) {
  struct stat status {};
  if (::stat(spool.c_str(), &status) != 0) {
    const int error = errno;
    const std::filesystem::path place = NearestThatIs(spool);
    if (error == ENOENT && MayAccess(place, W_OK | X_OK)) {
      findings.push_back({kCheck, Verdict::kFine, spool + ": does not exist yet; the first test program creates it"});
    } else {
      findings.push_back(
          {kCheck, Verdict::kProblem,
           spool + " does not exist and cannot be created: " +
               (error == ENOENT ? place.string() + " is not writable" : std::strerror(error)),
           "set FLAKY_TESTS_SPOOL to a folder that this user may write; until then nothing is recorded"});
    }
    CheckFileSystem(kCheck, place, findings);
    return false;
  }
  std::string unusable;
  if (!S_ISDIR(status.st_mode)) {
    unusable = " is not a folder";
  } else if (status.st_uid != ::geteuid()) {
    unusable = " belongs to another user (" + std::to_string(status.st_uid) + ")";
  } else if (!MayAccess(spool, R_OK | W_OK | X_OK)) {
    unusable = " cannot be used: " + std::string(std::strerror(errno));
  }
  if (!unusable.empty()) {
    findings.push_back({kCheck, Verdict::kProblem, spool + unusable,
                        "set FLAKY_TESTS_SPOOL to a folder that belongs to this user; until then nothing is recorded"});
    return S_ISDIR(status.st_mode) && MayAccess(spool, R_OK | X_OK);
  }
  if ((status.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
    Warn(findings, spool + " is open to other users, and journals hold the output of tests", "chmod 700 it");
  }
  return true;
}

void JudgeFiles(const std::vector<UnusableFile>& files, const std::string& what, const std::string& advice,
                Findings& findings) {
  if (files.empty()) return;
  const UnusableFile& first = files.front();
  Warn(findings,
       Journals(files.size()) + " " + what + ", " + (first.file.name.empty() ? first.file.folder : first.file.name) +
           " for example: " + first.reason,
       advice);
}

void JudgeRejected(const UniqueFd& folder, const std::string& spool, Findings& findings) {
  const UniqueFd rejected = OpenFolderAt(folder, OwnName(folder, kRejected));
  if (!rejected) return;
  constexpr std::string_view kReason = ".reason";
  std::vector<std::string> names = NamesIn(rejected);
  std::ranges::sort(names);
  size_t count = 0;
  std::string why;
  for (const std::string& name : names) {
    if (!name.ends_with(kReason)) {
      ++count;
      continue;
    }
    const auto note = OpenFileAt(rejected, name);
    const auto reason = note ? ReadAt(note->descriptor, 0, kLongestReason) : std::nullopt;
    if (why.empty() && reason) {
      why = ", " + name.substr(0, name.size() - kReason.size()) + " for example: " + std::string(FirstLine(*reason));
    }
  }
  if (count == 0) return;
  Warn(findings, Journals(count) + " could not be delivered and " + (count == 1 ? "was" : "were") + " set aside" + why,
       "look at " + spool + "/rejected, and remove the files that are not needed");
}

void JudgeWaiting(const SpoolScan& scan, const std::string& spool, Findings& findings) {
  const Timestamp now = Timestamp::Now();
  size_t journals = 0, sealed = 0;
  Timestamp newest{0};
  for (const PendingRun& run : scan.runs) {
    sealed += run.sealed.size();
    newest = std::max(newest, run.started_at);
    for (const auto& [group, loose] : run.loose) journals += loose.size();
  }
  std::string found = spool + ": ";
  if (scan.runs.empty()) {
    found += "nothing is waiting to be delivered";
  } else {
    found += Journals(journals);
    if (sealed > 0) found += " and " + WithThousands(static_cast<int64_t>(sealed)) + " unfinished deliveries";
    found += " of " + WithThousands(static_cast<int64_t>(scan.runs.size())) +
             (scan.runs.size() == 1 ? " run is" : " runs are") + " waiting to be delivered, the oldest since " +
             TimeText(scan.runs.front().started_at) + " UTC";
  }
  if (scan.running > 0) found += "; " + WithThousands(scan.running) + " test programs are still running";
  if (scan.unknown > 0) found += "; " + UnknownPhrase(scan.unknown);
  const bool late = !scan.runs.empty() && scan.runs.front().started_at + kLongWait < now;
  findings.push_back({kCheck, late ? Verdict::kWarning : Verdict::kFine, found,
                      late ? "`flaky deliver` delivers them, or reports why it cannot" : ""});
  if (newest > now + kToleratedSkew) {
    findings.push_back({"clock", Verdict::kWarning,
                        "a journal in the spool is from " + TimeText(newest) + " UTC, which is in the future",
                        "correct the clock of this machine (NTP)"});
  }
}

// Runs for the stores of other projects. `folders`: those in which they were recorded.
void JudgeElsewhere(int64_t runs, const std::set<std::filesystem::path>& folders, Findings& findings) {
  if (runs == 0) return;
  findings.push_back(
      {kCheck, Verdict::kFine,
       Counted(runs, "run") + " of other projects " + (runs == 1 ? "is" : "are") +
           " waiting for their stores; `flaky deliver` delivers them in " + folders.begin()->string() +
           (folders.size() == 1 ? "" : " and " + Counted(static_cast<int64_t>(folders.size()) - 1, "other folder"))});
}

}  // namespace

void CheckSpool(const ResolvedSettings& resolved, const std::string& store, Findings& findings) {
  const std::string& spool = resolved.spool.Get();
  if (!JudgeFolder(spool, findings)) return;
  const UniqueFd folder = OpenFolder(spool);
  if (!folder) return;
  const UniqueFd outbox = OpenFolderAt(folder, OwnName(folder, "outbox"));
  SpoolScan scan = ScanSpool(folder, outbox, "");
  OwnStores own(resolved);
  std::set<std::filesystem::path> elsewhere;
  const int64_t others = KeepWanted(scan, [&](const std::string&, const DecidingJournal& decides) {
    const Journal journal = ReadDeciding(folder, outbox, decides);
    const bool is_own = own.Take(journal);
    if (!is_own) elsewhere.insert(own.FolderOf(journal));
    return is_own;
  });
  JudgeWaiting(scan, spool, findings);
  JudgeElsewhere(others, elsewhere, findings);
  JudgeFiles(scan.damaged, "that cannot be read",
             "the next delivery moves them to " + spool + "/rejected, with the reason", findings);
  JudgeFiles(scan.newer, "of a newer recorder", "install a newer flaky, which can deliver them", findings);
  JudgeFiles(scan.unopened, "that could not be opened", "give this user read permission", findings);
  JudgeRejected(folder, spool, findings);
  if (!store.empty() && IsDeliveryPaused(spool, store)) {
    Warn(findings, "the store could not be reached within the last minute, so test programs do not try at the moment",
         "see the findings about the store; `flaky deliver` tries immediately");
  }
  if (const auto trouble = ReadTrouble(spool)) {
    Warn(findings, "a delivery in the background failed at " + TimeText(trouble->time) + " UTC: " + trouble->text,
         "`flaky deliver` tries again; the next command that reads the history removes this note");
  }
  CheckFileSystem(kCheck, spool, findings);
}

void CheckFileSystem(const std::string& check, const std::filesystem::path& folder, Findings& findings) {
  const auto system = FileSystemOf(folder);
  if (!system) return;
  const std::string name = system->kind.empty() ? "its file system" : "its file system (" + system->kind + ")";
  const auto add = [&](Verdict verdict, const std::string& found, const std::string& advice) {
    findings.push_back({check, verdict, found, advice});
  };
  if (system->read_only) {
    add(Verdict::kProblem, name + " is mounted read-only", "mount it writable, or choose another place");
  } else if (system->free_bytes.value_or(kLittleRoom) < kNoRoom) {
    add(Verdict::kProblem, name + " is full", "free some space; results may be lost until then");
  } else if (system->free_bytes.value_or(kLittleRoom) < kLittleRoom) {
    add(Verdict::kWarning, name + " has " + AsBytes(*system->free_bytes) + " left",
        "free some space before it is full");
  }
  if (system->free_files && *system->free_files < kFewFiles) {
    add(*system->free_files == 0 ? Verdict::kProblem : Verdict::kWarning,
        name + " has room for " + WithThousands(*system->free_files) + " more files (inodes)",
        "remove files that are not needed");
  }
  if (system->over_network) {
    add(Verdict::kWarning, name + " is on another machine: its locks are not reliable, and it slows test programs down",
        "choose a place on a local disk (FLAKY_TESTS_SPOOL, FLAKY_TESTS_DB)");
  }
  if (system->lacks_journal && check == kCheck) {
    add(Verdict::kWarning,
        name +
            " was created without a journal: after many files were deleted, a new file may cost each test program 0.4 "
            "ms",
        "if you run many short test programs, set FLAKY_TESTS_SPOOL to a folder on tmpfs");
  }
}

}  // namespace flaky
