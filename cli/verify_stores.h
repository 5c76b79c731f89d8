#ifndef FLAKY_CLI_VERIFY_STORES_H_
#define FLAKY_CLI_VERIFY_STORES_H_

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "cli/session.h"

// The comparison of `flaky verify`, for every command that compares two stores.
namespace flaky {

struct ComparisonOptions {
  std::vector<std::string> projects;  // "": the runs without one; none: all
  std::string sample;                 // "5%", which is `share`
  double share = 1;
  bool quick = false;
  bool one_way = false;
  bool combined = false;
  bool json = false;
};

// Adds the options of a comparison. `options` must outlive the command.
void AddComparisonOptions(CLI::App& command, ComparisonOptions& options);

// Compares, prints what differs and sets the session's exit code. Throws StoreError.
void CompareStores(Session& session, const Location& source, const Location& target, const ComparisonOptions& options);

}  // namespace flaky

#endif  // FLAKY_CLI_VERIFY_STORES_H_
