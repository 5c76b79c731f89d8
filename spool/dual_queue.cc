// SPDX-License-Identifier: MIT
#include "spool/dual_queue.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/random.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <set>
#include <span>
#include <utility>

#include "history/digest.h"
#include "spool/spool_files.h"
#include "transfer/jsonl_reader.h"
#include "transfer/record_converter.h"

namespace flaky {
namespace {

constexpr char kTrouble[] = ".trouble";
constexpr std::string_view kSuffix = ".jsonl", kPart = ".part";
constexpr size_t kNumberDigits = 10, kHexDigits = 16;
constexpr size_t kNameSize = kNumberDigits + 1 + kHexDigits + 1 + kHexDigits + kSuffix.size();

bool AllOf(std::string_view text, std::string_view characters) {
  return text.find_first_not_of(characters) == std::string_view::npos;
}

// Parses `<number>-<unique>-<holder>.jsonl`. Returns nullopt for any other name.
std::optional<WaitingFile> ReadName(const std::string& name) {
  const std::string_view text(name);
  const size_t unique = kNumberDigits + 1, holder = unique + kHexDigits + 1;
  if (text.size() != kNameSize || !text.ends_with(kSuffix) || text[unique - 1] != '-' || text[holder - 1] != '-' ||
      !AllOf(text.substr(0, kNumberDigits), "0123456789") ||
      !AllOf(text.substr(unique, kHexDigits), "0123456789abcdef") ||
      !AllOf(text.substr(holder, kHexDigits), "0123456789abcdef")) {
    return std::nullopt;
  }
  return WaitingFile{name, std::string(text.substr(holder, kHexDigits))};
}

UniqueFd OpenDual(const std::filesystem::path& spool, const std::string& queue) {
  const UniqueFd folder = OpenFolder(spool.string());
  return folder ? OpenFolderAt(folder, OwnName(folder, queue)) : UniqueFd();
}

// Returns one more than the number of the newest file, so that a later batch is sent later. Two files may have the same
// number: the order only helps users who look into the spool, because a store accepts parts in any order.
int64_t NextNumber(const std::filesystem::path& spool, const std::string& queue) {
  int64_t number = 0;
  for (const WaitingFile& file : ListWaiting(spool, queue)) {
    int64_t other = 0;
    std::from_chars(file.name.data(), file.name.data() + kNumberDigits, other);
    number = std::max(number, other);
  }
  return number + 1;
}

std::string NewName(int64_t number, const std::string& holder) {
  uint64_t unique = 0;
  if (getrandom(&unique, sizeof unique, 0) != sizeof unique) ThrowErrno("the system", "get a random number");
  std::array<char, kNumberDigits + kHexDigits + 2> text{};
  std::snprintf(text.data(), text.size(), "%010llu-%016llx", static_cast<unsigned long long>(number % 10'000'000'000),
                static_cast<unsigned long long>(unique));
  return std::string(text.data()) + '-' + holder + std::string(kSuffix);
}

}  // namespace

std::filesystem::path DualFolder(const std::filesystem::path& spool, const std::string& queue) {
  const UniqueFd folder = OpenFolder(spool.string());
  return spool / (folder ? OwnName(folder, queue) : queue);
}

std::string StoreFingerprint(const std::string& store) { return DigestOf(store).ToString().substr(0, kHexDigits); }

DualWriter::DualWriter(const SpoolLock& lock, const std::string& holder, const std::string& queue)
    : spool_(lock.spool()), folder_(DualFolder(spool_, queue)), holder_(StoreFingerprint(holder)), queue_(queue) {}

void DualWriter::Begin() {
  const UniqueFd spool = OpenFolder(spool_.string());
  const UniqueFd folder = spool ? MakeFolderAt(spool, folder_.filename().string()) : UniqueFd();
  if (!folder) ThrowErrno(folder_.string(), "make the folder");
  // Left by deliveries that were killed. Only the process that holds the spool's lock writes here.
  for (const std::string& name : NamesIn(folder)) {
    if (name.ends_with(kPart)) unlinkat(folder.get(), name.c_str(), 0);
  }
  const std::string path = (folder_ / NewName(NextNumber(spool_, queue_), holder_)).string();
  file_.emplace(path);
  writer_.emplace(JsonlWriter::Origin{"flaky", "dual write", Timestamp::Now()},
                  [this](std::string_view bytes) { file_->Write(bytes); });
}

void DualWriter::Add(RunRecord record) {
  try {
    if (!writer_) Begin();
    RecordConverter(kJsonlLimits, folder_.string()).Fit(record);
    writer_->Write(std::span(&record, 1));
  } catch (...) {
    writer_.reset();
    file_.reset();
    throw;
  }
}

void DualWriter::Flush() {
  if (!writer_) return;
  try {
    writer_->Finish();
    file_->Publish();
  } catch (...) {
    writer_.reset();
    file_.reset();
    throw;
  }
  writer_.reset();
  file_.reset();
}

std::vector<WaitingFile> ListWaiting(const std::filesystem::path& spool, const std::string& queue) {
  std::vector<WaitingFile> files;
  const UniqueFd folder = OpenDual(spool, queue);
  if (!folder) return files;
  for (const std::string& name : NamesIn(folder)) {
    if (auto file = ReadName(name)) files.push_back(std::move(*file));
  }
  std::ranges::sort(files, {}, &WaitingFile::name);
  return files;
}

WaitingSummary SummaryOfWaiting(const std::filesystem::path& spool, const std::string& queue) {
  WaitingSummary summary;
  std::set<std::string> run_ids;
  const UniqueFd folder = OpenDual(spool, queue);
  for (const WaitingFile& file : ListWaiting(spool, queue)) {
    const auto opened = OpenFileAt(folder, file.name);
    if (!opened) continue;  // another process has just sent it
    const timespec& written = opened->status.st_mtim;
    const Timestamp at{written.tv_sec * kMicrosPerSecond + written.tv_nsec / 1000};
    if (!summary.since || at < *summary.since) summary.since = at;
    try {
      JsonlReader reader((DualFolder(spool, queue) / file.name).string());
      while (const auto batch = reader.Next({})) {
        for (const RunRecord& record : batch->records) run_ids.insert(record.run.run_id);
      }
    } catch (const StoreError& error) {
      if (error.kind() != ErrorKind::kMissing) ++summary.unreadable;
    }
  }
  summary.runs = static_cast<int64_t>(run_ids.size());
  return summary;
}

std::optional<DualTrouble> LastDualTrouble(const std::filesystem::path& spool, const std::string& queue) {
  const UniqueFd folder = OpenDual(spool, queue);
  const auto note = folder ? OpenFileAt(folder, kTrouble) : std::nullopt;
  const auto text = note ? ReadUpToNul(note->descriptor) : std::nullopt;
  if (!text || text->empty()) return std::nullopt;
  const timespec& at = note->status.st_mtim;
  return DualTrouble{*text, Timestamp{at.tv_sec * kMicrosPerSecond + at.tv_nsec / 1000}};
}

void NoteDualTrouble(const std::filesystem::path& spool, const std::string& what, const std::string& queue) {
  const UniqueFd folder = OpenDual(spool, queue);
  if (!folder) return;
  if (what.empty()) {
    unlinkat(folder.get(), kTrouble, 0);
    return;
  }
  WriteNoteAt(folder, kTrouble, what);
}

std::optional<SendLock> SendLock::Take(const std::filesystem::path& spool, const std::string& queue) {
  const UniqueFd folder = OpenDual(spool, queue);
  if (!folder) return std::nullopt;
  UniqueFd file(openat(folder.get(), ".lock", O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!file) ThrowErrno(DualFolder(spool, queue).string(), "open its .lock");
  while (flock(file.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK) return std::nullopt;
    if (errno != EINTR) ThrowErrno(DualFolder(spool, queue).string(), "take its .lock");
  }
  return SendLock(spool, DualFolder(spool, queue), std::move(file));
}

}  // namespace flaky
