// SPDX-License-Identifier: MIT
#ifndef FLAKY_CLI_RUN_ENVIRONMENT_H_
#define FLAKY_CLI_RUN_ENVIRONMENT_H_

#include <string>
#include <utility>
#include <vector>

#include "cli/session.h"

namespace flaky {

// Returns the variables that `flaky run` sets for its command: what it resolved itself, so that no process under it,
// whatever its home, its working folder or its state folder, comes to another result. All paths are absolute. A secret
// from the user's settings file is not among them, but the name of that file is.
std::vector<std::pair<std::string, std::string>> EnvironmentOfRun(const Session& session, const std::string& run_id);

}  // namespace flaky

#endif  // FLAKY_CLI_RUN_ENVIRONMENT_H_
