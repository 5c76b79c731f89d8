// SPDX-License-Identifier: MIT
#ifndef FLAKY_CLI_NPM_CHECK_H_
#define FLAKY_CLI_NPM_CHECK_H_

#include <optional>

#include "analysis/run_filters.h"
#include "cli/session.h"
#include "history/time.h"

namespace flaky {

struct NpmCheckOptions {
  RunFilters filters = {};
  bool json = false;
  std::optional<Timestamp> at = std::nullopt;
};

// Prints the tests that the rule of the npm packages (analysis/new_patterns.h) reports, and sets the exit code.
void CheckByNpmRule(Session& session, const NpmCheckOptions& options);

}  // namespace flaky

#endif  // FLAKY_CLI_NPM_CHECK_H_
