#ifndef FLAKY_CLI_COMPLETIONS_H_
#define FLAKY_CLI_COMPLETIONS_H_

#include <span>
#include <string>

#include "cli/help.h"

// The scripts with which a shell completes the program's commands, their options, and the values of options that have a
// fixed set. If any text is possible, the shell completes file names. The first command is the program itself.
namespace flaky {

std::string BashCompletion(std::span<const CommandHelp> commands);
std::string ZshCompletion(std::span<const CommandHelp> commands);
std::string FishCompletion(std::span<const CommandHelp> commands);

}  // namespace flaky

#endif  // FLAKY_CLI_COMPLETIONS_H_
