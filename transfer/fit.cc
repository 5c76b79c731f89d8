#include "transfer/fit.h"

#include <algorithm>
#include <optional>

#include "history/fields.h"
#include "history/text.h"
#include "stores/record_check.h"

namespace flaky {
namespace {

constexpr std::string_view kIdentifiers[] = {"run_id", "project", "part_id", "test_file", "test_name", "roster_id"};

bool IsIdentifier(std::string_view column) { return std::ranges::find(kIdentifiers, column) != std::end(kIdentifiers); }

// The texts of a row, by column.
struct RowTexts {
  struct Text {
    std::string_view column;
    std::string* value;
  };
  std::vector<Text> texts;
  size_t bytes = 0;

  void operator()(std::string_view column, std::string& value) {
    texts.push_back({column, &value});
    bytes += value.size();
  }
  void operator()(std::string_view column, std::optional<std::string>& value) {
    if (value) (*this)(column, *value);
  }
  template <typename T>
  void operator()(std::string_view, const T&) {}
};

class Fitter {
 public:
  Fitter(RunRecord& record, const StoreLimits& limits, const std::string& store)
      : record_(record), limits_(limits), store_(store) {}

  std::vector<Cut> Run() {
    VisitRun(record_.run, Begin(0));
    FitRow("runs");
    // The rows of the other tables hold the run's id, too.
    for (Part& part : record_.parts) {
      VisitPart(part, Begin(record_.run.run_id.size()));
      FitRow("parts");
    }
    for (Failure& failure : record_.failures) {
      VisitFailure(failure, Begin(record_.run.run_id.size()));
      FitRow("failures");
    }
    LeaveOutRosters();
    CheckRowSizes(record_, limits_.row_bytes, store_);
    return std::move(cuts_);
  }

 private:
  RowTexts& Begin(size_t bytes_beside) {
    row_.texts.clear();
    row_.bytes = bytes_beside;
    return row_;
  }

  // Cuts what may be cut until the row fits.
  void FitRow(std::string_view table) {
    while (row_.bytes > limits_.row_bytes) {
      const auto longest = std::ranges::max_element(row_.texts, {}, [](const RowTexts::Text& text) {
        return IsIdentifier(text.column) ? 0 : text.value->size();
      });
      if (IsIdentifier(longest->column) || longest->value->size() <= kMaxCutNote) return;  // CheckRowSizes refuses it
      std::string& text = *longest->value;
      const size_t size = text.size();
      const size_t too_many = row_.bytes - limits_.row_bytes + kMaxCutNote;
      text = CutTo(text, size > too_many ? size - too_many : 0);
      row_.bytes -= size - text.size();
      const size_t kept = text.rfind('\n');  // where the note begins
      Note(table, longest->column, size - kept);
    }
  }

  void LeaveOutRosters() {
    for (const RosterPtr& roster : record_.rosters) {
      if (!IsTooLarge(*roster)) continue;
      Note("rosters", "tests", roster->tests.size());
      for (Part& part : record_.parts) {
        if (part.roster_id == roster->roster_id) part.roster_id.reset();
      }
    }
    std::erase_if(record_.rosters, [&](const RosterPtr& roster) { return IsTooLarge(*roster); });
  }
  bool IsTooLarge(const Roster& roster) const {
    return roster.roster_id.size() + roster.tests.size() > limits_.row_bytes;
  }

  void Note(std::string_view table, std::string_view column, size_t bytes) {
    const std::string name = std::string(table) + '.' + std::string(column);
    auto cut = std::ranges::find(cuts_, name, &Cut::column);
    if (cut == cuts_.end()) cut = cuts_.insert(cut, Cut{name, 0});
    cut->bytes += static_cast<int64_t>(bytes);
  }

  RunRecord& record_;
  const StoreLimits& limits_;
  const std::string& store_;
  RowTexts row_;
  std::vector<Cut> cuts_;
};

}  // namespace

std::vector<Cut> Fit(RunRecord& record, const StoreLimits& limits, const std::string& store) {
  if (limits.row_bytes == StoreLimits().row_bytes) return {};
  return Fitter(record, limits, store).Run();
}

std::string CutPhrase(const std::vector<Cut>& cuts) {
  std::string phrase;
  for (const Cut& cut : cuts) {
    phrase += (phrase.empty() ? "" : ", ") + cut.column + " by " + std::to_string(cut.bytes) + " bytes";
  }
  return phrase;
}

}  // namespace flaky
