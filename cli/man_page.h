#ifndef FLAKY_CLI_MAN_PAGE_H_
#define FLAKY_CLI_MAN_PAGE_H_

#include <span>
#include <string>
#include <string_view>

#include "cli/exit_code.h"
#include "cli/help.h"
#include "settings/settings.h"

namespace flaky {

// flaky(1), for man: every command with what its help says, the first one being the program itself, every setting and
// every exit code.
std::string ManPage(std::span<const CommandHelp> commands, std::span<const SettingInfo> settings,
                    std::span<const ExitCodeInfo> exit_codes, std::string_view version);

}  // namespace flaky

#endif  // FLAKY_CLI_MAN_PAGE_H_
