#include "transfer/journal.h"

#include <simdjson.h>

#include <algorithm>
#include <array>

#include "history/text.h"

namespace flaky {
namespace {

namespace dom = simdjson::dom;

constexpr int64_t kVersion = 1;
constexpr int64_t kLastMicros = 253'402'300'799'999'999;  // 9999-12-31T23:59:59.999999Z
constexpr size_t kIdLength = 32;
constexpr std::string_view kDied = R"({"died":)";

// What is wrong with a line, as a phrase. Whoever knows the line's number makes a JournalError of it.
struct BadLine {
  std::string what;
};

// Turns lines into JSON values. A value lives until the next one is parsed.
class JsonReader {
 public:
  // Lines that lie well before `end` are parsed where they are.
  explicit JsonReader(const char* end) : end_(end) {}

  // Absent when the line is no JSON. Bytes that are not UTF-8 are replaced rather than refused: a damaged character in
  // a message must not cost the rest.
  std::optional<dom::element> Parse(std::string_view line) {
    dom::element value;
    const bool copy = static_cast<size_t>(end_ - line.data()) < line.size() + simdjson::SIMDJSON_PADDING;
    auto error = parser_.parse(line.data(), line.size(), copy).get(value);
    if (error == simdjson::UTF8_ERROR) error = parser_.parse(MakeStorable(line)).get(value);
    if (error) return std::nullopt;
    return value;
  }

  std::optional<dom::element> ParseCopy(const std::string& line) {
    dom::element value;
    if (parser_.parse(line).get(value)) return std::nullopt;
    return value;
  }

