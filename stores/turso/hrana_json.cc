// SPDX-License-Identifier: MIT
#include "stores/turso/hrana_json.h"

#include <charconv>
#include <cmath>

#include "stores/turso/base64.h"

namespace flaky::turso {
namespace {

using simdjson::dom::array;
using simdjson::dom::element;
using simdjson::dom::object;

HranaValue ValueOf(element cell, HranaTexts& texts) {
  HranaValue value;
  const object parts = cell;
  const std::string_view type = parts["type"];
  if (type == "null") return value;
  if (type == "text") {
    value.type = HranaValue::Type::kText;
    value.text = parts["value"];
  } else if (type == "integer") {
    value.type = HranaValue::Type::kInteger;
    const std::string_view digits = parts["value"];
    const char* end = digits.data() + digits.size();
    const auto [stop, error] = std::from_chars(digits.data(), end, value.integer);
    if (error != std::errc() || stop != end) throw MalformedAnswer();
  } else if (type == "float") {
    value.type = HranaValue::Type::kFloat;
    const element number = parts["value"];
    value.real = number.is_null() ? HUGE_VAL : double(number);  // JSON has no infinity
  } else if (type == "blob") {
    value.type = HranaValue::Type::kBlob;
    std::optional<std::string> bytes = FromBase64(parts["base64"]);
    if (!bytes) throw MalformedAnswer();
    value.text = texts.emplace_back(std::move(*bytes));
  } else {
    throw MalformedAnswer();
  }
  return value;
}

}  // namespace

element ParseInPlace(simdjson::dom::parser& parser, std::string& text) {
  text.reserve(text.size() + simdjson::SIMDJSON_PADDING);
  return parser.parse(text.data(), text.size(), false);
}

void AppendRow(array row, size_t width, std::vector<HranaValue>& values, HranaTexts& texts) {
  if (row.size() != width) throw MalformedAnswer();
  for (const element cell : row) values.push_back(ValueOf(cell, texts));
}

HranaError HranaErrorOf(element error) {
  HranaError said;
  const std::string_view message = error["message"];
  said.message = message;
  // A server may have no code.
  if (std::string_view code; error["code"].get(code) == simdjson::SUCCESS) said.code = code;
  return said;
}

}  // namespace flaky::turso
