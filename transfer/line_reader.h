// SPDX-License-Identifier: MIT
#ifndef FLAKY_TRANSFER_LINE_READER_H_
#define FLAKY_TRANSFER_LINE_READER_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "transfer/compression.h"
#include "transfer/unique_fd.h"

namespace flaky {

// Opens a file for reading. `path`: `-` for standard input. Throws StoreError.
UniqueFd OpenForReading(const std::string& path);

// What counts as the end of a file.
enum class LastLine { kHasNewline, kMayLackNewline };

// Reads the lines of a file or of standard input, which may be compressed, one at a time.
class LineReader {
 public:
  // `file`: a path, or `-` for standard input. After each line, at least `padding` more bytes of memory may be read.
  // Throws StoreError.
  LineReader(const std::string& file, size_t max_line_bytes, size_t padding);
  // The same for an open file. `name`: for errors.
  LineReader(UniqueFd file, std::string name, LastLine last_line, size_t max_line_bytes, size_t padding);

  // Returns the path, or "standard input".
  const std::string& name() const { return name_; }

  // Returns the next line without its newline; nullopt at the end of the file. Valid until the next call. Throws
  // StoreError, with kInvalid if the line is too long or has no newline (LastLine::kHasNewline).
  std::optional<std::string_view> Next();

  // Returns the number of the line that the last call of Next returned or refused, counted from 1.
  int64_t number() const { return number_; }

  // Throws StoreError (kInvalid), which names the file and the line of that number, or the line that number() returns.
  [[noreturn]] void Refuse(int64_t line, const std::string& what) const;
  [[noreturn]] void Refuse(const std::string& what) const { Refuse(number_, what); }

 private:
  // Returns false at the end.
  bool Fill();

  const LastLine last_line_;
  const size_t max_line_bytes_;
  const size_t padding_;
  UniqueFd file_;
  std::string name_;
  std::unique_ptr<Decoder> decoder_;
  std::vector<char> buffer_;
  size_t begin_ = 0;  // of the bytes that were not returned yet
  size_t end_ = 0;    // of the bytes that were read
  int64_t number_ = 0;
};

}  // namespace flaky

#endif  // FLAKY_TRANSFER_LINE_READER_H_
