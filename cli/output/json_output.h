#ifndef FLAKY_CLI_OUTPUT_JSON_OUTPUT_H_
#define FLAKY_CLI_OUTPUT_JSON_OUTPUT_H_

#include <iosfwd>
#include <nlohmann/json.hpp>
#include <string>

#include "history/run.h"

// The program's JSON: one object a command, whose first field `format` is the version of its form. Fields may be added
// within a version. Keys of records are the columns' names; absent is null; times are texts.
namespace flaky {

using Json = nlohmann::ordered_json;

// An object that has only its version.
Json JsonOutput();

// Prints it, indented; bytes that are not UTF-8 are replaced by U+FFFD.
void PrintJson(std::ostream& out, const Json& json);

// The same on one line, without its end.
std::string JsonLine(const Json& json);

Json ToJson(const Run& run);
Json ToJson(const Part& part);
Json ToJson(const Failure& failure);

}  // namespace flaky

#endif  // FLAKY_CLI_OUTPUT_JSON_OUTPUT_H_
