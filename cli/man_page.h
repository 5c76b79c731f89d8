#ifndef FLAKY_CLI_MAN_PAGE_H_
#define FLAKY_CLI_MAN_PAGE_H_

#include <span>
#include <string>
#include <string_view>

#include "cli/exit_code.h"
#include "cli/help.h"
#include "settings/settings.h"

// The man pages, made from the same descriptions as the help. Their text is filled: man(1) wraps it to the reader's
// terminal.
namespace flaky {

// Returns the name of a command's page without its section: "flaky-schema-sql" for `flaky schema sql`.
std::string ManPageName(const CommandHelp& command);

// Returns flaky(1): the program, a list of its commands, every setting and every exit code. `commands` is what
// DescribeCommands returns; the first one is the program.
std::string ProgramManPage(std::span<const CommandHelp> commands, std::span<const SettingInfo> settings,
                           std::span<const ExitCodeInfo> exit_codes, std::string_view version);

// Returns the page of one command, for example flaky-check(1).
std::string CommandManPage(const CommandHelp& command, std::string_view version);

}  // namespace flaky

#endif  // FLAKY_CLI_MAN_PAGE_H_
