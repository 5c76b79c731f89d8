// SPDX-License-Identifier: MIT
#ifndef FLAKY_STORES_TURSO_BASE64_H_
#define FLAKY_STORES_TURSO_BASE64_H_

#include <string>
#include <string_view>

namespace flaky::turso {

// Returns the bytes as base64 without padding, which is how Hrana sends blobs.
std::string ToBase64(std::string_view bytes);

// Returns the bytes of such a text, padded or not. Ignores everything from the first character that isn't a digit.
std::string FromBase64(std::string_view base64);

}  // namespace flaky::turso

#endif  // FLAKY_STORES_TURSO_BASE64_H_
