#ifndef FLAKY_CLI_OUTPUT_JSON_OUTPUT_H_
#define FLAKY_CLI_OUTPUT_JSON_OUTPUT_H_

#include <iosfwd>
#include <nlohmann/json.hpp>
#include <string>

#include "history/run.h"

// The JSON output: one object per command. Its first field, `format`, is the version of the format. Fields may be added
// within a version. Keys of records are the columns' names; absent is null; times are texts.
namespace flaky {

using Json = nlohmann::ordered_json;

// Returns an object that has only its version.
Json JsonOutput();

// Prints the object, indented; bytes that are not UTF-8 are replaced by U+FFFD.
void PrintJson(std::ostream& out, const Json& json);

// Returns the same text on one line, without a line end.
std::string JsonLine(const Json& json);

Json ToJson(const Run& run);
Json ToJson(const Part& part);
Json ToJson(const Failure& failure);

}  // namespace flaky

#endif  // FLAKY_CLI_OUTPUT_JSON_OUTPUT_H_
