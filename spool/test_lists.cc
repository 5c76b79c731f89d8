// SPDX-License-Identifier: MIT
#include "spool/test_lists.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <optional>
#include <string_view>
#include <utility>

#include "history/text.h"
#include "history/time.h"
#include "spool/spool_files.h"

namespace flaky {
namespace {

constexpr char kFolder[] = "lists";
constexpr char kCleaned[] = ".cleaned";  // its time: when old lists were removed
constexpr size_t kHashLength = 16;
constexpr int64_t kLargest = 32 << 20;
constexpr size_t kMostNames = 500'000;
constexpr size_t kMostKnown = 32 << 20;  // bytes
constexpr int64_t kKept = 7 * kMicrosPerDay;

bool IsHash(std::string_view text) {
  return text.size() == kHashLength && text.find_first_not_of("0123456789abcdef") == text.npos;
}

int64_t AgeOf(const struct stat& status) {
  return Timestamp::Now().micros - (status.st_mtim.tv_sec * kMicrosPerSecond + status.st_mtim.tv_nsec / 1000);
}

// Returns absent if there is no such file.
std::optional<int64_t> AgeAt(const UniqueFd& folder, const std::string& name) {
  struct stat status {};
  if (fstatat(folder.get(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) return std::nullopt;
  return AgeOf(status);
}

std::string HashOf(std::string_view text) {
  char digits[kHashLength + 1];
  const auto hash = static_cast<unsigned long long>(XXH64(text.data(), text.size(), 0));
  std::snprintf(digits, sizeof digits, "%016llx", hash);
  return digits;
}

// Returns nothing if there are too many names.
std::vector<std::string> NamesOf(std::string_view text) {
  std::vector<std::string> names;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    const std::string_view name = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (name.find('.') == name.npos || !IsStorable(name)) continue;
    if (names.size() == kMostNames) return {};
    names.emplace_back(name);
  }
  std::ranges::sort(names);
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

}  // namespace

void TestLists::Open(const UniqueFd& spool) {
  folder_ = OpenFolderAt(spool, kFolder);
  known_.clear();
  known_bytes_ = 0;
}

TestLists::Names TestLists::Find(const std::string& hash) {
  if (!folder_ || !IsHash(hash)) return nullptr;
  if (const auto found = known_.find(hash); found != known_.end()) return found->second;
  Names names = Read(hash);
  size_t bytes = 0;
  if (names) {
    for (const std::string& name : *names) bytes += sizeof name + name.size();
  }
  if (known_bytes_ + bytes > kMostKnown) {
    known_.clear();
    known_bytes_ = 0;
  }
  known_bytes_ += bytes;
  return known_[hash] = std::move(names);
}

TestLists::Names TestLists::Read(const std::string& hash) {
  const auto file = OpenFileAt(folder_, hash);
  if (!file || file->status.st_size > kLargest) return nullptr;
  const auto text = ReadAt(file->descriptor, 0, static_cast<size_t>(file->status.st_size));
  if (!text) return nullptr;
  if (HashOf(*text) != hash) {
    unlinkat(folder_.get(), hash.c_str(), 0);  // the next test program writes it again
    return nullptr;
  }
  if (AgeOf(file->status) > kMicrosPerDay) futimens(file->descriptor.get(), nullptr);
  return std::make_shared<const std::vector<std::string>>(NamesOf(*text));
}

void TestLists::RemoveOld(const std::function<std::set<std::string>()>& in_use) {
  if (!folder_) return;
  if (const auto age = AgeAt(folder_, kCleaned); age && *age >= 0 && *age < kMicrosPerDay) return;
  const UniqueFd mark(openat(folder_.get(), kCleaned, O_WRONLY | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600));
  if (!mark || futimens(mark.get(), nullptr) != 0) return;
  std::vector<std::string> old;
  for (const std::string& name : NamesIn(folder_)) {
    const bool is_draft = name.starts_with('.') && name != kCleaned;  // of a test program that was killed
    if ((is_draft || IsHash(name)) && AgeAt(folder_, name).value_or(0) > kKept) old.push_back(name);
  }
  if (old.empty()) return;
  const std::set<std::string> used = in_use();
  for (const std::string& name : old) {
    if (!used.contains(name)) unlinkat(folder_.get(), name.c_str(), 0);
  }
}

}  // namespace flaky
