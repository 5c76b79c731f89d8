// SPDX-License-Identifier: MIT
#ifndef FLAKY_RECORDER_TEXT_HASH_H_
#define FLAKY_RECORDER_TEXT_HASH_H_

#include <cstddef>
#include <cstdint>
#include <cstring>

#pragma GCC visibility push(hidden)
namespace flaky_recorder {

// XXH64 with seed 0, as `xxhsum -H64` computes it, of a text that comes in pieces.
class TextHash {
 public:
  static constexpr std::size_t kStripe = 32;

  // Adds `size` bytes. Precondition: a multiple of kStripe.
  void Add(const char* text, std::size_t size) {
    size_ += size;
    std::uint64_t a = lanes_[0], b = lanes_[1], c = lanes_[2], d = lanes_[3];
    for (const char* const end = text + size; text < end; text += kStripe) {
      a = Round(a, Word64(text));
      b = Round(b, Word64(text + 8));
      c = Round(c, Word64(text + 16));
      d = Round(d, Word64(text + 24));
    }
    lanes_[0] = a, lanes_[1] = b, lanes_[2] = c, lanes_[3] = d;
  }

  // Returns the hash of all that was added and of a rest of fewer than kStripe bytes.
  std::uint64_t Finish(const char* rest, std::size_t rest_size) const {
    std::uint64_t hash = kPrime5;
    if (size_ > 0) {
      hash = Turned(lanes_[0], 1) + Turned(lanes_[1], 7) + Turned(lanes_[2], 12) + Turned(lanes_[3], 18);
      for (const std::uint64_t lane : lanes_) hash = (hash ^ Round(0, lane)) * kPrime1 + kPrime4;
    }
    hash += size_ + rest_size;
    for (; rest_size >= 8; rest += 8, rest_size -= 8)
      hash = Turned(hash ^ Round(0, Word64(rest)), 27) * kPrime1 + kPrime4;
    if (rest_size >= 4) {
      hash = Turned(hash ^ (Word32(rest) * kPrime1), 23) * kPrime2 + kPrime3;
      rest += 4, rest_size -= 4;
    }
    for (; rest_size > 0; ++rest, --rest_size)
      hash = Turned(hash ^ (static_cast<unsigned char>(*rest) * kPrime5), 11) * kPrime1;
    hash = (hash ^ (hash >> 33)) * kPrime2;
    hash = (hash ^ (hash >> 29)) * kPrime3;
    return hash ^ (hash >> 32);
  }

 private:
  static constexpr std::uint64_t kPrime1 = 0x9E3779B185EBCA87u, kPrime2 = 0xC2B2AE3D27D4EB4Fu,
                                 kPrime3 = 0x165667B19E3779F9u, kPrime4 = 0x85EBCA77C2B2AE63u,
                                 kPrime5 = 0x27D4EB2F165667C5u;

  static std::uint64_t Word64(const char* text) {
    std::uint64_t word;
    std::memcpy(&word, text, sizeof word);
    return __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ ? __builtin_bswap64(word) : word;
  }
  static std::uint64_t Word32(const char* text) {
    std::uint32_t word;
    std::memcpy(&word, text, sizeof word);
    return __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ ? __builtin_bswap32(word) : word;
  }
  static std::uint64_t Turned(std::uint64_t word, int bits) { return (word << bits) | (word >> (64 - bits)); }
  static std::uint64_t Round(std::uint64_t lane, std::uint64_t word) {
    return Turned(lane + word * kPrime2, 31) * kPrime1;
  }

  std::uint64_t lanes_[4] = {kPrime1 + kPrime2, kPrime2, 0, 0 - kPrime1};
  std::uint64_t size_ = 0;
};

}  // namespace flaky_recorder
#pragma GCC visibility pop

#endif  // FLAKY_RECORDER_TEXT_HASH_H_
