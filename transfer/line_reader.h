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

// The lines of a file or of standard input, compressed or not, one at a time.
class LineReader {
 public:
  // `file`: a path, or `-` for standard input. Behind a line there are `padding` more bytes that may be read. Throws
  // StoreError.
  LineReader(const std::string& file, size_t max_line_bytes, size_t padding);

  // The file, or "standard input".
  const std::string& name() const { return name_; }

  // The next line without its end; absent at the end of the file. Valid until the next call. Throws StoreError: what
  // reading throws, and kInvalid for a line that is too long or that nothing ends.
  std::optional<std::string_view> Next();

  // Of the last line that Next gave, or could not give; from 1 on.
  int64_t number() const { return number_; }

  // Throws StoreError (kInvalid) that names the file and the last line.
  [[noreturn]] void Refuse(const std::string& what) const;

 private:
  // False at the end.
  bool Fill();

  const size_t max_line_bytes_;
  const size_t padding_;
  UniqueFd file_;
  std::string name_;
  std::unique_ptr<Decoder> decoder_;
  std::vector<char> buffer_;
  size_t begin_ = 0;  // of what is not given out yet
  size_t end_ = 0;    // of what is read
  int64_t number_ = 0;
};

}  // namespace flaky

#endif  // FLAKY_TRANSFER_LINE_READER_H_
