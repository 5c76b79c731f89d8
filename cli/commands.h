// SPDX-License-Identifier: MIT
#ifndef FLAKY_CLI_COMMANDS_H_
#define FLAKY_CLI_COMMANDS_H_

#include <optional>
#include <string>
#include <vector>

#include "cli/session.h"

namespace CLI {
class App;
}

// One function per command, each in cli/cmd_<name>.cc. It adds the subcommand with its options, help and two examples
// to `app`, and a callback that does the work and sets session.exit_code if it is not kOk. A callback may throw:
// RunProgram turns StoreError, SettingError, CommandError, CLI::Error and every other std::exception into one line and
// an exit code. The arguments outlive the callbacks.
namespace flaky {

// What `flaky run` gets in addition to the session.
struct RunRequest {
  std::vector<std::string> command = {};                       // to run, with its arguments
  std::optional<std::string> settings_problem = std::nullopt;  // why the settings cannot be used; nothing is recorded
};

void AddCheck(CLI::App& app, Session& session);
void AddConfig(CLI::App& app, Session& session);
void AddDeliver(CLI::App& app, Session& session);
void AddDoctor(CLI::App& app, Session& session);
void AddDual(CLI::App& app, Session& session);
void AddExport(CLI::App& app, Session& session);
void AddImport(CLI::App& app, Session& session);
void AddMigrateStore(CLI::App& app, Session& session);
void AddRun(CLI::App& app, Session& session, const RunRequest& request);
void AddRuns(CLI::App& app, Session& session);
void AddSchema(CLI::App& app, Session& session);
void AddSchemaAdopt(CLI::App& schema, Session& session);  // under `flaky schema`
void AddShow(CLI::App& app, Session& session);
void AddTests(CLI::App& app, Session& session);
void AddTrend(CLI::App& app, Session& session);
void AddVerify(CLI::App& app, Session& session);

}  // namespace flaky

#endif  // FLAKY_CLI_COMMANDS_H_
