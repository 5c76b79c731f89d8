// SPDX-License-Identifier: MIT
#ifndef FLAKY_ANALYSIS_COMMON_CAUSES_H_
#define FLAKY_ANALYSIS_COMMON_CAUSES_H_

#include <optional>
#include <span>
#include <vector>

#include "analysis/code_events.h"
#include "analysis/coincidence.h"
#include "analysis/history_index.h"
#include "analysis/model.h"
#include "analysis/posterior.h"

namespace flaky {

// Computes from the faults of all failures what each failure owes to causes that hit many tests: machines and commits.
class CommonCauses {
 public:
  CommonCauses(const HistoryIndex& index, const Model& model, CodeEvents& events);

  // Before anything is known of a test, each of its failures counts the less, the more code versions it failed on in
  // parts in which no more tests failed than usual.
  void StartFaults(std::span<Fault> faults) const;

  // Counts the failures again of each part and code version that flaky tests do not explain. Writes the background of
  // each failure and the break_prior of each event.
  void Update(std::span<const Fault> faults, std::span<const double> newly_broken, std::span<float> background);

  // Returns the probability that an outage hit a part.
  double Outage(uint32_t part) const { return outage_[part]; }
  std::span<const float> outages() const { return outage_; }
  double trouble_share() const { return trouble_share_; }

 private:
  void Count(std::span<const Fault> faults);
  void CountMachines();
  void EstimateStray(std::span<const Fault> faults);
  void EstimateShares(std::span<const Fault> faults, std::span<const double> newly_broken);
  void UpdateMachines(std::span<const Fault> faults, std::span<float> background) const;
  void UpdateCommits();
  CommonCause Machine() const;
  CommonCause Commit() const;
  // Returns the probability that the code of a part, and not its machine, fails as many tests of it as failed.
  double ByCommit(uint32_t part) const;

  const HistoryIndex& index_;
  const Model& model_;
  CodeEvents& events_;
  std::vector<uint32_t> suite_size_;
  // Failures that flaky tests do not explain: of each part, of each code version and of each suite on a code version.
  std::vector<float> in_part_;
  std::vector<float> in_part_by_code_;  // those of in_part_ that may be the code's fault
  std::vector<float> on_code_;
  std::vector<float> in_suite_;
  std::vector<float> own_;  // what each event adds to its code version
  mutable std::optional<CommonCauseOdds> machine_;
  mutable std::optional<CommonCauseOdds> commit_;
  std::vector<float> outage_;
  std::vector<double> by_machines_;  // that machines fail as many of its tests as failed
  double stray_in_part_ = 0;         // see CommonCause::stray
  double stray_on_code_ = 0;
  double trouble_share_;
  double break_share_;
};

}  // namespace flaky

#endif  // FLAKY_ANALYSIS_COMMON_CAUSES_H_
