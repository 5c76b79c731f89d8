// SPDX-License-Identifier: MIT
#include "formats/rereadable.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>

#include "transfer/file_error.h"
#include "transfer/line_reader.h"

namespace flaky {
namespace {

constexpr size_t kPiece = 64 << 10;

UniqueFd TemporaryFile(const std::string& name) {
  const char* const folder = std::getenv("TMPDIR");
  std::string path = std::string(folder == nullptr || *folder == '\0' ? "/tmp" : folder) + "/flaky-XXXXXX";
  UniqueFd file(mkostemp(path.data(), O_CLOEXEC));
  if (!file) ThrowFileError(name, "copy it to a temporary file (" + path + ")", errno);
  unlink(path.c_str());
  return file;
}

void CopyAll(const std::string& name, int from, int to) {
  std::array<char, kPiece> piece;
  for (;;) {
    const ssize_t got = read(from, piece.data(), piece.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) ThrowFileError(name, "read it", errno);
    if (got == 0) return;
    for (ssize_t done = 0; done < got;) {
      const ssize_t written = write(to, piece.data() + done, static_cast<size_t>(got - done));
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) ThrowFileError(name, "copy it to a temporary file", errno);
      done += written;
    }
  }
}

}  // namespace

Rereadable::Rereadable(const std::string& path) : name_(path == "-" ? "standard input" : path) {
  UniqueFd opened = OpenForReading(path);
  struct stat status {};
  if (fstat(opened.get(), &status) != 0) ThrowFileError(name_, "read it", errno);
  if (S_ISDIR(status.st_mode)) ThrowFileError(name_, "read it", EISDIR);
  if (!S_ISREG(status.st_mode)) {
    file_ = TemporaryFile(name_);
    CopyAll(name_, opened.get(), file_.get());
  } else if (path == "-") {
    begin_ = lseek(opened.get(), 0, SEEK_CUR);
    file_ = std::move(opened);
  }
}

UniqueFd Rereadable::Open() const {
  if (!file_) return OpenForReading(name_);
  UniqueFd again(fcntl(file_.get(), F_DUPFD_CLOEXEC, 3));
  if (!again || lseek(again.get(), begin_, SEEK_SET) < 0) ThrowFileError(name_, "read it", errno);
  return again;
}

}  // namespace flaky
