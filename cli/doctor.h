#ifndef FLAKY_CLI_DOCTOR_H_
#define FLAKY_CLI_DOCTOR_H_

#include <filesystem>
#include <string>
#include <vector>

#include "cli/exit_code.h"
#include "cli/session.h"
#include "history/time.h"
#include "stores/health.h"

// The checks of `flaky doctor`. They look and ask, and change nothing: no table, no file, no delivery. Each adds one
// finding at least, works where everything else is broken, and is silent but for its findings. A text may hold what
// strangers wrote, and never a secret.
namespace flaky {

enum class Verdict { kFine, kWarning, kProblem };

struct Finding {
  std::string check;  // "settings", "spool", …
  Verdict verdict = Verdict::kFine;
  std::string found;                    // one sentence, without its full stop
  std::string advice = {};              // what to do; empty where no problems found
  ExitCode code = ExitCode::kFindings;  // of a problem: what the program would end with because of it
};
using Findings = std::vector<Finding>;

// Files, variables and values. Reads the settings' files once more and to the end, so that `session` has of them what
// can be used.
void CheckSettings(Session& session, Findings& findings);

// One store, as "store", "permissions", "schema" and "clock", with `which` before that: "" is the history's own.
void CheckStore(const Location& location, const std::string& which, Findings& findings);

// The folder of journals, and what waits in it for the store that may be shown as `store`.
void CheckSpool(const std::string& spool, const std::string& store, Findings& findings);

// How test programs come by the program that delivers.
void CheckProgram(const Settings& settings, Findings& findings);

// Whether whoever waits for a run can see its test programs die.
void CheckWatching(Findings& findings);

// What git says of the current folder.
void CheckGit(Findings& findings);

// What is wrong with the room and the kind of the file system below a folder, which is there to be written.
void CheckFileSystem(const std::string& check, const std::filesystem::path& folder, Findings& findings);

// Clocks that differ by less are as good as equal for what compares them: days, and the leases of copies.
inline constexpr int64_t kToleratedSkew = 5 * kMicrosPerSecond;

// What a store's answer means; for CheckStore.
void JudgeRights(const StoreHealth& health, const Location& location, const std::string& check, Findings& findings);
void JudgeSchema(const StoreHealth& health, const Location& location, const std::string& check, Findings& findings);
void JudgeClock(const StoreHealth& health, Timestamp now, const std::string& check, Findings& findings);

}  // namespace flaky

#endif  // FLAKY_CLI_DOCTOR_H_
