// SPDX-License-Identifier: MIT
#include "spool/journal_parser.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "spool/journal_fields.h"
#include "spool/journal_header.h"
#include "spool/journal_json.h"

namespace flaky {
namespace {

// NOLINTNEXTLINE(google-build-using-namespace): the fields of the lines
using namespace journal_fields;

constexpr std::string_view kDied = R"({"died":)";

JournalFailure ReadFailure(const dom::object& object) {
  JournalFailure failure;
  if (const auto at = Find(object, "at_us")) failure.at_us = Micros(*at, "at_us");
  failure.file = FindText(object, "file").value_or("");
  if (const auto line = Find(object, "line")) failure.line = LineNumber(*line);
  auto skip = FindText(object, "skip_message");
  failure.is_skip = skip.has_value();
  failure.message = skip ? std::move(*skip) : FindText(object, "message").value_or("");
  return failure;
}

struct OutcomeName {
  std::string_view name;
  JournalOutcome outcome;
};
constexpr OutcomeName kOutcomes[] = {
    {"passed", JournalOutcome::kPassed},  {"failed", JournalOutcome::kFailed}, {"skipped", JournalOutcome::kSkipped},
    {"not_run", JournalOutcome::kNotRun}, {"exited", JournalOutcome::kExited},
};

JournalOutcome OutcomeNamed(std::string_view name) {
  for (const OutcomeName& known : kOutcomes) {
    if (known.name == name) return known.outcome;
  }
  throw BadLine{"has an unknown outcome"};
}

// Reads the lines after the header into a journal.
class JournalLineReader {
 public:
  JournalLineReader(Journal& journal, std::optional<int64_t> shuffle_seed)
      : journal_(journal), shuffle_seed_(shuffle_seed) {}

  // `cut`: this is the last line and it is incomplete, so what is missing at its end is not damage.
  void Read(dom::element line, bool cut) {
    if (dom::array result; !line.get(result)) return ReadResult(result, cut);
    if (dom::object object; !line.get(object)) return ReadObject(object);
    throw BadLine{"is neither a result nor an object"};
  }

 private:
  void ReadResult(const dom::array& line, bool cut) {
    JournalResult result;
    result.file = file_;
    result.iteration = iteration_;
    result.shuffle_seed = shuffle_seed_;
    auto it = line.begin();
    const auto end = line.end();
    if (!(it != end)) throw BadLine{"is an empty result"};
    result.name = Text(*it, "a test's name");
    if (result.name.empty()) throw BadLine{"is a result without a name"};
    ++it;
    if (it != end) {
      result.line = LineNumber(*it);
      ++it;
    }
    if (it != end) {
      result.start_us = Micros(*it, "a test's start");
      ++it;
    } else if (!cut) {
      throw BadLine{"is a result without a start"};
    } else {
      result.start_us = journal_.last_us;
    }
    Reach(result.start_us);
    int64_t known_until = result.start_us;
    for (dom::object failure; it != end && !(*it).get(failure); ++it) {
      result.failures.push_back(ReadFailure(failure));
      known_until = std::max(known_until, result.failures.back().at_us);
    }
    Reach(known_until);
    result.duration_us = known_until - result.start_us;
    if (it != end) ReadOutcome(result, it, end, cut);
    journal_.results.push_back(std::move(result));
  }

  void ReadOutcome(JournalResult& result, dom::array::iterator it, const dom::array::iterator& end, bool cut) {
    result.outcome = OutcomeNamed(Text(*it, "an outcome"));
    ++it;
    if (it != end) {
      result.duration_us = Micros(*it, "a duration");
      Reach(std::min(result.start_us, Timestamp::kMax.micros - result.duration_us) + result.duration_us);
      ++it;
    } else if (!cut) {
      throw BadLine{"is a result without a duration"};
    }
    if (it != end && result.outcome == JournalOutcome::kExited) result.exit_status = Integer(*it, "an exit status");
  }

  void ReadObject(const dom::object& line) {
    if (const auto failure = Find(line, "failure")) {
      dom::object object;
      if (failure->get(object)) throw BadLine{"has a failure that is not an object"};
      journal_.suite_failures.push_back(
          {FindText(line, "suite").value_or(""), shuffle_seed_, journal_.results.size(), ReadFailure(object)});
      Reach(journal_.suite_failures.back().failure.at_us);
    } else if (auto file = FindText(line, "file")) {
      file_ = std::move(*file);
    } else if (const auto iteration = FindInteger(line, "iteration")) {
      iteration_ = *iteration;
      shuffle_seed_ = FindInteger(line, "shuffle_seed");
    } else if (auto lost = FindText(line, "lost")) {
      journal_.lost = std::move(lost);
    } else if (const auto died = Find(line, "died")) {
      dom::object how;
      if (died->get(how)) throw BadLine{"has a death that is not an object"};
      ReadDeath(how);
    } else if (const auto delivered = Find(line, "delivered")) {
      dom::object part;
      if (delivered->get(part)) throw BadLine{"has a delivery that is not an object"};
      ReadDelivery(part);
    } else if (const auto end = Find(line, "end_us")) {
      journal_.end_us = Micros(*end, "end_us");
      Reach(*journal_.end_us);
      bool passed = false;
      if (const auto said = Find(line, "passed"); said && !said->get(passed)) journal_.said_passed = passed;
    }
  }

