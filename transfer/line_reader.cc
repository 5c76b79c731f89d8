// SPDX-License-Identifier: MIT
#include "transfer/line_reader.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "stores/error.h"
#include "transfer/file_error.h"

namespace flaky {
namespace {

constexpr size_t kFirstBuffer = 256 << 10;

std::string NameOf(const std::string& path) { return path == "-" ? "standard input" : path; }

}  // namespace

UniqueFd OpenForReading(const std::string& path) {
  UniqueFd opened(path == "-" ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3) : open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!opened) ThrowFileError(NameOf(path), "open the file", errno);
  return opened;
}

LineReader::LineReader(const std::string& file, size_t max_line_bytes, size_t padding)
    : LineReader(OpenForReading(file), NameOf(file), LastLine::kHasNewline, max_line_bytes, padding) {}

LineReader::LineReader(UniqueFd file, std::string name, LastLine last_line, size_t max_line_bytes, size_t padding)
    : last_line_(last_line),
      max_line_bytes_(max_line_bytes),
      padding_(padding),
      file_(std::move(file)),
      name_(std::move(name)),
      buffer_(kFirstBuffer + padding) {
  const auto read_raw = [fd = file_.get(), shown = name_](char* to, size_t size) {
    ssize_t got = 0;
    do {
      got = read(fd, to, size);
    } while (got < 0 && errno == EINTR);
    if (got < 0) ThrowFileError(shown, "read it", errno);
    return static_cast<size_t>(got);
  };
  decoder_ = MakeDecoder(read_raw, name_);
}

std::optional<std::string_view> LineReader::Next() {
  ++number_;
  for (size_t seen = begin_;;) {
    const void* found = seen == end_ ? nullptr : std::memchr(buffer_.data() + seen, '\n', end_ - seen);
    if (found != nullptr) {
      const size_t length = static_cast<size_t>(static_cast<const char*>(found) - buffer_.data()) - begin_;
      const std::string_view line(buffer_.data() + begin_, length);
      begin_ += length + 1;
      if (length > max_line_bytes_) Refuse("is longer than " + std::to_string(max_line_bytes_) + " bytes");
      return line;
    }
    const size_t kept = end_ - begin_;
    if (kept > max_line_bytes_) Refuse("is longer than " + std::to_string(max_line_bytes_) + " bytes");
    if (!Fill()) {
      if (kept == 0) return std::nullopt;
      if (last_line_ == LastLine::kMayLackNewline)
        return std::string_view(buffer_.data() + std::exchange(begin_, end_), kept);
      Refuse("is incomplete: the file was truncated");
    }
    seen = begin_ + kept;
  }
}

void LineReader::Refuse(int64_t line, const std::string& what) const {
  throw StoreError(ErrorKind::kInvalid, name_, "read it", "", "line " + std::to_string(line) + " " + what);
}

bool LineReader::Fill() {
  if (begin_ > 0) {
    std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
    end_ -= std::exchange(begin_, 0);
  }
  if (end_ + padding_ == buffer_.size()) buffer_.resize(2 * end_ + padding_);
  const size_t got = decoder_->Read(buffer_.data() + end_, buffer_.size() - padding_ - end_);
  end_ += got;
  return got > 0;
}

}  // namespace flaky
