// SPDX-License-Identifier: MIT
#ifndef FLAKY_RECORDER_TEST_LIST_H_
#define FLAKY_RECORDER_TEST_LIST_H_

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "disk_space.h"
#include "events.h"
#include "fixed_text.h"
#include "spool_folder.h"
#include "system_calls.h"
#include "text_hash.h"

#pragma GCC visibility push(hidden)
namespace flaky_recorder {

// The names of all tests that a program has registered, also of those that a filter or a shard leaves out. The spool
// keeps each such list once, as `lists/HASH`: one name per line, in the order of registration. A program whose list is
// there already only computes the hash. After any error there is no list; nothing depends on it.
class TestList {
 public:
  // Computes the hash of the names.
  void Read(const void* unit_test, VisitTests visit) {
    hash_ = TextHash();
    fits_ = true;
    size_ = 0;
    digits_[0] = '\0';
    visit_ = visit;
    unit_test_ = unit_test;
    VisitAll(-1);
    if (!fits_ || size_ == 0) return;
    // AddName leaves less than a stripe only when it empties the text.
    HashWholeStripes();
    WriteHash(hash_.Finish(text_, text_size_));
  }

  // Returns the hash as 16 hexadecimal digits; empty if there is no list.
  std::string_view hash() const { return {digits_, digits_[0] == '\0' ? 0 : kDigits}; }

  // Writes the list into the spool, unless it is there. `draft` is a unique file name; the paths are
  // room for one each.
  void Keep(const Path& spool, std::string_view draft, Path& path, Path& draft_path) {
    if (hash().empty()) return;
    path.Clear();
    ((path += spool.view()) += "/lists/") += hash();
    if (sys::Status known; sys::StatusOfLink(path.c_str(), known) == 0 && known.size == size_) return;
    if (!path.complete() || CheckFileLimit(size_) != 0) return;
    draft_path.Clear();
    (draft_path += spool.view()) += "/lists";
    sys::MakeFolder(draft_path.c_str(), 0700);
    if (!IsOwnFolder(draft_path.c_str())) return;
    (draft_path += "/.") += draft;
    if (!draft_path.complete()) return;
    const long fd = sys::Open(draft_path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) return;
    VisitAll(static_cast<int>(fd));
    Empty();
    sys::Close(static_cast<int>(fd));
    if (!fits_ || sys::Rename(draft_path.c_str(), path.c_str()) != 0) sys::Unlink(draft_path.c_str());
  }

 private:
  static constexpr std::size_t kDigits = 16;
  static constexpr std::size_t kLongestList = std::size_t{32} << 20;

  // `fd`: of the file to write; negative: only the hash is computed.
  void VisitAll(int fd) {
    fd_ = fd;
    text_size_ = suite_size_ = 0;
    suite_ = nullptr;
    visit_(unit_test_, TakeName, this);
  }

  static void TakeName(void* list, const char* suite, const char* name) {
    static_cast<TestList*>(list)->AddName(suite, name);
  }

  void AddName(const char* suite, const char* name) {
    if (suite != suite_) {
      suite_ = suite;
      suite_size_ = std::strlen(suite);
    }
    const std::size_t name_size = std::strlen(name), size = suite_size_ + name_size + 2;
    if (size > sizeof text_ - text_size_) Empty();
    if (size > sizeof text_ - text_size_) fits_ = false;  // no such list
    if (!fits_) return;
    char* out = text_ + text_size_;
    std::memcpy(out, suite, suite_size_);
    out += suite_size_;
    *out++ = '.';
    std::memcpy(out, name, name_size);
    out[name_size] = '\n';
    text_size_ += size;
    if (fd_ < 0) {
      size_ += size;
      fits_ = size_ <= kLongestList;
    } else if (std::string_view(suite, suite_size_).find('\n') != std::string_view::npos ||
               std::string_view(name, name_size).find('\n') != std::string_view::npos) {
      fits_ = false;  // a line would not be a name
    }
  }

  // Makes room in the text by hashing or writing what is in it.
  void Empty() { fd_ < 0 ? HashWholeStripes() : WriteText(); }

  void HashWholeStripes() {
    const std::size_t whole = text_size_ / TextHash::kStripe * TextHash::kStripe;
    hash_.Add(text_, whole);
    text_size_ -= whole;
    std::memmove(text_, text_ + whole, text_size_);
  }

  void WriteText() {
    for (std::size_t at = 0; fits_ && at < text_size_;) {
      const long written = sys::Write(fd_, text_ + at, text_size_ - at);
      if (written == -EINTR) continue;
      if (written <= 0) fits_ = false;
      if (written > 0) at += static_cast<std::size_t>(written);
    }
    text_size_ = 0;
  }

  void WriteHash(std::uint64_t hash) {
    for (std::size_t digit = 0; digit < kDigits; ++digit) {
      digits_[digit] = "0123456789abcdef"[(hash >> (60 - digit * 4)) & 15];
    }
  }

  VisitTests visit_ = nullptr;
  const void* unit_test_ = nullptr;
  TextHash hash_;
  bool fits_ = true;      // and every name can be a line
  std::size_t size_ = 0;  // of the list
  int fd_ = -1;
  const char* suite_ = nullptr;  // the last suite
  std::size_t suite_size_ = 0;
  std::size_t text_size_ = 0;
  char digits_[kDigits + 1] = {};
  char text_[8192] = {};
};

}  // namespace flaky_recorder
#pragma GCC visibility pop

#endif  // FLAKY_RECORDER_TEST_LIST_H_
