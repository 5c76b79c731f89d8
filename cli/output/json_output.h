// SPDX-License-Identifier: MIT
#ifndef FLAKY_CLI_OUTPUT_JSON_OUTPUT_H_
#define FLAKY_CLI_OUTPUT_JSON_OUTPUT_H_

#include <initializer_list>
#include <iosfwd>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <utility>

#include "history/run.h"

// The JSON output: one object per command. Its first field, `format`, is the version of the format. Fields may be added
// within a version. Keys of records are the columns' names; absent is null; times are texts. What could control a
// terminal or a CI system is written with escapes (EscapedJson in history/escaped.h), so every value is exact.
namespace flaky {

using Json = nlohmann::ordered_json;

// Returns an object that has only its version.
Json JsonOutput();

// Prints the object, indented; bytes that are not UTF-8 are replaced by U+FFFD.
void PrintJson(std::ostream& out, const Json& json);

// Returns the same text on one line, without a line end.
std::string JsonLine(const Json& json);

// Prints such an object piece by piece, so that only one piece is in memory: the members are in the order of the calls.
class JsonPrinter {
 public:
  // Prints the version. `out` must outlive the object.
  explicit JsonPrinter(std::ostream& out);
  JsonPrinter(const JsonPrinter&) = delete;
  JsonPrinter& operator=(const JsonPrinter&) = delete;
  ~JsonPrinter();

  void Member(std::string_view name, const Json& value);

  // Print a member that is a list. An element is an object; `more` are further members of it, whose values are valid
  // JSON already.
  void BeginList(std::string_view name);
  void Element(const Json& object, std::initializer_list<std::pair<std::string_view, std::string_view>> more = {});
  void EndList();

 private:
  std::ostream& out_;
  bool is_first_element_ = true;
};

Json ToJson(const Run& run);
Json ToJson(const Part& part);
Json ToJson(const Failure& failure);

}  // namespace flaky

#endif  // FLAKY_CLI_OUTPUT_JSON_OUTPUT_H_
