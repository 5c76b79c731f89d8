// SPDX-License-Identifier: MIT
#ifndef FLAKY_CLI_PROGRAM_H_
#define FLAKY_CLI_PROGRAM_H_

#include <iosfwd>
#include <string_view>

namespace CLI {
class App;
}

namespace flaky {

struct RunRequest;
struct Session;

// Adds all commands and options with their help to `app`; if `only` names a command other than `run`, only that one.
// The arguments outlive what is parsed with `app`.
void DescribeProgram(CLI::App& app, Session& session, const RunRequest& run, std::string_view only = {});

// The whole program: does what the arguments say and returns the exit code (cli/exit_code.h). Data goes to `out`, all
// else to `err`; every failure is one line `flaky: …` there, none leaves as an exception. Reads the process environment
// and the current folder. `terminal`: err is a terminal that can redraw a line; `color`: out may be coloured.
int RunProgram(int argc, const char* const* argv, std::ostream& out, std::ostream& err, bool terminal = false,
               bool color = false);

}  // namespace flaky

#endif  // FLAKY_CLI_PROGRAM_H_
