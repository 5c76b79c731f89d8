// SPDX-License-Identifier: MIT
#ifndef FLAKY_CLI_JUDGED_HISTORY_H_
#define FLAKY_CLI_JUDGED_HISTORY_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "analysis/judge.h"
#include "analysis/record_evidence.h"
#include "analysis/run_filters.h"
#include "cli/output/json_output.h"
#include "cli/run_query.h"
#include "cli/session.h"
#include "stores/store.h"

namespace CLI {
class App;
}

// The history as the judge sees it: the same times, filters and constants for every command that gives verdicts.
namespace flaky {

// Which runs are judged, and as of when.
struct JudgeRequest {
  RunFilters filters = {};
  std::optional<std::optional<std::string>> project = std::nullopt;  // absent: that of the session
  std::optional<Timestamp> at = std::nullopt;
  std::optional<Timestamp> since = std::nullopt;
};

// Returns the model with the constants that the settings change. Throws SettingError if one is invalid.
Model ModelOf(const Settings& settings);

// Adds the options that fill a request: --project, --at, --since and the filters. `request` must outlive the command.
void AddJudgeOptions(CLI::App& command, Session& session, JudgeRequest& request);

// A paragraph about these options for the help.
inline constexpr char kJudgeNote[] =
    "Verdicts rest on the runs since --since. Parts that started after --at do not count. docs/guides/flaky-tests.md "
    "says what each verdict means.";

// The runs of one project and what the judge makes of them.
class JudgedHistory {
 public:
  // Reads and judges the runs that the request selects. `observer` sees each part that is read.
  JudgedHistory(const Session& session, Store& store, const JudgeRequest& request,
                EvidenceReader::Observer observer = {});
  JudgedHistory(const JudgedHistory&) = delete;
  JudgedHistory& operator=(const JudgedHistory&) = delete;

  const Judge& judge() const { return judge_; }
  const Judgement& judgement() const { return judgement_; }
  const EvidenceReader& reader() const { return reader_; }
  const RunQuery& query() const { return query_; }
  // Returns since when runs are judged unless a request says so.
  static Timestamp DefaultSince(Timestamp at);

  // When the first and the last run that was read started.
  Timestamp first_run() const { return first_run_; }
  Timestamp last_run() const { return last_run_; }
  Timestamp at() const { return at_; }
  Timestamp since() const { return since_; }

  // Returns the verdict about a test that never failed.
  Verdict VerdictOfHealthy(int64_t executions) const;

  // Returns true if no run has a test that could be judged.
  bool IsNothing() const { return judgement_.parts == 0; }
  // Says that there is nothing to judge, and why. Sets the exit code kNothing. Adds to `json` what ReportNothing adds.
  void ReportNothing(Session& session, Store& store, Json* json) const;

  // Returns one sentence for each reason for which runs or failures were not judged, or only in part.
  std::vector<std::string> Notes() const;
  // Adds the same facts to the JSON of a command: the runs, the times and what was left out.
  void AddTo(Json& json) const;

 private:
  Model model_;
  Judge judge_;
  EvidenceReader reader_;
  Timestamp at_, since_;
  RunQuery query_;
  Timestamp first_run_, last_run_;
  Judgement judgement_;
};

}  // namespace flaky

#endif  // FLAKY_CLI_JUDGED_HISTORY_H_
