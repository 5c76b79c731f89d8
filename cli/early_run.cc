// SPDX-License-Identifier: MIT
#include "cli/early_run.h"

#include <algorithm>
#include <ostream>
#include <span>
#include <utility>

#include "cli/output/early_end_text.h"
#include "cli/output/escaped.h"
#include "cli/output/run_text.h"
#include "cli/output/time_text.h"

namespace flaky {

bool EarlyRun::IsUnknown() const {
  return std::ranges::any_of(ends, [](const EarlyEnd& end) { return end.cause != EarlyEnd::Cause::kInterrupted; });
}

std::optional<EarlyRun> LatestIfEarly(Store& store, RunQuery query) {
  query.of_store.since.reset();
  std::optional<Run> latest;
  VisitRuns(store, query, Direction::kNewestFirst, Detail::kRunsOnly, [&](const RunRecord& record) {
    latest = record.run;
    return false;
  });
  if (!latest || !latest->account.ended_at || latest->account.status) return std::nullopt;
  for (RunRecord& record : store.Fetch(std::span(&latest->run_id, 1))) {
    if (!query.filters.Keep(record)) continue;
    std::vector<EarlyEnd> ends = EarlyEndsOf(record.parts);
    if (!ends.empty()) return EarlyRun{record.run, std::move(ends)};
  }
  return std::nullopt;
}

void PrintEarlyRun(const EarlyRun& early, const Session& session) {
  session.out << "\nnot judged: the latest run " << Escaped(ShortIds({early.run}).front()) << ", started "
              << TimeText(early.run.account.started_at) << " UTC, ended early\n";
  for (const EarlyEnd& end : early.ends) {
    session.out << "    " << Escaped(EarlyEndName(end)) << ": " << Escaped(EarlyEndPhrase(end)) << '\n';
  }
}

Json EarlyRunJson(const std::optional<EarlyRun>& early) {
  if (!early) return {};
  Json json;
  json["run_id"] = early->run.run_id;
  json["tests"] = Json::array();
  for (const EarlyEnd& end : early->ends) {
    json["tests"].push_back({{"name", EarlyEndName(end)}, {"program", end.program}, {"what", EarlyEndPhrase(end)}});
  }
  return json;
}

}  // namespace flaky
