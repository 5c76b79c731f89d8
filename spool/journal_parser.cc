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
constexpr size_t kLongestHeader = size_t{1} << 20;
// A result's line that is longer is read element by element.
constexpr size_t kLongLine = size_t{512} << 10;
// Any other line, and one element of a result. A message has at most 16 MiB (FLAKY_TESTS_MAX_MESSAGE).
constexpr size_t kLongestElement = size_t{20} << 20;

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
  JournalLineReader(Journal& journal, FailureBudget& budget, std::optional<int64_t> shuffle_seed)
      : journal_(journal), results_(journal, budget, shuffle_seed) {}

  // `cut`: this is the last line and it is incomplete, so what is missing at its end is not damage.
  void Read(dom::element line, bool cut) {
    if (dom::object object; !line.get(object)) return ReadObject(object);
    dom::array elements;
    if (line.get(elements)) throw BadLine{"is neither a result nor an object"};
    BeginResult();
    for (const dom::element element : elements) TakeElement(element);
    EndResult(cut);
  }

  void BeginResult() {
    result_ = results_.Make();
    next_ = Next::kName;
    known_until_ = 0;
  }
  // Takes the next element of a result's line.
  void TakeElement(dom::element element) {
    switch (next_) {
      case Next::kName:
        result_.name = Text(element, "a test's name");
        if (result_.name.empty()) throw BadLine{"is a result without a name"};
        next_ = Next::kLine;
        return;
      case Next::kLine:
        result_.line = LineNumber(element);
        next_ = Next::kStart;
        return;
      case Next::kStart:
        Start(Micros(element, "a test's start"));
        return;
      case Next::kFailureOrOutcome:
        if (dom::object object; !element.get(object)) return TakeObject(object);
        result_.outcome = OutcomeNamed(Text(element, "an outcome"));
        next_ = Next::kDuration;
        return;
      case Next::kDuration:
        duration_ = Micros(element, "a duration");
        Reach(std::min(result_.start_us, Timestamp::kMax.micros - *duration_) + *duration_);
        next_ = Next::kExitStatus;
        return;
      case Next::kExitStatus:
        if (result_.outcome == JournalOutcome::kExited) result_.exit_status = Integer(element, "an exit status");
        next_ = Next::kOpen;
        return;
      case Next::kOpen:
        result_.called_exit = false;
        return;
    }
  }
  void EndResult(bool cut) {
    if (next_ == Next::kName) throw BadLine{"is an empty result"};
    if (next_ == Next::kLine || next_ == Next::kStart) {
      if (!cut) throw BadLine{"is a result without a start"};
      Start(journal_.last_us);
    }
    if (next_ == Next::kDuration && !cut) throw BadLine{"is a result without a duration"};
    result_.duration_us = duration_.value_or(known_until_ - result_.start_us);
    duration_.reset();
    if (result_.outcome == JournalOutcome::kPassed || result_.outcome == JournalOutcome::kSkipped) {
      result_.parameter = {};
    }
    results_.Add(std::move(result_));
  }

  void Finish() { results_.Finish(); }

 private:
  enum class Next { kName, kLine, kStart, kFailureOrOutcome, kDuration, kExitStatus, kOpen };

  void Start(int64_t us) {
    result_.start_us = us;
    known_until_ = us;
    duration_.reset();
    Reach(us);
    next_ = Next::kFailureOrOutcome;
  }

  void TakeObject(const dom::object& object) {
    if (auto parameter = FindText(object, "parameter")) {
      result_.parameter = std::move(*parameter);
      return;
    }
    JournalFailure failure = ReadFailure(object);
    known_until_ = std::max(known_until_, failure.at_us);
    Reach(known_until_);
    results_.AddFailure(result_, std::move(failure));
  }

  void ReadObject(const dom::object& line) {
    if (const auto failure = Find(line, "failure")) {
      dom::object object;
      if (failure->get(object)) throw BadLine{"has a failure that is not an object"};
      JournalFailure read = ReadFailure(object);
      Reach(read.at_us);
      results_.AddSuiteFailure(FindText(line, "suite").value_or(""), std::move(read));
    } else if (auto file = FindText(line, "file")) {
      results_.SetSourceFile(std::move(*file));
    } else if (auto after = FindText(line, "after")) {
      results_.SetPrecedingTest(std::move(*after));
    } else if (const auto iteration = FindInteger(line, "iteration")) {
      bool counted = false;
      if (const auto said = Find(line, "counted"); said && said->get(counted)) counted = false;
      results_.BeginIteration(*iteration, counted, FindInteger(line, "shuffle_seed"));
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
    bool run_continued = false;
    if (const auto said = Find(how, "run_continued"); said && !said->get(run_continued)) {
      died.run_continued |= run_continued;
    }
    if (auto signal = FindText(how, "interrupted_by")) died.interrupted_by = std::move(signal);
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
  JournalResults results_;
  // The result whose line is being read.
  JournalResult result_;
  Next next_ = Next::kName;
  int64_t known_until_ = 0;
  std::optional<int64_t> duration_;
};

// Reads a result's line element by element, because it is too long to be kept whole. The line may come in pieces.
class LongLine {
 public:
  // The opening bracket has been read.
  LongLine(JournalJson& json, JournalLineReader& lines) : json_(json), lines_(lines) { lines_.BeginResult(); }

  // Reads the whole elements of `text`, which continues the line with the first element that is not read yet. Returns
  // how many bytes these are. Throws BadLine.
  size_t Read(std::string_view text) {
    size_t begin = 0;
    for (size_t i = scanned_; i < text.size(); ++i) {
      const char c = text[i];
      if (c == '\n') return End(/*cut=*/true, i);
      if (std::exchange(escaped_, false)) continue;
      if (in_text_) {
        escaped_ = c == '\\';
        in_text_ = c != '"';
      } else if (c == '"') {
        in_text_ = true;
      } else if (c == '[' || c == '{') {
        ++depth_;
      } else if ((c == ']' || c == '}') && depth_ > 0) {
        --depth_;
      } else if (depth_ == 0 && (c == ',' || c == ']')) {
        const auto value = json_.Parse(text.substr(begin, i - begin));
        if (!value) throw BadLine{"is not JSON"};
        lines_.TakeElement(*value);
        begin = i + 1;
        if (c == ']') return End(/*cut=*/false, begin);
      }
    }
    scanned_ = text.size() - begin;
    return begin;
  }

  // Ends a line that was cut.
  size_t End(bool cut, size_t at) {
    lines_.EndResult(cut);
    has_ended_ = true;
    was_cut_ = cut;
    return at;
  }
  bool has_ended() const { return has_ended_; }
  bool was_cut() const { return was_cut_; }

 private:
  JournalJson& json_;
  JournalLineReader& lines_;
  size_t scanned_ = 0;  // bytes of the current element
  int depth_ = 0;
  bool in_text_ = false, escaped_ = false;
  bool has_ended_ = false, was_cut_ = false;
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

class JournalParser::Impl {
 public:
  explicit Impl(FailureBudget& budget) : budget_(budget) {}

  bool Add(std::string_view bytes) {
    if (ended_) return false;
    const size_t nul = bytes.find('\0');
    ended_ = nul != std::string_view::npos;
    bytes = bytes.substr(0, nul);
    if (rest_.empty()) {
      rest_ = bytes.substr(Read(bytes));
    } else {
      rest_ += bytes;
      rest_.erase(0, Read(rest_));
    }
    return !ended_;
  }

  Journal Finish() {
    json_.SetText(rest_);
    if (!lines_) {
      ReadHeader(rest_, /*is_whole=*/false);  // throws unless only its line break is missing
      rest_.clear();
    }
    try {
      if (long_) {
        long_->End(/*cut=*/true, 0);
      } else if (cut_line_) {
        throw BadLine{"is not JSON"};
      } else if (!rest_.empty()) {
        ReadCutLine(rest_, json_, *lines_);
      }
    } catch (const BadLine& bad) {
      Throw(bad, number_ - (cut_line_ ? 1 : 0));
    }
    lines_->Finish();
    return std::move(journal_);
  }

 private:
  // Reads what is whole: lines, and elements of a long line. Returns how many bytes that is.
  size_t Read(std::string_view text) {
    json_.SetText(text);
    size_t begin = 0;
    for (;;) {
      if (long_ && !ReadLong(text, begin)) return begin;
      const size_t end = text.find('\n', begin);
      if (end != std::string_view::npos) {
        ReadLine(text.substr(begin, end - begin));
        begin = end + 1;
      } else if (lines_ && text.size() - begin > kLongLine && text[begin] == '[') {
        long_.emplace(json_, *lines_);
        ++begin;
      } else {
        if (text.size() - begin > (lines_ ? kLongestElement : kLongestHeader)) Throw(BadLine{"is too long"}, number_);
        return begin;
      }
    }
  }

  // Returns false if the line goes on after the text.
  bool ReadLong(std::string_view text, size_t& begin) {
    try {
      begin += long_->Read(text.substr(begin));
      if (!long_->has_ended() && text.size() - begin > kLongestElement) throw BadLine{"is too long"};
    } catch (const BadLine& bad) {
      Throw(bad, number_);
    }
    if (!long_->has_ended()) return false;
    // What follows, up to the line break, is the rest of a line that was read.
    if (long_->was_cut()) cut_line_.emplace();
    long_.reset();
    rest_of_long_ = true;
    return true;
  }

  void ReadLine(std::string_view line) {
    const int64_t number = number_++;
    if (!lines_) return ReadHeader(line, /*is_whole=*/true);
    if (std::exchange(rest_of_long_, false)) return;
    try {
      if (cut_line_ && !line.starts_with(kDied)) Throw(BadLine{"is not JSON"}, number - 1);
      if (cut_line_) ReadCutLine(*std::exchange(cut_line_, std::nullopt), json_, *lines_);
      if (const auto value = json_.Parse(line)) {
        lines_->Read(*value, /*cut=*/false);
      } else {
        cut_line_ = line;  // the next line tells whether it was cut when its process died
      }
    } catch (const BadLine& bad) {
      Throw(bad, number);
    }
  }

  void ReadHeader(std::string_view line, bool is_whole) {
    journal_ = ParseHeaderLine(line, json_, is_whole);
    lines_.emplace(journal_, budget_, journal_.shuffle_seed);
  }

  [[noreturn]] static void Throw(const BadLine& bad, int64_t number) {
    throw JournalError(JournalError::Kind::kDamaged, "line " + std::to_string(number) + " " + bad.what);
  }

  FailureBudget& budget_;
  JournalJson json_;
  std::string rest_;  // the bytes that are not read yet
  bool ended_ = false;
  int64_t number_ = 1;  // of the line that is read next
  Journal journal_;
  std::optional<JournalLineReader> lines_;  // once the header is read
  std::optional<std::string> cut_line_;     // the last line, if it is not JSON
  std::optional<LongLine> long_;
  bool rest_of_long_ = false;
};

JournalParser::JournalParser(FailureBudget& budget) : impl_(std::make_unique<Impl>(budget)) {}
JournalParser::~JournalParser() = default;
bool JournalParser::Add(std::string_view bytes) { return impl_->Add(bytes); }
Journal JournalParser::Finish() { return impl_->Finish(); }

std::optional<Journal> ReadJournal(const UniqueFd& file, FailureBudget& budget) {
  JournalParser parser(budget);
  if (!ReadPieces(file, [&](std::string_view piece) { parser.Add(piece); })) return std::nullopt;
  return parser.Finish();
}

Journal ParseJournal(std::string_view bytes) {
  FailureBudget budget;
  JournalParser parser(budget);
  parser.Add(bytes);
  return parser.Finish();
}

bool EndsWithEndLine(std::string_view tail) {
  if (tail.empty() || tail.back() != '\n') return false;
  tail.remove_suffix(1);
  const size_t start = tail.rfind('\n');
  return start != std::string_view::npos && tail.substr(start + 1).starts_with(R"({"end_us":)");
}

}  // namespace flaky
