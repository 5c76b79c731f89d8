#include "tests/contract/contract.h"

#include <algorithm>

#include "history/fields.h"

namespace flaky {
namespace {

// Collects the fields as text, to find the one that differs.
struct Lister {
  std::vector<std::pair<std::string, std::string>> fields;

  void operator()(std::string_view name, const std::string& value) { Add(name, "'" + value.substr(0, 100) + "'"); }
  void operator()(std::string_view name, const Timestamp& value) { Add(name, value.ToString()); }
  void operator()(std::string_view name, const int64_t& value) { Add(name, std::to_string(value)); }
  void operator()(std::string_view name, const bool& value) { Add(name, value ? "true" : "false"); }
  template <typename T>
  void operator()(std::string_view name, const std::optional<T>& value) {
    value ? (*this)(name, *value) : Add(name, "absent");
  }
  void Add(std::string_view name, std::string value) { fields.emplace_back(name, std::move(value)); }
};

std::string Difference(const RunRecord& read, const RunRecord& written) {
  Lister a, b;
  VisitRun(read.run, a);
  VisitRun(written.run, b);
  for (size_t i = 0; i < a.fields.size(); ++i) {
    if (a.fields[i] != b.fields[i]) {
      return a.fields[i].first + " is " + a.fields[i].second + ", was written as " + b.fields[i].second;
    }
  }
  return "parts " + std::to_string(read.parts.size()) + " against " + std::to_string(written.parts.size()) +
         ", failures " + std::to_string(read.failures.size()) + " against " + std::to_string(written.failures.size());
}

std::vector<std::string> RosterTexts(const RunRecord& record) {
  std::vector<std::string> texts;
  for (const RosterPtr& roster : record.rosters) texts.push_back(roster->roster_id + roster->tests);
  std::sort(texts.begin(), texts.end());
  return texts;
}

}  // namespace

testing::AssertionResult SameRecord(const RunRecord& read, const RunRecord& written) {
  if (read.run != written.run || DigestOf(read) != DigestOf(written)) {
    return testing::AssertionFailure() << "run '" << written.run.run_id << "': " << Difference(read, written);
  }
  if (RosterTexts(read) != RosterTexts(written)) {
    return testing::AssertionFailure() << "run '" << written.run.run_id << "': other rosters";
  }
  return testing::AssertionSuccess();
}

}  // namespace flaky
