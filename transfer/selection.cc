// SPDX-License-Identifier: MIT
#include "transfer/selection.h"

#include <algorithm>
#include <utility>

namespace flaky {

SelectedSource::SelectedSource(Store& store, Selection selection) : store_(store), selection_(std::move(selection)) {
  RunFilter filter{.project = std::nullopt, .since = selection_.since, .until = selection_.until};
  for (const ProjectName& project : selection_.projects) {
    filter.project = project;
    sources_.emplace_back(store, filter);
  }
  if (sources_.empty()) sources_.emplace_back(store, filter);
}

std::optional<Totals> SelectedSource::Expected() {
  Totals all;
  for (StoreSource& source : sources_) {
    const Totals totals = source.Expected().value_or(Totals());
    all.runs += totals.runs;
    all.parts += totals.parts;
    all.failures += totals.failures;
  }
  return all;
}

std::optional<Batch> SelectedSource::Next(const BatchLimits& limits) {
  while (!sources_.empty()) {
    std::optional<Batch> batch = sources_.front().Next(limits);
    if (!batch) {
      sources_.pop_front();
      continue;
    }
    if (selection_.finished_only) {
      // Clang 14 cannot use the subrange that std::ranges::stable_partition of GCC 12's library gives.
      const auto left_out =
          std::stable_partition(batch->records.begin(), batch->records.end(),
                                [](const RunRecord& record) { return record.run.account.ended_at.has_value(); });
      for (auto record = left_out; record != batch->records.end(); ++record) {
        ++unfinished_;
        std::erase_if(batch->converted, [&](const ConvertedRun& run) { return run.run_id == record->run.run_id; });
      }
      batch->records.erase(left_out, batch->records.end());
    }
    for (RunRecord& record : batch->records) {
      const auto renamed = selection_.renamed.find(record.run.project);
      if (renamed != selection_.renamed.end()) record.run.project = renamed->second;
    }
    if (!batch->records.empty()) return batch;
  }
  return std::nullopt;
}

}  // namespace flaky
