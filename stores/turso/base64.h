// SPDX-License-Identifier: MIT
#ifndef FLAKY_STORES_TURSO_BASE64_H_
#define FLAKY_STORES_TURSO_BASE64_H_

#include <optional>
#include <string>
#include <string_view>

namespace flaky::turso {

// Returns the bytes as base64 without padding, which is how Hrana sends blobs.
std::string ToBase64(std::string_view bytes);

// Returns the bytes of such a text, padded or not, or nullopt if it has a character that is not of this alphabet.
std::optional<std::string> FromBase64(std::string_view base64);

}  // namespace flaky::turso

#endif  // FLAKY_STORES_TURSO_BASE64_H_
