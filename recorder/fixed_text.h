// SPDX-License-Identifier: MIT
#ifndef FLAKY_RECORDER_FIXED_TEXT_H_
#define FLAKY_RECORDER_FIXED_TEXT_H_

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

// Text without allocation. The recorder runs in programs that replace `operator new`, count allocations or run out of
// memory on purpose, so no part of it allocates memory while tests run.
//
// Everything in the recorder's headers is inline and hidden. One program may contain the recorder several times, in
// shared libraries, object libraries and whole archives, and two versions of it must not mix.
#pragma GCC visibility push(hidden)
namespace flaky_recorder {

// Holds at most kCapacity - 1 bytes and a NUL. Bytes that do not fit are dropped; complete() then returns false.
template <std::size_t kCapacity>
class FixedText {
 public:
  void Clear() { size_ = 0, data_[0] = '\0', is_cut_ = false; }

  FixedText& operator+=(std::string_view text) {
    const std::size_t room = kCapacity - 1 - size_;
    if (text.size() > room) {
      is_cut_ = true;
      text = text.substr(0, room);
    }
    if (!text.empty()) std::memcpy(data_ + size_, text.data(), text.size());
    size_ += text.size();
    data_[size_] = '\0';
    return *this;
  }

  // Replaces the text by what `write(out, size)` writes: it returns the number of bytes, or a negative errno. Returns
  // that. A text that fills the whole capacity may have been cut.
  template <typename Write>
  long Fill(const Write& write) {
    Clear();
    const long written = write(data_, kCapacity - 1);
    if (written > 0) size_ = static_cast<std::size_t>(written);
    data_[size_] = '\0';
    is_cut_ = size_ == kCapacity - 1;
    return written;
  }

  bool empty() const { return size_ == 0; }
  bool complete() const { return !is_cut_; }
  const char* c_str() const { return data_; }
  std::string_view view() const { return {data_, size_}; }

 private:
  std::size_t size_ = 0;
  bool is_cut_ = false;
  char data_[kCapacity] = {};
};

// Holds a path of any length that the kernel accepts (PATH_MAX).
using Path = FixedText<4096>;

// Writes the number in decimal digits, independently of the locale. `out` must have room for 20 bytes. Returns the end.
inline char* AppendNumber(char* out, std::int64_t number) { return std::to_chars(out, out + 20, number).ptr; }

inline std::string_view DecimalText(std::int64_t number, char (&buffer)[20]) {
  return {buffer, static_cast<std::size_t>(AppendNumber(buffer, number) - buffer)};
}

}  // namespace flaky_recorder
#pragma GCC visibility pop

#endif  // FLAKY_RECORDER_FIXED_TEXT_H_
