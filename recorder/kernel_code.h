// SPDX-License-Identifier: MIT
#ifndef FLAKY_RECORDER_KERNEL_CODE_H_
#define FLAKY_RECORDER_KERNEL_CODE_H_

#include <elf.h>
#include <link.h>

#include <cstddef>
#include <cstdint>
#include <string_view>

#pragma GCC visibility push(hidden)
namespace flaky_recorder {

// Returns the address of a function in the library that the kernel maps into every process (vDSO), or null. `image` is
// where it is, or null. The library is a complete ELF image, so its symbols are found as a dynamic linker finds them.
inline void* FindKernelCode(const char* image, std::string_view name) {
  if (image == nullptr) return nullptr;
  const auto* const file = reinterpret_cast<const ElfW(Ehdr)*>(image);
  const auto* const segments = reinterpret_cast<const ElfW(Phdr)*>(image + file->e_phoff);
  const char* base = nullptr;  // what the image's addresses are relative to
  const ElfW(Dyn)* dynamic = nullptr;
  for (int at = 0; at < file->e_phnum; ++at) {
    const auto& segment = segments[at];
    if (segment.p_type == PT_LOAD && base == nullptr) base = image + segment.p_offset - segment.p_vaddr;
    if (segment.p_type == PT_DYNAMIC) dynamic = reinterpret_cast<const ElfW(Dyn)*>(image + segment.p_offset);
  }
  if (base == nullptr || dynamic == nullptr) return nullptr;

  const ElfW(Sym)* symbols = nullptr;
  const char* names = nullptr;
  const std::uint32_t *hash = nullptr, *gnu_hash = nullptr;
  for (; dynamic->d_tag != DT_NULL; ++dynamic) {
    const char* const at = base + dynamic->d_un.d_ptr;
    if (dynamic->d_tag == DT_SYMTAB) symbols = reinterpret_cast<const ElfW(Sym)*>(at);
    if (dynamic->d_tag == DT_STRTAB) names = at;
    if (dynamic->d_tag == DT_HASH) hash = reinterpret_cast<const std::uint32_t*>(at);
    if (dynamic->d_tag == DT_GNU_HASH) gnu_hash = reinterpret_cast<const std::uint32_t*>(at);
  }
  if (symbols == nullptr || names == nullptr) return nullptr;

  std::uint32_t count = 0;  // of symbols, which only the hash tables tell
  if (hash != nullptr) {
    count = hash[1];
  } else if (gnu_hash != nullptr) {
    const std::uint32_t buckets = gnu_hash[0], first = gnu_hash[1], bloom_words = gnu_hash[2];
    const std::uint32_t* const bucket = gnu_hash + 4 + bloom_words * (sizeof(ElfW(Addr)) / 4);
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
    if (symbol.st_shndx != SHN_UNDEF && (symbol.st_info & 15) == STT_FUNC && name == names + symbol.st_name) {
      return const_cast<char*>(base) + symbol.st_value;
    }
  }
  return nullptr;
}

}  // namespace flaky_recorder
#pragma GCC visibility pop

#endif  // FLAKY_RECORDER_KERNEL_CODE_H_
