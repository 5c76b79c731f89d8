// SPDX-License-Identifier: MIT
#ifndef FLAKY_RECORDER_KERNEL_CODE_H_
#define FLAKY_RECORDER_KERNEL_CODE_H_

#include <cstddef>
#include <cstdint>
#include <string_view>

#pragma GCC visibility push(hidden)
namespace flaky_recorder {

// The parts of an ELF image of 64 bits that are needed here, as <elf.h> has them. A project may have a header of that
// name.
namespace elf {
struct File {
  unsigned char unused[32];
  std::uint64_t segments_at;
  unsigned char unused_too[16];
  std::uint16_t segment_count;
};
struct Segment {
  std::uint32_t type, flags;
  std::uint64_t offset, address, unused[4];
};
struct Dynamic {
  std::int64_t tag;
  std::uint64_t address;
};
struct Symbol {
  std::uint32_t name;
  unsigned char info, other;
  std::uint16_t section;
  std::uint64_t value, size;
};
inline constexpr std::uint32_t kLoad = 1, kDynamic = 2;
inline constexpr std::int64_t kEnd = 0, kHash = 4, kNames = 5, kSymbols = 6, kGnuHash = 0x6ffffef5;
inline constexpr int kFunction = 2, kUndefined = 0;
}  // namespace elf

// Returns the address of a function in the library that the kernel maps into every process (vDSO), or null. `image` is
// where it is, or null. The library is a complete ELF image, so its symbols are found as a dynamic linker finds them.
inline void* FindKernelCode(const char* image, std::string_view name) {
  if (image == nullptr || sizeof(void*) != 8) return nullptr;
  const auto* const file = reinterpret_cast<const elf::File*>(image);
  const auto* const segments = reinterpret_cast<const elf::Segment*>(image + file->segments_at);
  const char* base = nullptr;  // what the image's addresses are relative to
  const elf::Dynamic* dynamic = nullptr;
  for (int at = 0; at < file->segment_count; ++at) {
    const auto& segment = segments[at];
    if (segment.type == elf::kLoad && base == nullptr) base = image + segment.offset - segment.address;
    if (segment.type == elf::kDynamic) dynamic = reinterpret_cast<const elf::Dynamic*>(image + segment.offset);
  }
  if (base == nullptr || dynamic == nullptr) return nullptr;

  const elf::Symbol* symbols = nullptr;
  const char* names = nullptr;
  const std::uint32_t *hash = nullptr, *gnu_hash = nullptr;
  for (; dynamic->tag != elf::kEnd; ++dynamic) {
    const char* const at = base + dynamic->address;
    if (dynamic->tag == elf::kSymbols) symbols = reinterpret_cast<const elf::Symbol*>(at);
    if (dynamic->tag == elf::kNames) names = at;
    if (dynamic->tag == elf::kHash) hash = reinterpret_cast<const std::uint32_t*>(at);
    if (dynamic->tag == elf::kGnuHash) gnu_hash = reinterpret_cast<const std::uint32_t*>(at);
  }
  if (symbols == nullptr || names == nullptr) return nullptr;

  std::uint32_t count = 0;  // of symbols, which only the hash tables tell
  if (hash != nullptr) {
    count = hash[1];
  } else if (gnu_hash != nullptr) {
    const std::uint32_t buckets = gnu_hash[0], first = gnu_hash[1], bloom_words = gnu_hash[2];
    const std::uint32_t* const bucket = gnu_hash + 4 + bloom_words * (sizeof(void*) / 4);
    for (std::uint32_t at = 0; at < buckets; ++at) {
      if (bucket[at] > count) count = bucket[at];
    }
    if (count >= first) {
      const std::uint32_t* const chain = bucket + buckets;
      while ((chain[count - first] & 1) == 0) ++count;  // the last symbol of a chain has the bit
      ++count;
    }
  }
  for (std::uint32_t at = 0; at < count; ++at) {
    const auto& symbol = symbols[at];
    if (symbol.section != elf::kUndefined && (symbol.info & 15) == elf::kFunction && name == names + symbol.name) {
      return const_cast<char*>(base) + symbol.value;
    }
  }
  return nullptr;
}

}  // namespace flaky_recorder
#pragma GCC visibility pop

#endif  // FLAKY_RECORDER_KERNEL_CODE_H_