 private:
  dom::parser parser_;
  const char* end_;
};

std::string Text(dom::element value, std::string_view what) {
  std::string_view text;
  if (value.get(text)) throw BadLine{std::string(what) + " is not a text"};
  return MakeStorable(text);
}

int64_t Integer(dom::element value, std::string_view what) {
  int64_t number = 0;
  if (value.get(number)) throw BadLine{std::string(what) + " is not a whole number"};
  return number;
}

int64_t Micros(dom::element value, std::string_view what) {
  return std::clamp<int64_t>(Integer(value, what), 0, kLastMicros);
}

// GoogleTest gives -1 where it knows no line.
std::optional<int64_t> LineNumber(dom::element value) {
  if (value.is_null()) return std::nullopt;
  const int64_t line = Integer(value, "a line number");
  return line > 0 ? std::optional(line) : std::nullopt;
}

// A field that may be missing; null counts as missing.
std::optional<dom::element> Find(const dom::object& object, std::string_view key) {
  dom::element value;
  if (object.at_key(key).get(value) || value.is_null()) return std::nullopt;
  return value;
}

std::optional<std::string> FindText(const dom::object& object, std::string_view key) {
  const auto value = Find(object, key);
  return value ? std::optional(Text(*value, key)) : std::nullopt;
}

std::optional<int64_t> FindInteger(const dom::object& object, std::string_view key) {
  const auto value = Find(object, key);
  return value ? std::optional(Integer(*value, key)) : std::nullopt;
}

// For numbers that are only ever compared, such as inodes: written as a number or as a text, they are the same.
std::string FindToken(const dom::object& object, std::string_view key) {
  const auto value = Find(object, key);
  if (!value) return {};
  if (uint64_t number = 0; !value->get(number)) return std::to_string(number);
  return Text(*value, key);
}

std::string Id(const dom::object& object, std::string_view key) {
  std::string id = FindText(object, key).value_or("");
  const bool hexadecimal =
      std::ranges::all_of(id, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
  if (id.size() != kIdLength || !hexadecimal) throw BadLine{std::string(key) + " is not 32 hexadecimal digits"};
  return id;
}

std::optional<std::string> Shard(const dom::object& header) {
  const auto value = Find(header, "shard");
  dom::array pair;
  if (!value || value->get(pair) || pair.size() != 2) return std::nullopt;
  return std::to_string(Integer(pair.at(0), "shard")) + "/" + std::to_string(Integer(pair.at(1), "shard"));
}

void ReadBazel(const dom::object& header, Journal& journal) {
  journal.bazel_target = FindText(header, "bazel_target").value_or("");
  journal.bazel_execroot = FindText(header, "bazel_execroot").value_or("");
  journal.bazel_command_ns = FindInteger(header, "bazel_command_ns");
  journal.time_limit_s = FindInteger(header, "time_limit_s");
}

std::string OutputBaseOf(const std::string& execroot) {
  const size_t at = execroot.rfind("/execroot/");
  return at == std::string::npos ? "" : execroot.substr(0, at);
}

Journal ReadHeader(dom::element line) {
  dom::object header;
  if (line.get(header)) throw BadLine{"is not a journal's header"};
  const auto version = FindInteger(header, "flaky_journal");
  if (!version) throw BadLine{"is not a journal's header: it has no flaky_journal"};
  if (*version > kVersion) {
    throw JournalError(JournalError::Kind::kNewer, "the journal has version " + std::to_string(*version) +
                                                       " of the format, this program reads up to " +
                                                       std::to_string(kVersion) + ": a newer flaky will deliver it");
  }
  Journal journal;
  journal.journal_id = Id(header, "journal_id");
  journal.process_run_id = Id(header, "process_run_id");
  if (const auto command = Find(header, "command"); command && command->get(journal.is_command)) {
    throw BadLine{"command is not true or false"};
  }
  journal.run_id = FindText(header, "run_id");
  if (journal.run_id && journal.run_id->empty()) journal.run_id.reset();
  journal.project = FindText(header, "project");
  ReadBazel(header, journal);
  journal.writer = {FindInteger(header, "pid").value_or(0),
                    FindToken(header, "pid_seen"),
                    FindToken(header, "boot_id"),
                    FindToken(header, "host"),
                    FindToken(header, "pid_ns"),
                    OutputBaseOf(journal.bazel_execroot)};
  journal.parent = journal.writer;
  journal.parent.pid = FindInteger(header, "parent_pid").value_or(0);
  journal.parent.pid_start = FindToken(header, "parent_start");
  journal.parent_name = FindText(header, "parent_name").value_or("");
  journal.fixture = FindText(header, "fixture").value_or("");
  journal.variant = FindText(header, "variant");
  journal.shard = Shard(header);
  const auto started = Find(header, "started_us");
  if (!started) throw BadLine{"has no started_us"};
  journal.started_at.micros = Micros(*started, "started_us");
  journal.cwd = FindText(header, "cwd").value_or("");
  if (const auto args = Find(header, "args")) {
    dom::array list;
    if (args->get(list)) throw BadLine{"args is not a list"};
    for (const dom::element arg : list) journal.args.push_back(Text(arg, "an element of args"));
  }
  journal.compiler = FindText(header, "compiler").value_or("");
  journal.system = FindText(header, "system").value_or("");
  journal.tests_to_run = FindInteger(header, "tests_to_run").value_or(0);
  return journal;
}

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

// Reads the lines behind the header into a journal.
class LineReader {
 public:
  explicit LineReader(Journal& journal) : journal_(journal) {}

  void SetShuffleSeed(std::optional<int64_t> seed) { shuffle_seed_ = seed; }

  // `cut`: the line is the last one and was not completed, so what is missing at its end is no damage.
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
      Reach(std::min(result.start_us, kLastMicros - result.duration_us) + result.duration_us);
      ++it;
    } else if (!cut) {
      throw BadLine{"is a result without a duration"};
    }
    if (it != end && result.outcome == JournalOutcome::kExited) result.exit_status = Integer(*it, "an exit status");
  }

