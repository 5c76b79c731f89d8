// SPDX-License-Identifier: MIT
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <system_error>

#include "formats/format.h"
#include "formats/history_format.h"
#include "formats/results_format.h"
#include "stores/error.h"
#include "transfer/compression.h"
#include "transfer/file_error.h"
#include "transfer/line_reader.h"

namespace flaky {
namespace {

constexpr size_t kBeginning = 64 << 10;

constexpr auto kFormats = std::to_array<Format>({
    {.name = "history",
     .meaning = "everything, for moving a history",
     .is_history = true,
     .is_begin = IsHistory,
     .read = ReadHistory,
     .write = WriteHistory},
    {.name = "results",
     .meaning = "plain results, which any program can write",
     .is_begin = IsResults,
     .read = ReadResults,
     .write = WriteResults},
});

// Returns the first bytes, decompressed.
std::string BeginningOf(const std::string& path) {
  const UniqueFd file = OpenForReading(path);
  const auto raw = [&](char* to, size_t size) {
    ssize_t got = 0;
    do {
      got = read(file.get(), to, size);
    } while (got < 0 && errno == EINTR);
    if (got < 0) ThrowFileError(path, "read it", errno);
    return static_cast<size_t>(got);
  };
  const std::unique_ptr<Decoder> decoder = MakeDecoder(raw, path);
  std::string begin(kBeginning, '\0');
  size_t size = 0;
  while (size < begin.size()) {
    const size_t got = decoder->Read(begin.data() + size, begin.size() - size);
    if (got == 0) break;
    size += got;
  }
  begin.resize(size);
  return begin;
}

}  // namespace

std::span<const Format> FormatTable() { return kFormats; }

const Format* FindFormat(std::string_view name) {
  const auto found = std::ranges::find(kFormats, name, &Format::name);
  return found == kFormats.end() ? nullptr : &*found;
}

const Format& HistoryFormat() { return kFormats.front(); }

const Format* FormatOfFile(const std::string& path) {
  std::error_code none;
  if (!std::filesystem::is_regular_file(path, none)) return nullptr;
  try {
    const std::string begin = BeginningOf(path);
    const auto found = std::ranges::find_if(kFormats, [&](const Format& format) { return format.is_begin(begin); });
    return found == kFormats.end() ? nullptr : &*found;
  } catch (const StoreError&) {
    return nullptr;
  }
}

}  // namespace flaky
