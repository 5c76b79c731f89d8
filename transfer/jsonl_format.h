// SPDX-License-Identifier: MIT
#ifndef FLAKY_TRANSFER_JSONL_FORMAT_H_
#define FLAKY_TRANSFER_JSONL_FORMAT_H_

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "stores/conversion.h"

// What the writer and the reader of the format share (docs/reference/jsonl.md).
namespace flaky {

inline constexpr std::string_view kJsonlFormat = "flaky_history";
inline constexpr int64_t kJsonlMajor = 2;
inline constexpr int64_t kJsonlMinor = 0;
inline constexpr size_t kMaxJsonlLine = 256 << 20;  // bytes, without the newline

// The largest row that fits into a line. Each byte of a text may become six, and the rest needs some space.
inline constexpr StoreLimits kJsonlLimits{.row_bytes = kMaxJsonlLine / 7};

}  // namespace flaky

#endif  // FLAKY_TRANSFER_JSONL_FORMAT_H_
