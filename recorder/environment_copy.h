// SPDX-License-Identifier: MIT
#ifndef FLAKY_RECORDER_ENVIRONMENT_COPY_H_
#define FLAKY_RECORDER_ENVIRONMENT_COPY_H_

#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstring>
#include <string_view>

#include "system_calls.h"

#pragma GCC visibility push(hidden)
namespace flaky_recorder {

// Returns the variable's text, or an empty text if it is not set.
inline std::string_view TextIn(char* const* environment, std::string_view name) {
  for (char* const* entry = environment; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    if (text.size() > name.size() && text[name.size()] == '=' && text.substr(0, name.size()) == name) {
      return text.substr(name.size() + 1);
    }
  }
  return {};
}

// The environment at the start of the test program; tests may change the program's own. Not in the heap:
// memory checkers count what is left there.
class EnvironmentCopy {
 public:
  // Copies the current environment. Returns false if there is not enough memory.
  bool Take() {
    Release();
    std::size_t count = 1, bytes = 0;
    for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry, ++count)
      bytes += std::strlen(*entry) + 1;
    size_ = count * sizeof(char*) + bytes;
    long error = 0;
    entries_ = static_cast<char**>(sys::Map(size_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0, error));
    if (entries_ == nullptr) return false;
    char* text = reinterpret_cast<char*>(entries_ + count);
    for (std::size_t at = 0; at + 1 < count; ++at) {
      const std::size_t size = std::strlen(environ[at]) + 1;
      entries_[at] = static_cast<char*>(std::memcpy(text, environ[at], size));
      text += size;
    }
    entries_[count - 1] = nullptr;
    return true;
  }

  void Release() {
    if (entries_ != nullptr) sys::Unmap(entries_, size_);
    entries_ = nullptr;
  }

  // The copy; without one, the current environment.
  char** entries() const { return entries_ != nullptr ? entries_ : environ; }

 private:
  char** entries_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace flaky_recorder
#pragma GCC visibility pop

#endif  // FLAKY_RECORDER_ENVIRONMENT_COPY_H_
