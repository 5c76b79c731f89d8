// SPDX-License-Identifier: MIT
#ifndef FLAKY_FORMATS_RESULTS_PARSER_H_
#define FLAKY_FORMATS_RESULTS_PARSER_H_

#include <simdjson.h>

#include <functional>
#include <string>
#include <string_view>

#include "formats/results_line.h"

namespace flaky {

// What is wrong with a line: a phrase that follows its number, "has no run_id".
struct BadResultsLine {
  std::string what;
};

// Returns the line that the JSON describes, with a part_id that is derived from all of its content if it has none.
// Calls `unknown` with each field that the format does not have, as a phrase: "field 'colour' of a result". Throws
// BadResultsLine.
ResultsLine ParseResultsLine(simdjson::dom::element json, const std::function<void(const std::string&)>& unknown);

}  // namespace flaky

#endif  // FLAKY_FORMATS_RESULTS_PARSER_H_
