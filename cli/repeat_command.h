// SPDX-License-Identifier: MIT
#ifndef FLAKY_CLI_REPEAT_COMMAND_H_
#define FLAKY_CLI_REPEAT_COMMAND_H_

#include <string>
#include <vector>

#include "analysis/evidence.h"
#include "analysis/test_history.h"
#include "analysis/verdict.h"

namespace flaky {

// Returns the command lines that probably repeat a failure of the test: the test alone, as often as its rate demands;
// the test that it depends on before it; the order in which it failed last. Words are quoted for a shell.
std::vector<std::string> RepeatCommands(const TestIdentity& test, const TestVerdict& verdict,
                                        const TestHistory& history);

}  // namespace flaky

#endif  // FLAKY_CLI_REPEAT_COMMAND_H_