  // Several processes may have observed the death. Each wrote what it knew.
  void ReadDeath(const dom::object& how) {
    JournalDeath& died = journal_.died ? *journal_.died : journal_.died.emplace();
    if (auto signal = FindText(how, "signal")) died.signal = std::move(signal);
    if (const auto code = FindInteger(how, "exit_code")) died.exit_code = code;
    if (const auto limit = Find(how, "time_limit_us")) died.time_limit_us = Micros(*limit, "time_limit_us");
    bool out_of_memory = false;
    if (const auto kills = Find(how, "out_of_memory"); kills && !kills->get(out_of_memory)) {
      died.out_of_memory |= out_of_memory;
    }
    const auto at = Find(how, "at_us");
    if (!at || died.at_us) return;
    died.at_us = Micros(*at, "at_us");
    Reach(*died.at_us);
    if (journal_.results.empty()) return;
    JournalResult& open = journal_.results.back();
    if (open.outcome == JournalOutcome::kUnfinished) {
      open.duration_us = std::max(open.duration_us, *died.at_us - open.start_us);
    }
  }

  void ReadDelivery(const dom::object& part) {
    JournalDelivery delivery{FindText(part, "part_id").value_or(""), FindInteger(part, "tests").value_or(0)};
    if (const auto failed = Find(part, "failed"); failed && failed->get(delivery.failed)) {
      throw BadLine{"failed is not true or false"};
    }
    journal_.deliveries.push_back(std::move(delivery));
  }

  void Reach(int64_t us) { journal_.last_us = std::max(journal_.last_us, us); }

  Journal& journal_;
  std::optional<int64_t> shuffle_seed_;
  std::string file_;
  int64_t iteration_ = 0;
};

// Returns a result line without its last element, which was cut: all before the last comma that separates elements.
std::string_view WithoutLastElement(std::string_view line) {
  size_t comma = 0;
  int depth = 0;
  bool in_text = false;
  for (size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    if (in_text) {
      if (c == '\\') ++i;
      if (c == '"') in_text = false;
    } else if (c == '"') {
      in_text = true;
    } else if (c == '[' || c == '{') {
      ++depth;
    } else if (c == ']' || c == '}') {
      --depth;
    } else if (c == ',' && depth == 1) {
      comma = i;
    }
  }
  return line.substr(0, comma);
}

// Reads a line that a process did not complete because it died. Reads as much as makes sense and ignores the rest.
void ReadCutLine(std::string_view line, JournalJson& json, JournalLineReader& reader) {
  const bool is_result = !line.empty() && line.front() == '[';
  const auto attempt = [&](const std::string& text) {
    const auto value = json.ParseCopy(text);
    if (!value) return false;
    try {
      reader.Read(*value, /*cut=*/true);
      return true;
    } catch (const BadLine&) {
      return false;
    }
  };
  std::string text = MakeStorable(line);
  if (attempt(text)) return;
  if (!is_result || attempt(text + ']')) return;
  text.resize(WithoutLastElement(text).size());
  attempt(text + ']');
}

}  // namespace

Journal ParseJournal(std::string_view bytes) {
  JournalJson json(bytes);
  HeaderAndRest parsed = ParseHeaderAndRest(bytes, json);
  JournalLineReader reader(parsed.journal, parsed.shuffle_seed);
  int64_t number = 2;
  for (std::string_view rest = parsed.rest; !rest.empty(); ++number) {
    const size_t end = rest.find('\n');
    if (end == std::string_view::npos) {
      ReadCutLine(rest, json, reader);
      break;
    }
    try {
      const auto value = json.Parse(rest.substr(0, end));
      if (!value && rest.substr(end + 1).starts_with(kDied)) {
        ReadCutLine(rest.substr(0, end), json, reader);  // its parent wrote the next line
      } else if (!value) {
        throw BadLine{"is not JSON"};
      } else {
        reader.Read(*value, /*cut=*/false);
      }
    } catch (const BadLine& bad) {
      throw JournalError(JournalError::Kind::kDamaged, "line " + std::to_string(number) + " " + bad.what);
    }
    rest.remove_prefix(end + 1);
  }
  return std::move(parsed.journal);
}

bool EndsWithEndLine(std::string_view tail) {
  if (tail.empty() || tail.back() != '\n') return false;
  tail.remove_suffix(1);
  const size_t start = tail.rfind('\n');
  return start != std::string_view::npos && tail.substr(start + 1).starts_with(R"({"end_us":)");
}

}  // namespace flaky
