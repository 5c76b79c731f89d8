// SPDX-License-Identifier: MIT
#include "formats/results_parser.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <utility>

#include "history/digest.h"
#include "stores/conversion.h"

namespace flaky {
namespace {

namespace dom = simdjson::dom;
using Unknown = std::function<void(const std::string&)>;

constexpr double kMostMillis = 1e12;  // thirty years

std::string Quoted(std::string_view text) { return ShownText(text); }

[[noreturn]] void RefuseField(std::string_view name, std::string_view wanted) {
  throw BadResultsLine{"has an invalid " + std::string(name) + "; expected " + std::string(wanted)};
}

bool HasNul(std::string_view text) { return text.find('\0') != text.npos; }

std::string_view TextOf(std::string_view name, dom::element value) {
  std::string_view text;
  if (value.get(text)) RefuseField(name, "a text");
  return text;
}

// A script may write an empty text for something that it does not know.
void Take(std::string_view name, dom::element value, std::optional<std::string>& field) {
  const std::string_view text = TextOf(name, value);
  // What a test printed may have a NUL; the copy converts it.
  if (HasNul(text) && name != "message" && name != "stack") RefuseField(name, "a text without NUL");
  if (!text.empty()) field = text;
}
void Take(std::string_view name, dom::element value, std::string& field) {
  const std::string_view text = TextOf(name, value);
  if (text.empty() || HasNul(text)) RefuseField(name, "a text that is not empty");
  field = text;
}
void Take(std::string_view name, dom::element value, std::optional<int64_t>& field) {
  int64_t number = 0;
  double real = 0;
  if (!value.get(number)) {
    field = number;
  } else if (value.is_double() && !value.get(real) && std::floor(real) == real && std::abs(real) < 9e15) {
    field = static_cast<int64_t>(real);  // 12.0
  } else {
    RefuseField(name, "a whole number of 64 bits");
  }
}
void Take(std::string_view name, dom::element value, std::optional<bool>& field) {
  bool flag = false;
  if (value.get(flag)) RefuseField(name, "true or false");
  field = flag;
}
// Without a zone, it would not be known which moment is meant.
bool HasZone(std::string_view text) {
  return text.ends_with('Z') || text.ends_with('z') || text.find_last_of("+-") > text.find(':');
}
void Take(std::string_view name, dom::element value, std::optional<Timestamp>& field) {
  std::string_view text;
  if (!value.get(text) && HasZone(text)) field = Timestamp::Parse(text);
  if (!field) RefuseField(name, "a time with its offset, 2026-03-02T01:30:18.354Z or 2026-03-02T02:30:18+01:00");
}
void Take(std::string_view name, dom::element value, std::optional<ResultDuration>& field) {
  double millis = 0;
  if (value.get(millis) || !(millis >= 0 && millis <= kMostMillis)) {
    RefuseField(name, "a number of milliseconds");
  }
  field = ResultDuration{std::llround(millis * 1000)};
}
void Take(std::string_view name, dom::element value, ResultOutcome& field) {
  std::string_view text;
  if (!value.get(text)) {
    for (const ResultOutcome outcome : {ResultOutcome::kPassed, ResultOutcome::kFailed, ResultOutcome::kCrashed,
                                        ResultOutcome::kTimedOut, ResultOutcome::kSkipped}) {
      if (text == WordFor(outcome)) {
        field = outcome;
        return;
      }
    }
  }
  RefuseField(name, "passed, failed, crashed, timeout or skipped");
}

// A visitor that fills the one field of that name, if there is one.
template <typename TakeList>
struct FieldOf {
  std::string_view name;
  dom::element value;
  TakeList& take_list;
  uint64_t& seen;  // one bit for each field
  uint64_t bit = 1;
  bool found = false;

  template <typename T>
  void operator()(std::string_view field_name, T& field) {
    if (!found && field_name == name) {
      found = true;
      if ((seen & bit) != 0) throw BadResultsLine{"has the field " + Quoted(name) + " twice"};
      seen |= bit;
      if (!value.is_null()) Fill(field);
    }
    bit <<= 1;
  }

