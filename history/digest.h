#ifndef FLAKY_HISTORY_DIGEST_H_
#define FLAKY_HISTORY_DIGEST_H_

#include <cstdint>
#include <string>

#include "history/run.h"

namespace flaky {

// 128 bits that stand for a record's content, or, added up modulo 2^128, for a set of records whatever their order.
struct Digest {
  uint64_t high = 0;
  uint64_t low = 0;

  auto operator<=>(const Digest&) const = default;
  Digest& operator+=(const Digest& other);

  // 32 lower-case hexadecimal digits.
  std::string ToString() const;
};

// The XXH3-128 of the record's canonical bytes: the run's fields, then the parts in order of their ids, then the
// XXH3-128s of the failures in ascending order. A field is its name, then 0 for absent or 1, the value's length and the
// value; integers and times (as microseconds) are 8 bytes, little-endian. Rosters are in it by `roster_id`, itself a
// hash. What a store gives of its own, such as a failure's row id, is not. The same on every machine. (XXH3:
// https://github.com/Cyan4973/xxHash)
Digest DigestOf(const RunRecord& record);

// Of one failure or part alone, over the same bytes.
Digest DigestOf(const Failure& failure);
Digest DigestOf(const Part& part);

// Of any bytes.
Digest DigestOf(std::string_view bytes);

}  // namespace flaky

#endif  // FLAKY_HISTORY_DIGEST_H_
