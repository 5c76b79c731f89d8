#ifndef FLAKY_STORES_CONVERSION_H_
#define FLAKY_STORES_CONVERSION_H_

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

// What happens to values that a store cannot hold, or that no field can (docs/reference/conversion.md).
namespace flaky {

// What one store cannot hold and others can. The pipeline makes records fit and says so; Write refuses what does not.
struct StoreLimits {
  size_t row_bytes = std::numeric_limits<size_t>::max();  // the texts of one run, part, failure or roster together
  bool enforces_enums = false;  // `status` and `failure_kind` have no other values than those of history/run.h
};

// Values of one column of one run, over all of its rows, that went on as others.
struct Conversion {
  enum class Kind {
    kInvalid,  // another tool left what is none of the column's type: a time that is none, a text for a number
    kText,     // bytes that are no UTF-8, and NUL
    kWord,     // a status or failure_kind that the target does not know
    kCut,      // the end of a text too large
    kLeftOut,  // a roster that is too large, is damaged or is not there
  };
  std::string column;  // "failures.error_message"
  Kind kind = Kind::kInvalid;
  int64_t amount = 0;   // kCut: bytes; else values
  std::string example;  // of the first one: "'year!' as 1970-01-01T00:00:00.000Z"; may be empty

  bool operator==(const Conversion&) const = default;
};

struct ConvertedRun {
  std::string run_id;
  std::vector<Conversion> conversions;  // one for each column and kind

  bool operator==(const ConvertedRun&) const = default;
};

// Adds to the list, or to the entry of the same column and kind.
void AddConversion(std::vector<Conversion>& conversions, Conversion more);

}  // namespace flaky

#endif  // FLAKY_STORES_CONVERSION_H_
