// SPDX-License-Identifier: MIT
#include "stores/supabase/columns.h"

namespace flaky::supabase {
namespace {

constexpr std::string_view kYearZero = "0000-";
constexpr std::string_view kYearOneBefore = "0001-";
constexpr std::string_view kBefore = " BC";

StoredValue AsText(std::string_view text) { return {StoredValue::Type::kText, 0, 0, text}; }

std::optional<Timestamp> TimeIn(std::string_view text) {
  if (!text.ends_with(kBefore)) return Timestamp::Parse(text);
  if (!text.starts_with(kYearOneBefore)) return std::nullopt;
  text.remove_suffix(kBefore.size());
  return Timestamp::Parse(std::string(kYearZero).append(text.substr(kYearOneBefore.size())));
}

}  // namespace

std::string TimeText(Timestamp time) {
  if (time < Timestamp::kMin) return "-infinity";
  if (time > Timestamp::kMax) return "infinity";
  std::string text = time.ToString();
  if (text.starts_with(kYearZero)) {
    text.replace(0, kYearZero.size(), kYearOneBefore);
    text += kBefore;
  }
  return text;
}

std::optional<std::string_view> Cells::Text() {
  if (Null()) return std::nullopt;
  const simdjson::dom::element element = *cell_;
  std::string_view text;
  if (element.get(text) == simdjson::SUCCESS) return text;
  bool boolean = false;
  if (element.get(boolean) == simdjson::SUCCESS) return boolean ? "true" : "false";
  return held_.emplace_front(simdjson::minify(element));
}

std::optional<int64_t> Cells::Integer() {
  const auto text = Text();
  const StoredValue stored = text ? NumberIn(*text) : StoredValue();
  return stored.type == StoredValue::Type::kInteger ? std::optional(stored.integer) : std::nullopt;
}

std::optional<bool> Cells::Bool() {
  const auto text = Text();
  return text == "true" || text == "false" ? std::optional(text == "true") : std::nullopt;
}

std::optional<Timestamp> Cells::Time() {
  const auto text = Text();
  return text ? TimeIn(*text) : std::nullopt;
}

StoredValue Cells::Raw() {
  RequireCell();
  const auto text = Text();
  return text ? NumberIn(*text) : StoredValue();
}

StoredValue Cells::RawTime() {
  RequireCell();
  const auto text = Text();
  return text ? AsText(*text) : StoredValue();
}

// Every version of the functions sends the columns that are never NULL.
void Cells::RequireCell() const {
  if (cell_ == end_) connection_.FailMalformed("read the history");
}

// The functions select by ids, and count, so no database has such a value.
void Cells::Refuse(std::string_view, std::string_view, std::string_view) const {
  connection_.FailMalformed("read the history");
}

}  // namespace flaky::supabase
