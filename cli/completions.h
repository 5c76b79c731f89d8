#ifndef FLAKY_CLI_COMPLETIONS_H_
#define FLAKY_CLI_COMPLETIONS_H_

#include <span>
#include <string>

#include "cli/help.h"

// What a shell reads to complete the program's commands, their options, and the values of options that have a choice;
// where anything may stand, the shell completes names of files. The first command is the program itself.
namespace flaky {

std::string BashCompletion(std::span<const CommandHelp> commands);
std::string ZshCompletion(std::span<const CommandHelp> commands);
std::string FishCompletion(std::span<const CommandHelp> commands);

}  // namespace flaky

#endif  // FLAKY_CLI_COMPLETIONS_H_
