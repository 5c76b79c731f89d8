// SPDX-License-Identifier: MIT
#include "cli/output/json_output.h"

#include <algorithm>
#include <ostream>
#include <utility>

#include "history/escaped.h"
#include "history/fields.h"

namespace flaky {
namespace {

// What the fields' list is walked with: each becomes a key of the object.
struct FieldsInto {
  Json& json;

  template <typename T>
  void operator()(std::string_view name, const std::optional<T>& value) const {
    if (value) {
      (*this)(name, *value);
    } else {
      json[std::string(name)] = nullptr;
    }
  }
  void operator()(std::string_view name, Timestamp value) const { json[std::string(name)] = value.ToString(); }
  void operator()(std::string_view name, const auto& value) const { json[std::string(name)] = value; }
};

constexpr int kIndent = 2, kNoIndent = -1;

std::string TextOf(const Json& json, int indent) {
  return EscapedJson(json.dump(indent, ' ', false, Json::error_handler_t::replace));
}

// Prints the text with further blanks after each line end.
void PrintDeeper(std::ostream& out, std::string_view text, size_t blanks) {
  while (!text.empty()) {
    const size_t line = std::min(text.find('\n'), text.size() - 1) + 1;
    out << text.substr(0, line);
    if (text[line - 1] == '\n') out << std::string(blanks, ' ');
    text.remove_prefix(line);
  }
}

}  // namespace

Json JsonOutput() { return {{"format", 1}}; }

void PrintJson(std::ostream& out, const Json& json) { out << TextOf(json, kIndent) << '\n'; }

std::string JsonLine(const Json& json) { return TextOf(json, kNoIndent); }

JsonPrinter::JsonPrinter(std::ostream& out) : out_(out) {
  std::string text = TextOf(JsonOutput(), kIndent);
  text.resize(text.rfind('\n'));
  out_ << text;
}

JsonPrinter::~JsonPrinter() { out_ << "\n}\n"; }

void JsonPrinter::Member(std::string_view name, const Json& value) {
  out_ << ",\n  \"" << name << "\": ";
  PrintDeeper(out_, TextOf(value, kIndent), kIndent);
}

void JsonPrinter::BeginList(std::string_view name) {
  out_ << ",\n  \"" << name << "\": [";
  is_first_element_ = true;
}

void JsonPrinter::Element(const Json& object,
                          std::initializer_list<std::pair<std::string_view, std::string_view>> more) {
  out_ << (std::exchange(is_first_element_, false) ? "\n    " : ",\n    ");
  std::string text = TextOf(object, kIndent);
  text.resize(text.rfind('\n'));  // without the closing brace
  PrintDeeper(out_, text, 2 * kIndent);
  for (const auto& [name, json] : more) out_ << ",\n      \"" << name << "\": " << EscapedJson(json);
  out_ << "\n    }";
}

void JsonPrinter::EndList() { out_ << (is_first_element_ ? "]" : "\n  ]"); }

Json ToJson(const Run& run) {
  Json json = Json::object();
  VisitRun(run, FieldsInto{json});
  return json;
}

Json ToJson(const Part& part) {
  Json json = Json::object();
  VisitPart(part, FieldsInto{json});
  return json;
}

Json ToJson(const Failure& failure) {
  Json json = Json::object();
  VisitFailure(failure, FieldsInto{json});
  return json;
}

}  // namespace flaky
