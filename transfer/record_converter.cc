// SPDX-License-Identifier: MIT
#include "transfer/record_converter.h"

#include <simdjson.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <iterator>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

#include "history/digest.h"
#include "history/fields.h"
#include "history/roster.h"
#include "history/text.h"
#include "stores/record_check.h"

namespace flaky {
namespace {

constexpr size_t kMaxSoundRosters = 10'000;
constexpr size_t kHashDigits = 8;

constexpr std::array<std::string_view, 3> kIds = {"run_id", "part_id", "roster_id"};
constexpr std::array<std::string_view, 5> kNames = {"project", "test_file", "test_name", "preceding_test", "program"};

template <typename Columns>
bool IsIn(const Columns& columns, std::string_view column) {
  return std::ranges::find(columns, column) != columns.end();
}

// Equivalent to IsStorable, but many times faster.
bool FitsEverywhere(std::string_view text) {
  return simdjson::validate_utf8(text.data(), text.size()) &&
         (text.empty() || std::memchr(text.data(), 0, text.size()) == nullptr);
}

std::string StorableId(std::string_view id) {
  return MakeStorable(id) + '~' + DigestOf(id).ToString().substr(0, kHashDigits);
}

// Makes the texts of a row storable, and cuts them until the row fits. Used for one row after another.
class RowFitter {
 public:
  RowFitter(size_t row_bytes, std::vector<Conversion>& conversions)
      : row_bytes_(row_bytes), conversions_(conversions) {}

  // `other_bytes`: the size of what the row holds in addition to the visited fields.
  void Begin(std::string_view table, size_t other_bytes) {
    table_ = table;
    texts_.clear();
    bytes_ = other_bytes;
  }

  void operator()(std::string_view column, std::string& value) {
    if (!FitsEverywhere(value)) {
      value = IsIn(kIds, column) ? StorableId(value) : MakeStorable(value);
      Note(column, Conversion::Kind::kText, 1);
    }
    texts_.push_back({column, &value});
    bytes_ += value.size();
  }
  void operator()(std::string_view column, std::optional<std::string>& value) {
    if (value) (*this)(column, *value);
  }
  template <typename T>
  void operator()(std::string_view, const T&) {}

  void Cut() {
    while (bytes_ > row_bytes_) {
      const auto longest = std::ranges::max_element(texts_, {}, &RowFitter::CutsFirst);
      std::string& text = *longest->value;
      if (CutsFirst(*longest).first == 0 || text.size() <= kMaxCutNote) return;  // CheckRowSizes refuses it
      const size_t size = text.size();
      const size_t too_many = bytes_ - row_bytes_ + kMaxCutNote;
      text = CutTo(text, size > too_many ? size - too_many : 0);
      bytes_ -= size - text.size();
      const size_t kept = text.rfind('\n');  // the note begins here
      Note(longest->column, Conversion::Kind::kCut, size - kept);
    }
  }

 private:
  struct Text {
    std::string_view column;
    std::string* value;
  };

  // The text with the greatest value is cut first: the longest text, then the longest name, never an id.
  static std::pair<int, size_t> CutsFirst(const Text& text) {
    if (IsIn(kIds, text.column)) return {0, 0};
    if (text.value->size() <= kMaxCutNote) return {1, 0};
    return {IsIn(kNames, text.column) ? 2 : 3, text.value->size()};
  }

  void Note(std::string_view column, Conversion::Kind kind, size_t amount) {
    AddConversion(conversions_,
                  {std::string(table_) + '.' + std::string(column), kind, static_cast<int64_t>(amount), {}});
  }

