// SPDX-License-Identifier: MIT
#ifndef FLAKY_SETTINGS_SMALL_FILE_H_
#define FLAKY_SETTINGS_SMALL_FILE_H_

#include <cstddef>
#include <filesystem>
#include <string>

namespace flaky {

// Returns the content of a file that other programs write, or an empty text if it is missing, cannot be read, is not a
// regular file or is longer than `limit` bytes. Never blocks.
std::string ContentOf(const std::filesystem::path& file, size_t limit);

// Returns the first line of such a file, without its end. Returns an empty text if the line is longer than a path can
// be.
std::string FirstLineOf(const std::filesystem::path& file);

}  // namespace flaky

#endif  // FLAKY_SETTINGS_SMALL_FILE_H_
