// SPDX-License-Identifier: MIT
#include "stores/turso/hrana_cursor.h"

#include <simdjson.h>

#include <utility>

#include "stores/http/limits.h"
#include "stores/turso/hrana_json.h"

namespace flaky::turso {
namespace {

using simdjson::dom::array;
using simdjson::dom::element;

// More than the separators of a row's cells and of the message of an error can be.
constexpr size_t kMostValuesOfLine = 64 << 10;

// BEGIN and COMMIT select nothing.
std::vector<size_t> WithTransaction(std::vector<size_t> widths) {
  widths.insert(widths.begin(), 0);
  widths.push_back(0);
  return widths;
}

}  // namespace

struct HranaCursor::State {
  simdjson::dom::parser parser;
  std::vector<HranaValue> row;
  HranaTexts texts;
};

HranaCursor::HranaCursor(std::vector<size_t> widths, TakeRow take)
    : widths_(WithTransaction(std::move(widths))), take_(std::move(take)), state_(std::make_unique<State>()) {}

HranaCursor::~HranaCursor() = default;

bool HranaCursor::IsWhole() const { return error_ || step_ == widths_.size(); }

void HranaCursor::Take(std::string_view bytes) {
  while (!bytes.empty()) {
    const size_t end = bytes.find('\n');
    const std::string_view part = bytes.substr(0, end);
    if (part.size() > kLongestLine - line_.size()) throw MalformedAnswer();
    line_ += part;
    if (end == bytes.npos) return;
    bytes.remove_prefix(end + 1);
    if (!line_.empty()) Guarded([&] { TakeLine(); });
    line_.clear();
  }
}

void HranaCursor::TakeLine() {
  if (http::HasMoreValues(line_, kMostValuesOfLine)) throw MalformedAnswer();
  const element entry = ParseInPlace(state_->parser, line_);
  if (!std::exchange(started_, true)) {
    const element baton = entry["baton"];
    if (baton.is_null()) return;
    const std::string_view text = baton;
    baton_ = text;
    return;
  }
  const std::string_view type = entry["type"];
  if (type == "row") {
    if (!in_step_) throw MalformedAnswer();
    state_->row.clear();
    state_->texts.clear();
    AppendRow(entry["row"], widths_[step_], state_->row, state_->texts);
    if (!state_->row.empty()) take_(step_ - 1, state_->row);
  } else if (type == "step_begin") {
    if (in_step_ || error_ || uint64_t(entry["step"]) != step_ || step_ == widths_.size() ||
        array(entry["cols"]).size() != widths_[step_]) {
      throw MalformedAnswer();
    }
    in_step_ = true;
  } else if (type == "step_end") {
    if (!std::exchange(in_step_, false)) throw MalformedAnswer();
    ++step_;
  } else if (type == "step_error" || type == "error") {
    if (!error_) error_ = HranaErrorOf(entry["error"]);
    in_step_ = false;
  }
}

}  // namespace flaky::turso
