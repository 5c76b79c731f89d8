// SPDX-License-Identifier: MIT
#include "delivery/background_trouble.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <cstdint>
#include <string_view>
#include <utility>

#include "spool/spool_files.h"

namespace flaky {
namespace {

constexpr char kNote[] = "trouble";
constexpr size_t kLongest = 4096;

std::optional<std::pair<OpenedFile, Timestamp>> OpenNote(const UniqueFd& folder) {
  if (!folder) return std::nullopt;
  auto note = OpenFileAt(folder, kNote);
  if (!note) return std::nullopt;
  const auto& time = note->status.st_mtim;
  return std::pair(std::move(*note), Timestamp{time.tv_sec * kMicrosPerSecond + time.tv_nsec / 1000});
}

// What the handler of SIGALRM needs, prepared because it may only make system calls.
struct AtAlarm {
  int spool = -1;
  std::string text, line;
  int exit_code = 0;
};

AtAlarm* at_alarm = nullptr;

void OnAlarm(int) {
  const AtAlarm& plan = *at_alarm;
  [[maybe_unused]] ssize_t ignored = 0;  // there is nowhere left to report that it cannot be written
  if (!IsUnread()) {
    ignored = write(STDERR_FILENO, plan.line.data(), plan.line.size());
  } else {
    const int note = openat(plan.spool, kNote, O_WRONLY | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
    struct stat status {};
    // In a shared spool, another user may have created it.
    const bool is_own = fstat(note, &status) == 0 && S_ISREG(status.st_mode) && status.st_uid == geteuid();
    if (is_own && ftruncate(note, 0) == 0) ignored = write(note, plan.text.data(), plan.text.size());
  }
  _exit(plan.exit_code);
}

}  // namespace

void KeepTrouble(const std::string& spool, const std::string& text) {
  if (const UniqueFd folder = OpenFolder(spool)) {
    WriteNoteAt(folder, kNote, std::string_view(text).substr(0, kLongest));
  }
}

std::optional<BackgroundTrouble> ReadTrouble(const std::string& spool) {
  const auto note = OpenNote(OpenFolder(spool));
  if (!note) return std::nullopt;
  auto text = ReadAt(note->first.descriptor, 0, kLongest);
  if (!text || text->empty()) return std::nullopt;
  return BackgroundTrouble{note->second, std::move(*text)};
}

void ForgetTrouble(const std::string& spool, const BackgroundTrouble& trouble) {
  const UniqueFd folder = OpenFolder(spool);
  const auto note = OpenNote(folder);
  if (note && note->second == trouble.time) unlinkat(folder.get(), kNote, 0);
}

void ReportAtAlarm(const std::string& spool, const std::string& text, int exit_code) {
  // Never freed: the signal may arrive until the process has ended.
  static AtAlarm plan;
  plan = {OpenFolder(spool).Release(), text, "flaky: " + text + '\n', exit_code};
  at_alarm = &plan;
  std::signal(SIGALRM, OnAlarm);
}

bool IsUnread() {
  pollfd output{STDERR_FILENO, 0, 0};
  return poll(&output, 1, 0) == 1 && (output.revents & (POLLERR | POLLNVAL)) != 0;
}

}  // namespace flaky
