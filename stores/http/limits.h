// SPDX-License-Identifier: MIT
#ifndef FLAKY_STORES_HTTP_LIMITS_H_
#define FLAKY_STORES_HTTP_LIMITS_H_

#include <cstddef>
#include <string_view>

// The limits for every answer of an HTTP server, which may be faulty or malicious. docs/stores/turso.md and
// docs/stores/supabase.md state them for users.
namespace flaky::http {

// Bytes per second, of the request and of the answer's body as they are transferred. After the grace period
// (Options::idle_timeout), a transfer whose average since its beginning is lower is ended, and so is one that is slower
// for a whole such period. So a server that sends single bytes does not keep a command busy.
inline constexpr size_t kLeastBytesPerSecond = 4096;

// For all header lines of an answer, including interim answers (1xx) and trailers.
inline constexpr size_t kLongestHeaders = 256 << 10;

// For an answer that is collected before it is parsed, decompressed.
inline constexpr size_t kLongestAnswer = 16 << 20;

// For the values of such an answer: parsing takes about 24 bytes for each, in addition to its text.
inline constexpr size_t kMostValues = 3 << 19;

// For a request's error message; the rest of the answer is not looked at.
inline constexpr size_t kLongestRefusal = 64 << 10;

// Returns true if the JSON text may have more than `most` values: if it contains more separators and opening brackets.
bool HasMoreValues(std::string_view json, size_t most = kMostValues);

}  // namespace flaky::http

#endif  // FLAKY_STORES_HTTP_LIMITS_H_
