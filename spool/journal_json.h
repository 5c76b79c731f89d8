// SPDX-License-Identifier: MIT
#ifndef FLAKY_SPOOL_JOURNAL_JSON_H_
#define FLAKY_SPOOL_JOURNAL_JSON_H_

#include <simdjson.h>

#include <optional>
#include <string>
#include <string_view>

#include "history/text.h"

namespace flaky {

// Parses the lines of a journal as JSON. A value lives until the next line is parsed.
class JournalJson {
 public:
  // `text` contains the lines that Parse is given from now on. Lines well before its end are parsed without a copy.
  void SetText(std::string_view text) { end_ = text.data() + text.size(); }

  // Returns nullopt if the line is not JSON. Bytes that are not UTF-8 are replaced instead of refused: a damaged
  // character in a message must not cost the rest of the journal.
  std::optional<simdjson::dom::element> Parse(std::string_view line) {
    simdjson::dom::element value;
    const bool copy = static_cast<size_t>(end_ - line.data()) < line.size() + simdjson::SIMDJSON_PADDING;
    auto error = parser_.parse(line.data(), line.size(), copy).get(value);
    if (error == simdjson::UTF8_ERROR) error = parser_.parse(MakeStorable(line)).get(value);
    if (error) return std::nullopt;
    return value;
  }

  // The same for a line that is not part of the journal. Precondition: it is UTF-8.
  std::optional<simdjson::dom::element> ParseCopy(const std::string& line) {
    simdjson::dom::element value;
    if (parser_.parse(line).get(value)) return std::nullopt;
    return value;
  }

 private:
  simdjson::dom::parser parser_;
  const char* end_ = nullptr;
};

}  // namespace flaky

#endif  // FLAKY_SPOOL_JOURNAL_JSON_H_
