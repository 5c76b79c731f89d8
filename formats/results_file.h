// SPDX-License-Identifier: MIT
#ifndef FLAKY_FORMATS_RESULTS_FILE_H_
#define FLAKY_FORMATS_RESULTS_FILE_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "formats/results_line.h"
#include "history/digest.h"

namespace flaky {

inline constexpr size_t kMaxResultsLine = 256 << 20;  // bytes, without the newline

// A field that the format does not have.
struct UnknownField {
  int64_t first_line = 0;
  int64_t count = 0;
};

// Reads the lines of a file of plain results, one at a time and as often as wanted. A file that can be read only once,
// such as a pipe, is first copied to a temporary file. Compressed files, a byte order mark, CRLF, empty lines and a
// missing last newline are accepted.
class ResultsFile {
 public:
  // `path`: of the file; `-`: standard input. Throws StoreError.
  explicit ResultsFile(const std::string& path, size_t max_line_bytes = kMaxResultsLine);
  ~ResultsFile();
  ResultsFile(ResultsFile&&) noexcept;

  // Returns the path, or "standard input".
  const std::string& name() const;

  // Returns the next line; nullopt at the end. If it has no part_id, one is derived from its content. Throws StoreError
  // (kInvalid), which names the file, the line and the reason, if the line is not one of the format.
  std::optional<ResultsLine> Next();
  // Returns the number of the line that Next returned last, before the end.
  int64_t number() const;

  // Begins again with the first line.
  void Rewind();

  // Cover the lines that were read since the file was opened or rewound: the sum of the digests of their bytes, and the
  // unknown fields, each as a phrase: "field 'colour' of a result".
  const Digest& digest() const;
  const std::map<std::string, UnknownField>& unknown() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace flaky

#endif  // FLAKY_FORMATS_RESULTS_FILE_H_
