#include "transfer/death_watch.h"

#include <limits.h>
#include <poll.h>
#include <sys/inotify.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <fstream>
#include <string_view>
#include <utility>

#include "transfer/journal_notes.h"

namespace flaky {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

// So many journals end in a second that looking at each by itself would take time from the tests.
constexpr milliseconds kRound{20};

// How many processes of this machine the kernel has killed for want of memory since it started.
int64_t KillsForMemory() {
  std::ifstream vmstat("/proc/vmstat");
  std::string name;
  for (int64_t value = 0; vmstat >> name >> value;) {
    if (name == "oom_kill") return value;
  }
  return 0;
}

// How long ago a process of this boot started; absent where its start is not known.
std::optional<microseconds> AgeOf(const JournalWriter& process) {
  int64_t ticks = 0;
  const char* const end = process.pid_start.data() + process.pid_start.size();
  timespec now{};
  const long per_second = sysconf(_SC_CLK_TCK);
  if (std::from_chars(process.pid_start.data(), end, ticks).ec != std::errc() || per_second <= 0 ||
      clock_gettime(CLOCK_BOOTTIME, &now) != 0) {
    return std::nullopt;
  }
  const int64_t uptime_us = now.tv_sec * kMicrosPerSecond + now.tv_nsec / 1000;
  return microseconds(uptime_us - static_cast<int64_t>(static_cast<double>(ticks) / static_cast<double>(per_second) *
                                                       static_cast<double>(kMicrosPerSecond)));
}

}  // namespace

DeathWatch::DeathWatch(const std::filesystem::path& spool, IsOurs is_ours, TimeLimits& limits)
    : is_ours_(std::move(is_ours)),
      limits_(limits),
      spool_(OpenFolder(spool.string())),
      events_(inotify_init1(IN_CLOEXEC | IN_NONBLOCK)),
      boot_id_(ThisProcess().boot_id),
      kills_seen_(KillsForMemory()) {
  if (!spool_ || !events_) return;
  const std::string path = "/proc/self/fd/" + std::to_string(spool_.get());
  if (inotify_add_watch(events_.get(), path.c_str(), IN_CREATE | IN_CLOSE_WRITE) < 0) {
    events_ = Descriptor();
    return;
  }
  for (std::string& name : NamesIn(spool_)) suspects_.insert(std::move(name));
}

bool DeathWatch::UntilReadable(int descriptor, milliseconds most) {
  const auto until = steady_clock::now() + most;
  for (;;) {
    const auto left = std::max(std::chrono::ceil<milliseconds>(until - steady_clock::now()), milliseconds(0));
    std::array<pollfd, 2> ready{{{descriptor, POLLIN, 0}, {events_.get(), POLLIN, 0}}};
    const bool busy = IsBusy();
    const milliseconds pause = busy ? std::min(left, kRound) : std::min(left, milliseconds(INT_MAX));
    const int count = poll(ready.data(), busy ? 1 : 2, static_cast<int>(pause.count()));
    if (count < 0 && errno != EINTR) return false;
    if (count > 0 && ready[0].revents != 0) return true;
    if (left.count() == 0) return false;
    if (busy) {
      Look();
    } else if (count > 0) {
      ReadEvents();
    }
  }
}

void DeathWatch::Look() {
  if (!events_) return;
  ReadEvents();
  MeetNewest();
  if (suspects_.empty()) return;
  const int64_t kills = KillsForMemory();
  kernel_killed_ = kills > std::exchange(kills_seen_, kills);
  std::erase_if(suspects_, [&](const std::string& name) { return IsSettled(name); });
}

void DeathWatch::ReadEvents() {
  alignas(inotify_event) std::array<char, 16 << 10> buffer;
  for (;;) {
    const ssize_t got = read(events_.get(), buffer.data(), buffer.size());
    if (got <= 0) return;
    for (const char* at = buffer.data(); at < buffer.data() + got;) {
      const auto* const event = reinterpret_cast<const inotify_event*>(at);
      if (event->len > 0 && (event->mask & IN_CREATE) != 0) newest_ = event->name;
      if (event->len > 0 && (event->mask & IN_CLOSE_WRITE) != 0) suspects_.insert(event->name);
      at += sizeof(inotify_event) + event->len;
    }
  }
}

std::optional<Journal> DeathWatch::HeaderOf(const OpenedFile& file) const {
  const auto head = ReadHead(file);
  if (!head) return std::nullopt;
  try {
    Journal header = ParseJournalHeader(*head);
    if (!header.is_command && header.writer.boot_id == boot_id_ && is_ours_(header)) return header;
  } catch (const JournalError&) {  // whoever delivers says so
  }
  return std::nullopt;
}

// By the time of a look, what was made before it has its header; if not, another one will.
void DeathWatch::MeetNewest() {
  const std::string name = std::exchange(newest_, "");
  const auto file = JournalIdOf(name) ? OpenFileAt(spool_, name) : std::nullopt;
  if (!file) return;
  if (const auto header = HeaderOf(*file)) limits_.Meet(*header);
}

bool DeathWatch::IsSettled(const std::string& name) {
  const auto file = JournalIdOf(name) ? OpenFileAt(spool_, name) : std::nullopt;
  if (!file || HasEndLine(*file)) return true;
  const auto header = HeaderOf(*file);
  if (!header) return true;
  limits_.Meet(*header);
  const Alive alive = IsAlive(header->writer);
  if (alive == Alive::kNo) Note(name, *header);
  return alive != Alive::kYes;
}

void DeathWatch::Note(const std::string& name, const Journal& header) {
  JournalDeath death;
  death.at_us = std::max<int64_t>(0, Timestamp::Now().micros - header.started_at.micros);
  death.out_of_memory = kernel_killed_;
  const auto age = AgeOf(header.writer);
  const auto limit = age ? limits_.Of(header) : std::nullopt;
  if (limit && *age >= *limit) death.time_limit_us = limit->count();
  NoteDeath(spool_, name, death);
}

}  // namespace flaky
