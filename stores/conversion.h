#ifndef FLAKY_STORES_CONVERSION_H_
#define FLAKY_STORES_CONVERSION_H_

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

// What happens to values that a store or a field cannot hold (docs/reference/conversion.md).
namespace flaky {

// What one store cannot hold, unlike the other stores. The pipeline converts records to fit and reports it;
// Store::Write refuses records that do not fit.
struct StoreLimits {
  size_t row_bytes = std::numeric_limits<size_t>::max();  // total size of the texts of one run, part, failure or roster
  bool enforces_enums = false;  // `status` and `failure_kind` only have the values of history/run.h
};

// Values of one column of one run, in all of its rows, that were replaced.
struct Conversion {
  enum class Kind {
    kInvalid,  // another tool left a value that is invalid for the column: a malformed time, a text for a number
    kText,     // bytes that are not UTF-8, and NUL
    kWord,     // a status or failure_kind that the target does not know
    kCut,      // the end of a text that was too large
    kLeftOut,  // a roster that is too large, damaged or missing
  };
  std::string column;  // "failures.error_message"
  Kind kind = Kind::kInvalid;
  int64_t amount = 0;   // kCut: bytes; otherwise values
  std::string example;  // the first one: "'year!' as 1970-01-01T00:00:00.000Z"; may be empty

  bool operator==(const Conversion&) const = default;
};

struct ConvertedRun {
  std::string run_id;
  std::vector<Conversion> conversions;  // one per column and kind

  bool operator==(const ConvertedRun&) const = default;
};

// Adds `more` to the entry of the same column and kind, or as a new entry.
void AddConversion(std::vector<Conversion>& conversions, Conversion more);

// Returns the text between quotes, shortened and harmless on a terminal: for examples and errors.
std::string ShownText(std::string_view text);

}  // namespace flaky

#endif  // FLAKY_STORES_CONVERSION_H_
