#include "stores/sql/bad_value.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "history/text.h"
#include "stores/error.h"

namespace flaky {
namespace {

constexpr char kNothing[] = "nothing";

// As SQLite does: 15 digits, and always a decimal point.
std::string RealText(double real) {
  if (std::isnan(real)) return "NaN";
  if (std::isinf(real)) return real < 0 ? "-Inf" : "Inf";
  char digits[32];
  std::snprintf(digits, sizeof digits, "%.15g", real);
  std::string text = digits;
  if (text.find('.') == text.npos) text.insert(std::min(text.find('e'), text.size()), ".0");
  return text;
}

std::string TextOf(const StoredValue& value) {
  switch (value.type) {
    case StoredValue::Type::kNull:
      return {};
    case StoredValue::Type::kInteger:
      return std::to_string(value.integer);
    case StoredValue::Type::kReal:
      return RealText(value.real);
    case StoredValue::Type::kText:
    case StoredValue::Type::kBlob:
      return std::string(value.bytes);
  }
  return {};
}

std::optional<int64_t> NumberOf(const StoredValue& value) {
  if (value.type == StoredValue::Type::kInteger) return value.integer;
  if (value.type != StoredValue::Type::kReal) return std::nullopt;
  constexpr double kBeyond = 9223372036854775808.0;  // 2^63
  const double rounded = std::round(value.real);
  if (!(rounded >= -kBeyond && rounded < kBeyond)) return std::nullopt;
  return static_cast<int64_t>(rounded);
}

std::optional<bool> BoolOf(const StoredValue& value) {
  if (value.type == StoredValue::Type::kInteger) return value.integer != 0;
  if (value.type == StoredValue::Type::kReal && !std::isnan(value.real)) return value.real != 0;
  return std::nullopt;
}

std::string Shown(const StoredValue& value) {
  switch (value.type) {
    case StoredValue::Type::kNull:
      return "NULL";
    case StoredValue::Type::kText:
      return ShownText(value.bytes);
    case StoredValue::Type::kBlob:
      return "the blob " + ShownText(value.bytes);
    default:
      return TextOf(value);
  }
}

}  // namespace

std::optional<Timestamp> TimeOf(const StoredValue& value) {
  if (value.type != StoredValue::Type::kText && value.type != StoredValue::Type::kBlob) return std::nullopt;
  return Timestamp::Parse(value.bytes);
}

std::string ValueConverter::Text(std::string_view column, const StoredValue& value) const {
  std::string text = TextOf(value);
  Report(column, value, ShownText(text));
  return text;
}

std::string ValueConverter::RawText(std::string_view column, std::string_view bytes) const {
  std::string text = MakeStorable(bytes);
  if (conversions_ != nullptr) {
    AddConversion(*conversions_, {std::string(table_) + "." + std::string(column), Conversion::Kind::kText, 1,
                                  "as " + ShownText(text)});
  }
  return text;
}

std::optional<int64_t> ValueConverter::Number(std::string_view column, const StoredValue& value) const {
  if (value.type == StoredValue::Type::kNull) return std::nullopt;
  const auto number = NumberOf(value);
  Report(column, value, number ? std::to_string(*number) : kNothing);
  return number;
}

std::optional<bool> ValueConverter::Bool(std::string_view column, const StoredValue& value) const {
  if (value.type == StoredValue::Type::kNull) return std::nullopt;
  const auto value_as_bool = BoolOf(value);
  if (value.type == StoredValue::Type::kInteger && value.integer == *value_as_bool) return value_as_bool;
  Report(column, value, !value_as_bool ? kNothing : *value_as_bool ? "true" : "false");
  return value_as_bool;
}

std::optional<Timestamp> ValueConverter::Time(std::string_view column, const StoredValue& value) const {
  if (value.type == StoredValue::Type::kNull) return std::nullopt;
  const auto time = TimeOf(value);
  Report(column, value, time ? time->ToString() : kNothing);
  return time;
}

Timestamp ValueConverter::RequiredTime(std::string_view column, const StoredValue& value) const {
  const Timestamp time = TimeOf(value).value_or(kNoTime);
  Report(column, value, time.ToString());
  return time;
}

void ValueConverter::Report(std::string_view column, const StoredValue& value, const std::string& became) const {
  if (conversions_ == nullptr) return;
  AddConversion(*conversions_, {std::string(table_) + "." + std::string(column), Conversion::Kind::kInvalid, 1,
                                Shown(value) + " as " + became});
}

void ReportRosterLeftOut(std::vector<Conversion>* conversions, std::string_view roster_id) {
  if (conversions == nullptr) return;
  AddConversion(*conversions,
                {"parts.roster_id", Conversion::Kind::kLeftOut, 1, ShownText(roster_id) + " as " + kNothing});
}

void RefuseId(const std::string& store, const std::string& table, std::string_view column, std::string_view condition) {
  throw StoreError(ErrorKind::kInvalid, store, "read the history", "",
                   "its table '" + table + "' has a row that nothing can refer to, because its " + std::string(column) +
                       " has an unexpected type; `SELECT * FROM \"" + table + "\" WHERE " + std::string(condition) +
                       "` shows it");
}

}  // namespace flaky
