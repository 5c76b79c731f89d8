#ifndef FLAKY_STORES_TURSO_BASE64_H_
#define FLAKY_STORES_TURSO_BASE64_H_

#include <string>
#include <string_view>

namespace flaky::turso {

// Bytes as base64 without padding, as Hrana has blobs.
std::string ToBase64(std::string_view bytes);

// The bytes of such a text, padded or not; what is behind the first character that is no digit does not count.
std::string FromBase64(std::string_view base64);

}  // namespace flaky::turso

#endif  // FLAKY_STORES_TURSO_BASE64_H_
