// SPDX-License-Identifier: MIT
#include "spool/death_watch.h"

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

#include "spool/journal_header.h"
#include "spool/journal_notes.h"

namespace flaky {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

// Scans in rounds: so many journals may end in a second that checking each one as it ends would slow the tests down.
constexpr milliseconds kRound{20};
// Programs that end sooner are not examined while they run.
constexpr milliseconds kStays{100};
// Limits are counted from some time before the process starts. With Bazel, that time is longer.
constexpr milliseconds kEarly{100}, kEarlyOfBazel{500};
// Ctrl-C ends all processes of a run at once. On a busy machine, the one that started the others may need this long.
constexpr milliseconds kEndsTogether{1'000};

// Returns how many processes of this machine the kernel has killed since boot because memory was short.
int64_t KillsForMemory() {
  std::ifstream vmstat("/proc/vmstat");
  std::string name;
  for (int64_t value = 0; vmstat >> name >> value;) {
    if (name == "oom_kill") return value;
  }
  return 0;
}

std::optional<microseconds> SinceBoot() {
  timespec now{};
  if (clock_gettime(CLOCK_BOOTTIME, &now) != 0) return std::nullopt;
  return microseconds(now.tv_sec * kMicrosPerSecond + now.tv_nsec / 1000);
}

// Returns when a process of this machine started, since boot.
std::optional<microseconds> StartOf(int64_t pid) {
  int64_t ticks = 0;
  const std::string text = ProcessHere(pid).pid_start;
  const auto error = std::from_chars(text.data(), text.data() + text.size(), ticks).ec;
  const long per_second = sysconf(_SC_CLK_TCK);
  if (error != std::errc() || per_second <= 0) return std::nullopt;
  return microseconds(ticks * (kMicrosPerSecond / per_second));
}

}  // namespace

DeathWatch::DeathWatch(const std::filesystem::path& spool, IsOurs is_ours, TimeLimits& limits)
    : is_ours_(std::move(is_ours)),
      limits_(limits),
      spool_(OpenFolder(spool.string())),
      events_(inotify_init1(IN_CLOEXEC | IN_NONBLOCK)),
      here_(ThisProcess()),
      kills_seen_(KillsForMemory()) {
  if (!spool_ || !events_) return;
  const std::string path = "/proc/self/fd/" + std::to_string(spool_.get());
  if (inotify_add_watch(events_.get(), path.c_str(), IN_CREATE | IN_CLOSE_WRITE) < 0) {
    events_ = UniqueFd();
    return;
  }
  for (const std::string& name : NamesIn(spool_)) {
    writers_[name].seen = steady_clock::now();
    suspects_.insert(name);
  }
}

bool DeathWatch::IsBusy() const {
  return !suspects_.empty() || !dead_.empty() ||
         std::ranges::any_of(writers_, [](const auto& entry) { return !entry.second.met; });
}

bool DeathWatch::UntilReadable(int descriptor, milliseconds most) {
  const auto until = steady_clock::now() + most;
  for (;;) {
    const auto left = std::max(std::chrono::ceil<milliseconds>(until - steady_clock::now()), milliseconds(0));
    std::array<pollfd, 2> ready{{{descriptor, POLLIN, 0}, {events_.get(), POLLIN, 0}}};
    const bool busy = IsBusy();
    const milliseconds pause = busy ? std::min(left, kRound) : std::min(left, milliseconds(INT_MAX));
    const auto looked = steady_clock::now();
    const int count = poll(ready.data(), busy ? 1 : 2, static_cast<int>(pause.count()));
    if (count < 0 && errno != EINTR) return false;
    if (count > 0 && ready[0].revents != 0) return true;
    NoteContinued(looked);
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
  MeetLongRunning();
  if (suspects_.empty()) return;
  const int64_t kills = KillsForMemory();
  kernel_killed_ = kills > std::exchange(kills_seen_, kills);
  std::erase_if(suspects_, [&](const std::string& name) {
    const bool settled = IsSettled(name);
    if (settled) writers_.erase(name);
    return settled;
  });
}

void DeathWatch::ReadEvents() {
  alignas(inotify_event) std::array<char, 16 << 10> buffer;
  for (;;) {
    const ssize_t got = read(events_.get(), buffer.data(), buffer.size());
    if (got <= 0) return;
    for (const char* at = buffer.data(); at < buffer.data() + got;) {
      const auto* const event = reinterpret_cast<const inotify_event*>(at);
      if (event->len > 0 && (event->mask & IN_CREATE) != 0) writers_[event->name].seen = steady_clock::now();
      if (event->len > 0 && (event->mask & IN_CLOSE_WRITE) != 0 && !noted_.contains(event->name)) {
        suspects_.insert(event->name);
      }
      at += sizeof(inotify_event) + event->len;
    }
  }
}

std::optional<Journal> DeathWatch::HeaderOf(const std::string& name) const {
  const auto file = JournalIdOf(name) ? OpenFileAt(spool_, name) : std::nullopt;
  const auto head = file && !HasEndLine(*file) ? ReadHead(*file) : std::nullopt;
  if (!head) return std::nullopt;
  try {
    Journal header = ParseJournalHeader(*head);
    if (!header.is_command && header.writer.boot_id == here_.boot_id && is_ours_(header)) return header;
  } catch (const JournalError&) {  // the delivery reports it
  }
  return std::nullopt;
}

void DeathWatch::MeetLongRunning() {
  const auto now = steady_clock::now();
  for (auto& [name, writer] : writers_) {
    if (writer.met || now - writer.seen < kStays) continue;
    writer.met = true;
    const auto header = HeaderOf(name);
    if (!header) continue;
    const int64_t starter = limits_.Meet(*header);
    if (header->writer.pid_ns == here_.pid_ns) writer.started = StartOf(starter);
  }
}

bool DeathWatch::IsSettled(const std::string& name) {
  const auto header = HeaderOf(name);
  const Alive alive = header ? IsAlive(header->writer) : Alive::kCannotTell;
  if (alive == Alive::kNo) Note(name, *header);
  return alive != Alive::kYes;
}

void DeathWatch::Note(const std::string& name, const Journal& header) {
  JournalDeath death;
  death.at_us = std::max<int64_t>(0, Timestamp::Now().micros - header.started_at.micros);
  death.out_of_memory = kernel_killed_;
  const auto started = writers_[name].started, now = SinceBoot();
  std::optional<microseconds> limit;
  if (header.time_limit_s) limit = std::chrono::seconds(*header.time_limit_s);
  if (started && now && !limit) limit = limits_.Of(header);
  const milliseconds early = header.time_limit_s ? kEarlyOfBazel : kEarly;
  if (limit && started && now && *now - *started + early >= *limit) death.time_limit_us = limit->count();
  NoteDeath(spool_, name, death);
  noted_.insert(name);
  dead_.emplace(name, steady_clock::now());
}

void DeathWatch::NoteContinued(steady_clock::time_point time) {
  JournalDeath continued;
  continued.run_continued = true;
  std::erase_if(dead_, [&](const auto& entry) {
    if (time - entry.second < kEndsTogether) return false;
    NoteDeath(spool_, entry.first, continued);
    continued_.insert(entry.first);
    return true;
  });
}

void DeathWatch::NoteInterruption(const std::string& signal) {
  JournalDeath interrupted;
  interrupted.interrupted_by = signal;
  for (const auto& [name, when] : dead_) NoteDeath(spool_, name, interrupted);
  dead_.clear();
}

bool DeathWatch::HasRunning() const {
  return std::ranges::any_of(NamesIn(spool_), [&](const std::string& name) {
    const auto header = HeaderOf(name);
    return header && IsAlive(header->writer) == Alive::kYes;
  });
}

void DeathWatch::End(const RunEnd& end, milliseconds patience) {
  if (!spool_) return;
  Look();
  if (end.kind == RunEnd::Kind::kInterrupted) {
    const auto until = steady_clock::now() + patience;
    for (bool wait = true; wait; poll(nullptr, 0, wait ? static_cast<int>(kRound.count()) : 0)) {
      wait = HasRunning() && steady_clock::now() < until;
      Look();
      NoteInterruption(end.signal);
    }
  } else if (end.kind == RunEnd::Kind::kNormal) {
    // Also the programs whose death was missed.
    JournalDeath continued;
    continued.run_continued = true;
    for (const std::string& name : NamesIn(spool_)) {
      const auto header = continued_.contains(name) ? std::nullopt : HeaderOf(name);
      if (header && IsAlive(header->writer) == Alive::kNo) NoteDeath(spool_, name, continued);
    }
  }
  dead_.clear();
}

}  // namespace flaky
