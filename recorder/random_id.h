// SPDX-License-Identifier: MIT
#ifndef FLAKY_RECORDER_RANDOM_ID_H_
#define FLAKY_RECORDER_RANDOM_ID_H_

#include <time.h>

#include <cstdint>
#include <cstring>
#include <string_view>

#include "clock.h"
#include "system_calls.h"

#pragma GCC visibility push(hidden)
namespace flaky_recorder {

// Returns the milliseconds since 1970, as RandomId takes them.
inline std::int64_t WallMilliseconds() { return WallMicroseconds() / 1000; }

// When the program was loaded; 0 if it is not known. A process that it forks has the same.
inline std::int64_t load_time = 0;
inline void NoteLoadTime() { load_time = WallMilliseconds(); }

// A UUID of version 7 (RFC 9562) as 32 hexadecimal digits without hyphens, and a NUL: 48 bits of time, then random
// ones. So ids of one time are next to each other in an index.
class RandomId {
 public:
  void Make() {
    constexpr unsigned kDoNotWait = 1;  // GRND_NONBLOCK
    std::uint64_t words[2] = {};
    if (sys::GetRandom(words, sizeof words, kDoNotWait) != long{sizeof words}) {
      // Early at boot, or a sandbox forbids the call. Mixes the time, the pid and an address instead.
      words[0] = Mix(static_cast<std::uint64_t>(AskKernel(CLOCK_REALTIME)));
      words[1] = Mix(words[0] ^ static_cast<std::uint64_t>(AskKernel(CLOCK_MONOTONIC)) ^
                     (static_cast<std::uint64_t>(sys::GetPid()) << 40) ^ reinterpret_cast<std::uintptr_t>(&words));
    }
    Write(WallMilliseconds(), words);
  }

  // Makes the id that is the same for all who know the same time and the same 16 bytes, which cannot be read in it.
  void MakeFrom(std::int64_t milliseconds, const void* bytes) {
    std::uint64_t words[2];
    std::memcpy(words, bytes, sizeof words);
    words[0] = Mix(words[0] + Mix(words[1]));
    words[1] = Mix(words[1] ^ words[0]);
    Write(milliseconds, words);
  }

  bool made() const { return digits_[0] != '\0'; }
  std::string_view view() const { return {digits_, 32}; }

 private:
  void Write(std::int64_t milliseconds, std::uint64_t (&words)[2]) {
    constexpr std::uint64_t kVersion7 = 7, kVariantOfRfc = 2;
    words[0] = (static_cast<std::uint64_t>(milliseconds) << 16) | (kVersion7 << 12) | (words[0] & 0xFFF);
    words[1] = (kVariantOfRfc << 62) | (words[1] >> 2);
    for (int digit = 0; digit < 32; ++digit) {
      digits_[digit] = "0123456789abcdef"[(words[digit / 16] >> (60 - digit % 16 * 4)) & 15];
    }
  }
  static std::uint64_t Mix(std::uint64_t word) {  // splitmix64
    word += 0x9E3779B97F4A7C15u;
    word = (word ^ (word >> 30)) * 0xBF58476D1CE4E5B9u;
    word = (word ^ (word >> 27)) * 0x94D049BB133111EBu;
    return word ^ (word >> 31);
  }
  char digits_[33] = {};
};

}  // namespace flaky_recorder
#pragma GCC visibility pop

#endif  // FLAKY_RECORDER_RANDOM_ID_H_
