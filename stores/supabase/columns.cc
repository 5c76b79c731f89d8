#include "stores/supabase/columns.h"

#include <charconv>

namespace flaky {
namespace {

constexpr std::string_view kYearZero = "0000-";
constexpr std::string_view kYearOneBefore = "0001-";
constexpr std::string_view kBefore = " BC";

// What a text of a time can hold: 0000-01-01 to 9999-12-31.
constexpr Timestamp kFirst{-62'167'219'200 * kMicrosPerSecond};
constexpr Timestamp kLast{253'402'300'800 * kMicrosPerSecond - 1};

StoredValue AsText(std::string_view text) { return {StoredValue::Type::kText, 0, 0, text}; }

std::optional<Timestamp> TimeIn(std::string_view text) {
  if (!text.ends_with(kBefore)) return Timestamp::Parse(text);
  if (!text.starts_with(kYearOneBefore)) return std::nullopt;
  text.remove_suffix(kBefore.size());
  return Timestamp::Parse(std::string(kYearZero).append(text.substr(kYearOneBefore.size())));
}

// A column of another tool may be of another type of number.
StoredValue NumberIn(std::string_view text) {
  StoredValue value = AsText(text);
  const char* const end = text.data() + text.size();
  if (std::from_chars(text.data(), end, value.integer).ptr == end && !text.empty()) {
    value.type = StoredValue::Type::kInteger;
  } else if (std::from_chars(text.data(), end, value.real).ptr == end && !text.empty()) {
    value.type = StoredValue::Type::kReal;
  }
  return value;
}

}  // namespace

std::string SupabaseTime(Timestamp time) {
  if (time < kFirst) return "-infinity";
  if (time > kLast) return "infinity";
  std::string text = time.ToString();
  if (text.starts_with(kYearZero)) {
    text.replace(0, kYearZero.size(), kYearOneBefore);
    text += kBefore;
  }
  return text;
}

std::optional<std::string_view> SupabaseFields::Next() {
  if (next_ == end_) return std::nullopt;
  const simdjson::dom::element element = *next_;
  ++next_;
  if (element.is_null()) return std::nullopt;
  std::string_view text;
  if (element.get(text) == simdjson::SUCCESS) return text;
  bool truth = false;
  if (element.get(truth) == simdjson::SUCCESS) return truth ? "true" : "false";
  return held_.emplace_front(simdjson::minify(element));
}

std::string_view SupabaseFields::Text(std::string_view name) {
  const auto text = Next();
  if (text) return *text;
  if (name == "run_id") Refuse(name);
  return held_.emplace_front(convert_.Text(name, {}));
}

void SupabaseFields::operator()(std::string_view name, Timestamp& value) {
  const auto text = Next();
  const auto time = text ? TimeIn(*text) : std::nullopt;
  value = time ? *time : convert_.RequiredTime(name, text ? AsText(*text) : StoredValue());
}

void SupabaseFields::operator()(std::string_view name, std::optional<Timestamp>& value) {
  const auto text = Next();
  value = text ? TimeIn(*text) : std::nullopt;
  if (text && !value) value = convert_.Time(name, AsText(*text));
}

void SupabaseFields::operator()(std::string_view name, std::optional<int64_t>& value) {
  const auto text = Next();
  const StoredValue stored = text ? NumberIn(*text) : StoredValue();
  value = stored.type == StoredValue::Type::kInteger ? stored.integer : convert_.Number(name, stored);
}

void SupabaseFields::operator()(std::string_view name, std::optional<bool>& value) {
  const auto text = Next();
  if (text && (*text == "true" || *text == "false")) {
    value = *text == "true";
  } else {
    value = convert_.Bool(name, text ? NumberIn(*text) : StoredValue());
  }
}

void SupabaseFields::operator()(std::string_view name, int64_t& value) {
  const auto text = Next();
  const StoredValue stored = text ? NumberIn(*text) : StoredValue();
  if (stored.type != StoredValue::Type::kInteger) Refuse(name);
  value = stored.integer;
}

void SupabaseFields::Refuse(std::string_view name) const {
  RefuseId(connection_.name(), connection_.prefix() + std::string(table_), name, std::string(name) + " IS NULL");
}

}  // namespace flaky