 private:
  template <typename T>
  void Fill(std::vector<T>& field) {
    dom::array list;
    if (value.get(list)) RefuseField(name, "a list");
    field.reserve(list.size());
    for (const dom::element item : list) take_list(name, item, field);
  }
  template <typename T>
  void Fill(T& field) {
    Take(name, value, field);
  }
};

constexpr uint64_t kNameAndOutcome = 3;  // the first two bits of VisitResult

void TakeName(std::string_view list, dom::element item, std::vector<std::string>& names) {
  std::string_view name;
  if (item.get(name) || name.find('.') == name.npos || HasNul(name)) {
    RefuseField(list, "a list of names, Suite.Test");
  }
  names.emplace_back(name);
}

void TakeResult(dom::element item, std::vector<Result>& results, const Unknown& unknown) {
  Result& result = results.emplace_back();
  const auto refuse = [&](const std::string& what) {
    throw BadResultsLine{"has an invalid result (number " + std::to_string(results.size()) +
                         " of its results): " + what};
  };
  dom::object object;
  if (item.get(object)) refuse("expected an object");
  uint64_t seen = 0;
  auto no_lists = [](std::string_view, dom::element, auto&) {};
  try {
    for (const auto [name, value] : object) {
      FieldOf<decltype(no_lists)> field{name, value, no_lists, seen};
      VisitResult(result, field);
      if (!field.found) unknown("field " + Quoted(name) + " of a result");
    }
  } catch (const BadResultsLine& bad) {
    refuse("it " + bad.what);
  }
  if ((seen & kNameAndOutcome) != kNameAndOutcome || result.name.empty()) refuse("expected a name and an outcome");
  if (result.name.find('.') == std::string::npos && !result.IsFailure()) {
    refuse("its name is " + Quoted(result.name) + "; expected Suite.Test");
  }
}

// Appends the content without what does not matter: the order of the fields, blanks, escapes, and fields that are null.
void AppendContent(std::string& bytes, dom::element json) {
  const auto add_size = [&](size_t size) { bytes.append(reinterpret_cast<const char*>(&size), sizeof size); };
  const auto add_text = [&](std::string_view text) {
    add_size(text.size());
    bytes += text;
  };
  dom::object object;
  dom::array array;
  std::string_view text;
  if (!json.get(object)) {
    std::vector<std::pair<std::string_view, dom::element>> fields;
    for (const auto [name, value] : object) {
      if (!value.is_null()) fields.emplace_back(name, value);
    }
    std::ranges::stable_sort(fields, {}, &std::pair<std::string_view, dom::element>::first);
    bytes += '{';
    add_size(fields.size());
    for (const auto& [name, value] : fields) {
      add_text(name);
      AppendContent(bytes, value);
    }
  } else if (!json.get(array)) {
    bytes += '[';
    add_size(array.size());
    for (const dom::element item : array) AppendContent(bytes, item);
  } else if (!json.get(text)) {
    bytes += '"';
    add_text(text);
  } else {
    bytes += '=';
    add_text(simdjson::minify(json));
  }
}

}  // namespace

ResultsLine ParseResultsLine(dom::element json, const Unknown& unknown) {
  dom::object object;
  if (json.get(object)) throw BadResultsLine{"is not a JSON object"};
  ResultsLine line;
  uint64_t seen = 0;
  const auto take_item = [&](std::string_view list, dom::element item, auto& items) {
    if constexpr (std::is_same_v<decltype(items), std::vector<Result>&>) {
      TakeResult(item, items, unknown);
    } else {
      TakeName(list, item, items);
    }
  };
  for (const auto [name, value] : object) {
    FieldOf<decltype(take_item)> field{name, value, take_item, seen};
    VisitResultsLine(line, field);
    if (!field.found) unknown("field " + Quoted(name));
  }
  if (line.run_id.empty()) throw BadResultsLine{"has no run_id"};
  if (!line.started_at) throw BadResultsLine{"has no started_at"};
  if (line.ended_at && *line.ended_at < *line.started_at) {
    throw BadResultsLine{"has an ended_at before its started_at"};
  }
  if (!line.part_id) {
    std::string content;
    AppendContent(content, json);
    line.part_id = DigestOf(std::string_view(content)).ToString();
  }
  return line;
}

}  // namespace flaky
