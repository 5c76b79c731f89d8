// SPDX-License-Identifier: MIT
#ifndef FLAKY_CLI_VERIFY_REPORT_H_
#define FLAKY_CLI_VERIFY_REPORT_H_

#include <cstddef>
#include <iosfwd>
#include <string>
#include <vector>

#include "transfer/verify.h"

// The output of `flaky verify`.
namespace flaky {

// Collects the runs to list: the first ones of each kind. Any number of further runs is counted but not stored.
class VerifiedRuns {
 public:
  static constexpr size_t kMaxListed = 1000;

  // `equal`: list equal runs too. `one_way`: do not list runs of which the target has more.
  VerifiedRuns(bool equal, bool one_way) : list_equal_(equal), one_way_(one_way) {}

  void Add(const ComparedRun& run);

  // Returns the runs to list, in order of time.
  std::vector<ComparedRun> Listed() const;
  size_t left_out() const { return left_out_; }

 private:
  bool list_equal_, one_way_;
  std::vector<ComparedRun> differing_, equal_;
  size_t left_out_ = 0;
};

struct VerifyReport {
  const VerifySummary& summary;
  const VerifyOptions& options;
  const VerifiedRuns& runs;
  std::string source, target;  // display names
  std::string sample;          // "5%"; empty: all runs
  double seconds = 0;          // duration of the comparison
};

void PrintVerifyText(const VerifyReport& report, std::ostream& out, bool color);
void PrintVerifyJson(const VerifyReport& report, std::ostream& out);

}  // namespace flaky

#endif  // FLAKY_CLI_VERIFY_REPORT_H_
