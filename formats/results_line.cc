// SPDX-License-Identifier: MIT
#include "formats/results_line.h"

#include <charconv>

#include "history/escaped.h"
#include "history/text.h"

namespace flaky {
namespace {

constexpr std::string_view kOutcomes[] = {"passed", "failed", "crashed", "timeout", "skipped"};
constexpr int64_t kMicrosPerMilli = 1000;

// A visitor that appends the fields that are not absent as an object.
class ObjectInto {
 public:
  explicit ObjectInto(std::string& out) : out_(out) { out_ += '{'; }
  void End() { out_ += '}'; }

  void operator()(std::string_view name, const std::string& value) {
    Name(name);
    Put(value);
  }
  void operator()(std::string_view name, ResultOutcome value) {
    Name(name);
    out_.append("\"").append(WordFor(value)).append("\"");
  }
  template <typename T>
  void operator()(std::string_view name, const std::optional<T>& value) {
    if (!value) return;
    Name(name);
    Put(*value);
  }
  template <typename T>
  void operator()(std::string_view name, const std::vector<T>& values) {
    if (values.empty()) return;
    Name(name);
    char separator = '[';
    for (const T& value : values) {
      out_ += separator;
      Put(value);
      separator = ',';
    }
    out_ += ']';
  }

 private:
  void Name(std::string_view name) {
    out_.append(is_first_ ? "\"" : ",\"").append(name).append("\":");
    is_first_ = false;
  }
  void Put(const std::string& text) { AppendEscapedJson(out_, IsStorable(text) ? text : MakeStorable(text)); }
  void Put(int64_t number) { out_ += std::to_string(number); }
  void Put(bool value) { out_ += value ? "true" : "false"; }
  void Put(Timestamp time) { out_ += '"' + time.ToString() + '"'; }
  void Put(ResultDuration duration) {
    out_ += std::to_string(duration.micros / kMicrosPerMilli);
    if (const int64_t rest = duration.micros % kMicrosPerMilli; rest > 0) {
      out_ += '.' + std::to_string(kMicrosPerMilli + rest).substr(1);
      out_.resize(out_.find_last_not_of('0') + 1);
    }
  }
  void Put(const Result& result) {
    ObjectInto object(out_);
    VisitResult(result, object);
    object.End();
  }

  std::string& out_;
  bool is_first_ = true;
};

}  // namespace

bool Result::IsOutsideTests() const {
  return name.find('.') == std::string::npos || (file && *file == '[' + name + ']');
}

std::string_view WordFor(ResultOutcome outcome) { return kOutcomes[static_cast<size_t>(outcome)]; }

void AppendLine(std::string& out, const ResultsLine& line) {
  ObjectInto object(out);
  VisitResultsLine(line, object);
  object.End();
  out += '\n';
}

}  // namespace flaky