  void ReadObject(const dom::object& line) {
    if (const auto failure = Find(line, "failure")) {
      dom::object object;
      if (failure->get(object)) throw BadLine{"has a failure that is no object"};
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
      if (died->get(how)) throw BadLine{"has a death that is no object"};
      ReadDeath(how);
    } else if (const auto end = Find(line, "end_us")) {
      journal_.end_us = Micros(*end, "end_us");
      Reach(*journal_.end_us);
      bool passed = false;
      if (const auto said = Find(line, "passed"); said && !said->get(passed)) journal_.said_passed = passed;
    }
  }

  // Several may have seen something of it, and each wrote what it knew.
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

  void Reach(int64_t us) { journal_.last_us = std::max(journal_.last_us, us); }

  Journal& journal_;
  std::string file_;
  int64_t iteration_ = 0;
  std::optional<int64_t> shuffle_seed_;
};

// The result line without its last element, which was cut: all before the last comma that separates elements.
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

// Reads what a process left when it died within a line, as far as it makes sense; a rest without a sense is as if it
// were not there.
void ReadCutLine(std::string_view line, JsonReader& json, LineReader& reader) {
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

struct HeaderLine {
  std::string_view line;
  std::string_view rest;
  bool complete;
};

HeaderLine SplitHeader(std::string_view bytes) {
  const size_t end = bytes.find('\n');
  if (end == std::string_view::npos) return {bytes, {}, false};
  return {bytes.substr(0, end), bytes.substr(end + 1), true};
}

Journal ParseHeaderLine(const HeaderLine& header, JsonReader& json, std::optional<int64_t>& shuffle_seed) {
  const auto value = json.Parse(header.line);
  if (!value && !header.complete) throw JournalError(JournalError::Kind::kEmpty, "the journal has no whole header");
  try {
    if (!value) throw BadLine{"is no JSON"};
    Journal journal = ReadHeader(*value);
    if (dom::object object; !value->get(object)) shuffle_seed = FindInteger(object, "shuffle_seed");
    return journal;
  } catch (const BadLine& bad) {
    throw JournalError(JournalError::Kind::kDamaged, "line 1 " + bad.what);
  }
}

std::string_view UpToNul(std::string_view bytes) { return bytes.substr(0, bytes.find('\0')); }

}  // namespace

Timestamp Journal::At(int64_t us) const {
  return {started_at.micros + std::clamp<int64_t>(us, 0, kLastMicros - started_at.micros)};
}

Journal ParseJournalHeader(std::string_view bytes) {
  JsonReader json(bytes.data() + bytes.size());
  std::optional<int64_t> seed;
  return ParseHeaderLine(SplitHeader(UpToNul(bytes)), json, seed);
}

Journal ParseJournal(std::string_view bytes) {
  JsonReader json(bytes.data() + bytes.size());
  const HeaderLine header = SplitHeader(UpToNul(bytes));
  std::optional<int64_t> seed;
  Journal journal = ParseHeaderLine(header, json, seed);
  LineReader reader(journal);
  reader.SetShuffleSeed(seed);
  int64_t number = 2;
  for (std::string_view rest = header.rest; !rest.empty(); ++number) {
    const size_t end = rest.find('\n');
    if (end == std::string_view::npos) {
      ReadCutLine(rest, json, reader);
      break;
    }
    try {
      const auto value = json.Parse(rest.substr(0, end));
      if (!value && rest.substr(end + 1).starts_with(kDied)) {
        ReadCutLine(rest.substr(0, end), json, reader);  // its parent wrote behind it
      } else if (!value) {
        throw BadLine{"is no JSON"};
      } else {
        reader.Read(*value, /*cut=*/false);
      }
    } catch (const BadLine& bad) {
      throw JournalError(JournalError::Kind::kDamaged, "line " + std::to_string(number) + " " + bad.what);
    }
    rest.remove_prefix(end + 1);
  }
  return journal;
}

bool EndsWithEndLine(std::string_view tail) {
  if (tail.empty() || tail.back() != '\n') return false;
  tail.remove_suffix(1);
  const size_t start = tail.rfind('\n');
  return start != std::string_view::npos && tail.substr(start + 1).starts_with(R"({"end_us":)");
}

}  // namespace flaky
