#ifndef FLAKY_CLI_VERIFY_REPORT_H_
#define FLAKY_CLI_VERIFY_REPORT_H_

#include <cstddef>
#include <iosfwd>
#include <string>
#include <vector>

#include "transfer/verify.h"

// What `flaky verify` prints of a comparison.
namespace flaky {

// The runs to list, the first that were met of each kind: what is there without end is counted, not kept.
class VerifiedRuns {
 public:
  static constexpr size_t kMaxListed = 1000;

  // Whether equal runs, and those that only the target has or has more of, are to be listed.
  VerifiedRuns(bool equal, bool one_way) : list_equal_(equal), one_way_(one_way) {}

  void Add(const ComparedRun& run);

  // All that are to be listed, in order of time.
  std::vector<ComparedRun> Listed() const;
  size_t left_out() const { return left_out_; }

 private:
  bool list_equal_, one_way_;
  std::vector<ComparedRun> differing_, equal_;
  size_t left_out_ = 0;
};

struct VerifyReport {
  const VerifySummary& account;
  const VerifyOptions& options;
  const VerifiedRuns& runs;
  std::string source, target;  // as they may be shown
  std::string sample;          // "5%"; empty: all runs
  double seconds = 0;          // that it took
};

void PrintVerifyText(const VerifyReport& report, std::ostream& out, bool color);
void PrintVerifyJson(const VerifyReport& report, std::ostream& out);

}  // namespace flaky

#endif  // FLAKY_CLI_VERIFY_REPORT_H_
