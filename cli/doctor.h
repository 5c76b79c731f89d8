// SPDX-License-Identifier: MIT
#ifndef FLAKY_CLI_DOCTOR_H_
#define FLAKY_CLI_DOCTOR_H_

#include <filesystem>
#include <string>
#include <vector>

#include "cli/exit_code.h"
#include "cli/session.h"
#include "history/time.h"
#include "stores/health.h"

// The checks of `flaky doctor`. They are read-only: they change no table and no file, and deliver nothing. Each check
// adds at least one finding, works even if everything else is broken, and reports only through its findings. The texts
// may contain untrusted input, and never contain a secret.
namespace flaky {

enum class Verdict { kFine, kWarning, kProblem };

struct Finding {
  std::string check;  // "settings", "spool", …
  Verdict verdict = Verdict::kFine;
  std::string found;                    // one sentence, without its full stop
  std::string advice = {};              // what to do; empty if there is no problem
  ExitCode code = ExitCode::kFindings;  // of a problem: the exit code that it causes
};
using Findings = std::vector<Finding>;

// Checks the settings: files, variables and values. Reads the settings files again, completely, so that `session` has
// every usable value.
void CheckSettings(Session& session, Findings& findings);

// Checks one store. The checks are called "store", "permissions", "access", "schema" and "clock", prefixed by `which`,
// which is "" for the store of the history.
void CheckStore(const Location& location, const std::string& which, Findings& findings);

// Checks the spool and the journals in it. `store`: the StoreIdentity of the store that they are delivered to.
void CheckSpool(const ResolvedSettings& resolved, const std::string& store, Findings& findings);

// Checks that test programs can find the `flaky` executable.
void CheckProgram(const Settings& settings, Findings& findings);

// Checks that crashes of test programs can be observed.
void CheckWatching(Findings& findings);

// Checks what git reports about the current folder.
void CheckGit(Findings& findings);

// Checks the free space and the kind of the file system of a folder that `flaky` writes to.
void CheckFileSystem(const std::string& check, const std::filesystem::path& folder, Findings& findings);

// A clock difference below this does not matter for what depends on clocks: days, and the leases of copies.
inline constexpr int64_t kToleratedSkew = 5 * kMicrosPerSecond;

// Turn the answers of a store into findings; for CheckStore.
void JudgeRights(const StoreHealth& health, const Location& location, const std::string& check, Findings& findings);
void JudgeAccess(const StoreHealth& health, const std::string& check, Findings& findings);
void JudgeSchema(const StoreHealth& health, const Location& location, const std::string& check, Findings& findings);
void JudgeClock(const StoreHealth& health, Timestamp now, const std::string& check, Findings& findings);

}  // namespace flaky

#endif  // FLAKY_CLI_DOCTOR_H_
