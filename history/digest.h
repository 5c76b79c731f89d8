// SPDX-License-Identifier: MIT
#ifndef FLAKY_HISTORY_DIGEST_H_
#define FLAKY_HISTORY_DIGEST_H_

#include <cstdint>
#include <string>

#include "history/run.h"

namespace flaky {

// 128 bits that identify a record's content. Added up modulo 2^128, they identify a set of records in any order.
struct Digest {
  uint64_t high = 0;
  uint64_t low = 0;

  auto operator<=>(const Digest&) const = default;
  Digest& operator+=(const Digest& other);

  // Returns 32 lower-case hexadecimal digits.
  std::string ToString() const;
};

// Returns the XXH3-128 of the record's canonical bytes: the run's fields, then the parts in order of their ids, then
// the XXH3-128s of the failures in ascending order. A field is its name, then 0 if it is absent, or else 1, the value's
// length and the value. Integers and times (as microseconds) are 8 bytes, little-endian. A roster is represented by its
// `roster_id`, which is itself a hash. Values that a store adds, such as a failure's row id, are not part of the
// digest. The result is the same on every machine. (XXH3: https://github.com/Cyan4973/xxHash)
Digest DigestOf(const RunRecord& record);

// Returns the digest of one failure or part, over the same bytes.
Digest DigestOf(const Failure& failure);
Digest DigestOf(const Part& part);

// Returns the XXH3-128 of any bytes.
Digest DigestOf(std::string_view bytes);

}  // namespace flaky

#endif  // FLAKY_HISTORY_DIGEST_H_
