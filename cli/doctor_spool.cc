#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "cli/doctor.h"
#include "cli/file_system.h"
#include "cli/output/escaped.h"
#include "cli/output/numbers.h"
#include "cli/output/time_text.h"
#include "delivery/delivery_pause.h"
#include "spool/spool_files.h"
#include "spool/spool_scan.h"

namespace flaky {
namespace {

constexpr char kCheck[] = "spool";
constexpr int64_t kLongWait = 3600 * kMicrosPerSecond;

// A journal takes some kB, and grows with what tests print.
constexpr int64_t kNoRoom = 1 << 20;
constexpr int64_t kLittleRoom = 256 << 20;
constexpr int64_t kFewFiles = 1'000;

constexpr size_t kLongestReason = 1'000;

void Warn(Findings& findings, const std::string& found, const std::string& advice) {
  findings.push_back({kCheck, Verdict::kWarning, found, advice});
}

std::string Journals(size_t count) { return Counted(static_cast<int64_t>(count), "journal"); }

// False where nothing in it can be looked at.
bool JudgeFolder(const std::string& spool, Findings& findings) {
  struct stat status {};
  if (::stat(spool.c_str(), &status) != 0) {
    const int error = errno;
    const std::filesystem::path place = NearestThatIs(spool);
    if (error == ENOENT && MayAccess(place, W_OK | X_OK)) {
      findings.push_back({kCheck, Verdict::kFine, spool + ": not there yet; the first test program makes it"});
    } else {
      findings.push_back(
          {kCheck, Verdict::kProblem,
           spool + " is not there and cannot be made: " +
               (error == ENOENT ? place.string() + " may not be written" : std::strerror(error)),
           "let FLAKY_TESTS_SPOOL name a folder that this user may write: nothing is recorded until then"});
    }
    CheckFileSystem(kCheck, place, findings);
    return false;
  }
  std::string unusable;
  if (!S_ISDIR(status.st_mode)) {
    unusable = " is no folder";
  } else if (status.st_uid != ::geteuid()) {
    unusable = " belongs to another user (" + std::to_string(status.st_uid) + ")";
  } else if (!MayAccess(spool, R_OK | W_OK | X_OK)) {
    unusable = " may not be used: " + std::string(std::strerror(errno));
  }
  if (!unusable.empty()) {
    findings.push_back({kCheck, Verdict::kProblem, spool + unusable,
                        "let FLAKY_TESTS_SPOOL name a folder of this user's own: nothing is recorded until then"});
    return S_ISDIR(status.st_mode) && MayAccess(spool, R_OK | X_OK);
  }
  if ((status.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
    Warn(findings, spool + " is open to other users, and journals hold what tests print", "chmod 700 it");
  }
  return true;
}

void JudgeFiles(const std::vector<UnusableFile>& files, const std::string& what, const std::string& advice,
                Findings& findings) {
  if (files.empty()) return;
  const UnusableFile& first = files.front();
  Warn(findings,
       Journals(files.size()) + " " + what + ", " + (first.file.name.empty() ? first.file.folder : first.file.name) +
           " for one: " + first.reason,
       advice);
}

void JudgeRejected(const UniqueFd& folder, const std::string& spool, Findings& findings) {
  const UniqueFd rejected = OpenFolderAt(folder, kRejected);
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
      why = ", " + name.substr(0, name.size() - kReason.size()) + " for one: " + std::string(FirstLine(*reason));
    }
  }
  if (count == 0) return;
  Warn(findings, Journals(count) + " could not be delivered and " + (count == 1 ? "was" : "were") + " put aside" + why,
       "look at " + spool + "/rejected; remove what is of no use");
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
    found += "nothing waits to be delivered";
  } else {
    found += Journals(journals);
    if (sealed > 0) found += " and " + WithThousands(static_cast<int64_t>(sealed)) + " begun deliveries";
    found += " of " + WithThousands(static_cast<int64_t>(scan.runs.size())) +
             (scan.runs.size() == 1 ? " run waits" : " runs wait") + " to be delivered, the oldest since " +
             TimeText(scan.runs.front().started_at) + " UTC";
  }
  if (scan.running > 0) found += "; " + WithThousands(scan.running) + " test programs still run";
  const bool late = !scan.runs.empty() && scan.runs.front().started_at + kLongWait < now;
  findings.push_back({kCheck, late ? Verdict::kWarning : Verdict::kFine, found,
                      late ? "`flaky deliver` takes them along, or says why it cannot" : ""});
  if (newest > now + kToleratedSkew) {
    findings.push_back({"clock", Verdict::kWarning,
                        "a journal in the spool is of " + TimeText(newest) + " UTC, which is yet to come",
                        "set the clock of this machine right (NTP)"});
  }
}

}  // namespace

void CheckSpool(const std::string& spool, const std::string& store, Findings& findings) {
  if (!JudgeFolder(spool, findings)) return;
  const UniqueFd folder = OpenFolder(spool);
  if (!folder) return;
  const UniqueFd outbox = OpenFolderAt(folder, "outbox");
  const SpoolScan scan = ScanSpool(folder, outbox, "");
  JudgeWaiting(scan, spool, findings);
  JudgeFiles(scan.damaged, "that cannot be read",
             "the next delivery puts them into " + spool + "/rejected, with the reason", findings);
  JudgeFiles(scan.newer, "of a newer recorder", "install a newer flaky: they wait for it", findings);
  JudgeFiles(scan.unopened, "that could not be opened", "let this user read them", findings);
  JudgeRejected(folder, spool, findings);
  if (!store.empty() && IsDeliveryPaused(spool, store)) {
    Warn(findings, "the store could not be reached within the last minute, so test programs do not try for now",
         "see what is said of the store; `flaky deliver` tries at once");
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
    add(Verdict::kProblem, name + " is mounted for reading only", "mount it for writing, or name another place");
  } else if (system->free_bytes.value_or(kLittleRoom) < kNoRoom) {
    add(Verdict::kProblem, name + " is full", "make room: what is recorded until then may be lost");
  } else if (system->free_bytes.value_or(kLittleRoom) < kLittleRoom) {
    add(Verdict::kWarning, name + " has " + AsBytes(*system->free_bytes) + " left", "make room before it is full");
  }
  if (system->free_files && *system->free_files < kFewFiles) {
    add(*system->free_files == 0 ? Verdict::kProblem : Verdict::kWarning,
        name + " has room for " + WithThousands(*system->free_files) + " more files (inodes)",
        "remove files that are not needed");
  }
  if (system->over_network) {
    add(Verdict::kWarning,
        name + " is on another machine: its locks cannot be relied on, and test programs wait for it",
        "name a place on a disk of this machine (FLAKY_TESTS_SPOOL, FLAKY_TESTS_DB)");
  }
  if (system->lacks_journal && check == kCheck) {
    add(Verdict::kWarning,
        name + " was made without a journal: a new file may cost each test program 0.4 ms soon after many were deleted",
        "where test programs are many and short, let FLAKY_TESTS_SPOOL name a folder on tmpfs");
  }
}

}  // namespace flaky