  const size_t row_bytes_;
  std::vector<Conversion>& conversions_;
  std::string_view table_;
  std::vector<Text> texts_;
  size_t bytes_ = 0;
};

// Texts about each test that say nothing if a piece of them is missing.
void LeaveOutLongLists(Part& part, size_t row_bytes, std::vector<Conversion>& conversions) {
  const auto leave_out = [&](const char* column, std::optional<std::string>& text) {
    if (!text || text->size() <= row_bytes / 4) return;
    AddConversion(conversions, {column, Conversion::Kind::kLeftOut, 1, std::to_string(text->size()) + " bytes"});
    text.reset();
  };
  leave_out("parts.executions", part.executions);
  leave_out("parts.durations", part.durations);
}

void KnowWords(RunRecord& record, std::vector<Conversion>& conversions) {
  const auto note = [&](const char* column, const std::string& was, std::string_view now) {
    AddConversion(conversions, {column, Conversion::Kind::kWord, 1, ShownText(was) + " as " + std::string(now)});
  };
  const auto know = [&](const char* column, Account& account) {
    if (!account.status || IsKnownStatus(*account.status)) return;
    note(column, *account.status, "none");
    account.status.reset();
  };
  know("runs.status", record.run.account);
  for (Part& part : record.parts) know("parts.status", part.account);
  for (Failure& failure : record.failures) {
    if (IsKnownFailureKind(failure.failure_kind)) continue;
    note("failures.failure_kind", failure.failure_kind, kUnknown);
    failure.failure_kind = kUnknown;
  }
}

}  // namespace

std::vector<Conversion> RecordConverter::Fit(RunRecord& record) {
  std::vector<Conversion> conversions;
  if (limits_.enforces_enums) KnowWords(record, conversions);
  RowFitter row(limits_.row_bytes, conversions);
  row.Begin("runs", 0);
  VisitRun(record.run, row);
  row.Cut();
  // The rows of the other tables also hold the run's id.
  for (Part& part : record.parts) {
    LeaveOutLongLists(part, limits_.row_bytes, conversions);
    row.Begin("parts", record.run.run_id.size());
    VisitPart(part, row);
    row.Cut();
  }
  for (Failure& failure : record.failures) {
    row.Begin("failures", record.run.run_id.size());
    VisitFailure(failure, row);
    row.Cut();
  }
  FitRosters(record, conversions);
  if (limits_.row_bytes != StoreLimits().row_bytes) CheckRowSizes(record, limits_.row_bytes, store_);
  return conversions;
}

void RecordConverter::FitRosters(RunRecord& record, std::vector<Conversion>& conversions) {
  const auto fits = [&](const RosterPtr& roster) {
    if (roster->roster_id.size() + roster->tests.size() > limits_.row_bytes) return false;
    if (sound_rosters_.contains(roster->roster_id)) return true;
    if (!FitsEverywhere(roster->tests)) return false;
    if (sound_rosters_.size() >= kMaxSoundRosters) sound_rosters_.clear();
    sound_rosters_.insert(roster->roster_id);
    return true;
  };
  const auto leave_out = [&](const RosterPtr& roster) {
    for (Part& part : record.parts) {
      if (part.roster_id != roster->roster_id) continue;
      // The other two say nothing without it.
      part.roster_id.reset();
      part.executions.reset();
      part.durations.reset();
    }
    AddConversion(conversions,
                  {"rosters.tests", Conversion::Kind::kLeftOut, 1, std::to_string(roster->tests.size()) + " bytes"});
  };
  const size_t before = record.rosters.size();
  std::unordered_set<std::string> lists;  // that do not fit
  for (const RosterPtr& roster : record.rosters) {
    if (!IsRosterText(roster->tests) && !fits(roster)) lists.insert(roster->roster_id);
  }
  std::erase_if(record.rosters, [&](const RosterPtr& roster) {
    if (!IsRosterText(roster->tests)) return lists.contains(roster->roster_id);
    const auto is_left_out = [&](const std::string& list) { return lists.contains(list); };
    if (fits(roster) && (lists.empty() || std::ranges::none_of(ListsOf(roster->tests), is_left_out))) return false;
    leave_out(roster);
    return true;
  });
  // A store gives back only the lists that a roster names.
  if (record.rosters.size() != before) KeepNamedRosters(record);
}

std::vector<ConvertedRun> ConvertBatch(RecordConverter& converter, Batch& batch, bool strict) {
  std::unordered_map<std::string, std::vector<Conversion>> on_reading;
  for (ConvertedRun& run : batch.converted) on_reading.emplace(std::move(run.run_id), std::move(run.conversions));
  std::vector<ConvertedRun> converted;
  for (RunRecord& record : batch.records) {
    std::vector<Conversion> conversions;
    if (const auto found = on_reading.find(record.run.run_id); found != on_reading.end()) {
      conversions = std::move(found->second);
    }
    std::ranges::move(converter.Fit(record), std::back_inserter(conversions));
    if (conversions.empty()) continue;
    if (strict) {
      throw StoreError(ErrorKind::kInvalid, converter.store(), "take run '" + record.run.run_id + "' as it is", "",
                       ConversionPhrase(conversions));
    }
    converted.push_back({record.run.run_id, std::move(conversions)});
  }
  batch.converted.clear();
  return converted;
}

std::string ConversionPhrase(const std::vector<Conversion>& conversions) {
  std::string phrase;
  for (const Conversion& conversion : conversions) {
    phrase += (phrase.empty() ? "" : "; ") + conversion.column + ": ";
    switch (conversion.kind) {
      case Conversion::Kind::kCut:
        phrase += "cut by " + std::to_string(conversion.amount) + " bytes";
        continue;
      case Conversion::Kind::kText:
        phrase += "bytes that are not UTF-8, or NUL";
        break;
      case Conversion::Kind::kLeftOut:
        phrase += "left out" + (conversion.example.empty() ? "" : ", " + conversion.example);
        break;
      case Conversion::Kind::kInvalid:
      case Conversion::Kind::kWord:
        phrase += conversion.example;
        break;
    }
    if (conversion.amount > 1) phrase += ", and " + std::to_string(conversion.amount - 1) + " more";
  }
  return phrase;
}

}  // namespace flaky
