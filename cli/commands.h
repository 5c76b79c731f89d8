#ifndef FLAKY_CLI_COMMANDS_H_
#define FLAKY_CLI_COMMANDS_H_

#include "cli/session.h"

namespace CLI {
class App;
}

// One function a command, each in cli/cmd_<name>.cc: it adds the subcommand with its options, help and two examples to
// `app`, with a callback that does the work, sets session.exit_code where it is not kOk, and lets StoreError,
// SettingError and CLI::Error out to main. `app` and `session` outlive the callbacks.
namespace flaky {

void AddCheck(CLI::App& app, Session& session);
void AddConfig(CLI::App& app, Session& session);
void AddDeliver(CLI::App& app, Session& session);
void AddDoctor(CLI::App& app, Session& session);
void AddDual(CLI::App& app, Session& session);
void AddExport(CLI::App& app, Session& session);
void AddImport(CLI::App& app, Session& session);
void AddMigrateStore(CLI::App& app, Session& session);
void AddRun(CLI::App& app, Session& session);
void AddRuns(CLI::App& app, Session& session);
void AddSchema(CLI::App& app, Session& session);
void AddSchemaAdopt(CLI::App& schema, Session& session);  // below `flaky schema`
void AddShow(CLI::App& app, Session& session);
void AddTrend(CLI::App& app, Session& session);
void AddVerify(CLI::App& app, Session& session);

}  // namespace flaky

#endif  // FLAKY_CLI_COMMANDS_H_
