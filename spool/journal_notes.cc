// SPDX-License-Identifier: MIT
#include "spool/journal_notes.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>

#include "history/json_object.h"
#include "spool/journal_parser.h"

namespace flaky {
namespace {

constexpr size_t kHead = 4 << 10;
constexpr size_t kLongestHeader = 16 << 20;
constexpr size_t kTail = 256;

std::string DeathLine(const JournalDeath& death) {
  JsonObject how;
  if (death.signal) how.AddText("signal", *death.signal);
  if (death.exit_code) how.Add("exit_code", std::to_string(*death.exit_code));
  if (death.at_us) how.Add("at_us", std::to_string(*death.at_us));
  if (death.time_limit_us) how.Add("time_limit_us", std::to_string(*death.time_limit_us));
  if (death.out_of_memory) how.Add("out_of_memory", "true");
  if (death.run_continued) how.Add("run_continued", "true");
  if (death.interrupted_by) how.AddText("interrupted_by", *death.interrupted_by);
  return JsonObject().Add("died", how.Take()).Take() + '\n';
}

}  // namespace

std::optional<std::string> ReadHead(const OpenedFile& file) {
  for (size_t size = kHead;; size *= 8) {
    auto head = ReadAt(file.descriptor, 0, size);
    if (!head || head->size() < size || size >= kLongestHeader) return head;
    if (head->find('\n') != std::string::npos || head->find('\0') != std::string::npos) return head;
  }
}

bool HasEndLine(const OpenedFile& file) {
  // A journal is truncated to its length when it is complete, so normally its last bytes are the end line.
  const int64_t start = std::max<int64_t>(0, file.status.st_size - static_cast<int64_t>(kTail));
  const auto tail = ReadAt(file.descriptor, start, kTail);
  if (!tail) return false;
  if (tail->find('\0') == std::string::npos) return EndsWithEndLine(*tail);
  const auto length = LengthUpToNul(file.descriptor);
  const int64_t size = std::min(length.value_or(0), static_cast<int64_t>(kTail));
  const auto end = ReadAt(file.descriptor, length.value_or(0) - size, static_cast<size_t>(size));
  return end && EndsWithEndLine(*end);
}

void NoteDeath(const UniqueFd& spool, const std::string& name, const JournalDeath& death) {
  const auto file = OpenFileAt(spool, name);
  const auto length = file ? LengthUpToNul(file->descriptor) : std::nullopt;
  const auto last = length && *length > 0 ? ReadAt(file->descriptor, *length - 1, 1) : std::nullopt;
  if (!last) return;
  const UniqueFd out(openat(spool.get(), name.c_str(), O_WRONLY | O_NOFOLLOW | O_CLOEXEC));
  if (!out) return;
  const std::string line = (*last == "\n" ? "" : "\n") + DeathLine(death);
  const ssize_t written = pwrite(out.get(), line.data(), line.size(), *length);
  if (written == static_cast<ssize_t>(line.size())) {
    [[maybe_unused]] const int ignored = ftruncate(out.get(), *length + written);
  }
}

void NoteDelivery(const UniqueFd& spool, const std::string& name, const JournalDelivery& delivery) {
  const auto file = OpenFileAt(spool, name);
  if (!file || HasEndLine(*file)) return;
  const UniqueFd out(openat(spool.get(), name.c_str(), O_WRONLY | O_APPEND | O_NOFOLLOW | O_CLOEXEC));
  if (!out) return;
  JsonObject part;
  part.AddText("part_id", delivery.part_id).Add("tests", std::to_string(delivery.tests));
  part.Add("failed", delivery.failed ? "true" : "false");
  const std::string line = JsonObject().Add("delivered", part.Take()).Take() + '\n';
  [[maybe_unused]] const ssize_t ignored = write(out.get(), line.data(), line.size());
}

}  // namespace flaky
