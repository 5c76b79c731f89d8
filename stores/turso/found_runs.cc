// SPDX-License-Identifier: MIT
#include "stores/turso/found_runs.h"

#include <algorithm>
#include <utility>

#include "history/fields.h"
#include "stores/turso/columns.h"

namespace flaky::turso {
namespace {

constexpr std::string_view kReadRuns = "read runs";

size_t StartedAtColumn() {
  static const auto column = std::ranges::find(Columns().runs, "started_at") - Columns().runs.begin();
  return static_cast<size_t>(column);
}

// Keeps copies of the values' texts, so that the answer, which is mostly long texts of failures, can be freed.
void KeepValues(std::span<const HranaValue> row, StoredRun& run) {
  size_t bytes = 0;
  for (const HranaValue& value : row) bytes += value.text.size();
  const auto texts = std::make_shared<std::string>();
  texts->reserve(bytes);
  run.values.assign(row.begin(), row.end());
  for (HranaValue& value : run.values) {
    const size_t begin = texts->size();
    texts->append(value.text);
    value.text = {texts->data() + begin, value.text.size()};
  }
  run.texts = texts;
}

}  // namespace

size_t FoundRuns::bytes() const {
  size_t bytes = 0;
  for (const StoredRun& run : runs_) bytes += run.text_bytes;
  return bytes;
}

void FoundRuns::Take(size_t query, std::span<const HranaValue> row) {
  switch (query) {
    case kRuns:
      return TakeRun(row);
    case kFailures:
      return TakeFailure(row);
    case kParts:
      return TakePart(row);
    default:
      return TakeRoster(row);
  }
}

void FoundRuns::TakeRun(std::span<const HranaValue> row) {
  if (runs_.size() == limit_) {
    if (std::exchange(more_, true)) connection_->FailMalformed(kReadRuns);
    return;
  }
  StoredRun& run = runs_.emplace_back();
  RowReader fields({*connection_, row}, "runs", &run.conversions);
  VisitRun(run.record.run, fields);
  run.text_bytes = fields.text_bytes();
  KeepValues(row, run);
  const HranaValue& time = row[StartedAtColumn()];
  if (time.type == HranaValue::Type::kText) run.started_at = time.text;
  places_.emplace(run.record.run.run_id, runs_.size() - 1);
}

StoredRun* FoundRuns::RunOf(std::string_view run_id) {
  if (last_ < runs_.size() && runs_[last_].record.run.run_id == run_id) {
    return &runs_[last_];
  }
  const auto place = places_.find(std::string(run_id));
  if (place == places_.end()) return nullptr;
  last_ = place->second;
  return &runs_[last_];
}

void FoundRuns::TakeFailure(std::span<const HranaValue> row) {
  StoredRun* run = RunOf(row[Columns().failures.size() + 1].text);
  if (run == nullptr) return;
  RowReader fields({*connection_, row}, "failures", &run->conversions);
  VisitFailure(run->record.failures.emplace_back(), fields);
  fields("id", run->failure_ids.emplace_back());
  run->text_bytes += fields.text_bytes();
}

void FoundRuns::TakePart(std::span<const HranaValue> row) {
  StoredRun* run = RunOf(row[Columns().parts.size()].text);
  if (run == nullptr) return;
  RowReader fields({*connection_, row}, "parts", &run->conversions);
  VisitPart(run->record.parts.emplace_back(), fields);
  run->text_bytes += fields.text_bytes();
}

void FoundRuns::TakeRoster(std::span<const HranaValue> row) {
  Roster roster;
  RowReader fields({*connection_, row}, "rosters");
  fields("roster_id", roster.roster_id);
  fields("tests", roster.tests);
  rosters_->Add(std::move(roster));
}

void FoundRuns::GiveRosters() {
  for (StoredRun& run : runs_) {
    std::vector<RosterPtr>& own = run.record.rosters;
    for (Part& part : run.record.parts) {
      if (!part.roster_id) continue;
      if (!rosters_->Give(*part.roster_id, own)) {
        ReportRosterLeftOut(&run.conversions, *part.roster_id);
        part.roster_id.reset();
      }
    }
    for (const RosterPtr& roster : own) {
      constexpr long kHereAndInTheCache = 2;
      if (roster.use_count() == kHereAndInTheCache) run.text_bytes += roster->tests.size();
    }
  }
  rosters_->Trim();
}

}  // namespace flaky::turso
