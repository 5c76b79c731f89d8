// SPDX-License-Identifier: MIT
#ifndef FLAKY_RECORDER_RECORDER_H_
#define FLAKY_RECORDER_RECORDER_H_

#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string_view>
#include <type_traits>

#include "clock.h"
#include "delivery.h"
#include "errors.h"
#include "group_delivery.h"
#include "header.h"
#include "journal_writer.h"
#include "process_facts.h"
#include "settings.h"
#include "spool_folder.h"
#include "warning.h"

#pragma GCC visibility push(hidden)
namespace flaky_recorder {

// GoogleTest's facts about the run that begins.
struct RunFacts {
  std::int64_t tests_to_run = 0;
  std::optional<std::int64_t> shuffle_seed;
};

// Records this process, from the start of its test program to the end. The one object is in static storage and is never
// destroyed, because threads and exit handlers may use it until the process ends.
class Recorder {
 public:
  static Recorder& Get() {
    static Recorder recorder;
    return recorder;
  }

  // Returns true while there is a journal to write to. Always false in a process that a test has forked.
  bool active() const { return active_.load(std::memory_order_relaxed); }

  JournalWriter& journal() { return journal_; }

  // Reads the settings and begins a journal. Any error is reported as a warning.
  void Start(const RunFacts& run) {
    const ErrnoKept kept;
    // The previous run of tests in this process may not have reported its end, for example because an environment's
    // set-up threw an exception.
    if (active()) journal_.Close();
    active_ = false;
    if (forked_) return;
    warning_.Prepare();
    if (const std::string_view log = TextOf(kLog); log == "silent" || log == "error") warning_.Silence();
    if (!BoolOf(kDisable, warning_)) Begin(run);
    if (!active()) warning_.Write();
  }

  // Ends the journal and delivers it, unless a later process is to deliver it.
  void End(bool passed) {
    if (!active() || getpid() != pid_) return;  // in a clone() for which no fork handler was called
    const ErrnoKept kept;
    active_ = false;
    journal_.End(passed);
    if (const int error = journal_.error(); error != 0) {
      warning_.Add({"the recording is incomplete: ", ErrorText(error), ": ", plan_.spool.view()});
    }
    if (delivers_) Deliver(plan_, warning_);
    warning_.Write();
  }

 private:
  Recorder() = default;

  void Begin(const RunFacts& run) {
    ProcessFacts facts;
    facts.Read();
    pid_ = static_cast<pid_t>(facts.pid);
    ReadWorkingFolder();

    RandomId journal_id;
    journal_id.Make();
    if (!process_run_id_.made()) process_run_id_.Make();

    clock_.Prepare();
    Header header;
    header.journal_id = journal_id.view();
    header.process_run_id = process_run_id_.view();
    header.run_id = NameOf(kRunId, warning_);
    header.project = NameOf(kProject, warning_);
    header.variant = NameOf(kVariant, warning_);
    header.fixture = NameOf(kFixture, warning_);
    header.cwd = plan_.cwd.view();
    header.started_us = WallMicroseconds();
    header.tests_to_run = run.tests_to_run;
    header.shuffle_seed = run.shuffle_seed;
    ReadShard(header);
    header.rank.Read();
    header.above.Find(facts.parent, TextOf(kRunProcess));
    header.bazel.Read();

    char line[kLongestHeader];
    const std::string_view text(line, static_cast<std::size_t>(AppendHeader(line, header, facts) - line));
    JournalFile& file = journal_.file();
    const auto create = [&] {
      Path path = plan_.spool;
      ((path += "/") += journal_id.view()) += ".jsonl";
      const std::size_t size = text.size() + SizeOfResults(run.tests_to_run);
      const std::size_t least = text.size() + JournalFile::kTail;
      const int error = file.Create(path, size, least);
      if (error != ENOENT) return error;
      const int folder_error = MakeFolders(plan_.spool);
      return folder_error == 0 ? file.Create(path, size, least) : folder_error;
    };
    int error = FindSpool(plan_.cwd, header.bazel.active, plan_.spool);
    if (error == 0) error = create();
    if (error != 0 && header.bazel.active)
      error = KeepWithBazelOutputs(header.bazel, plan_.spool, error, warning_, create);
    if (error != 0) return Refuse(error);
    if (!header.bazel.active) NoteIfRelative(kSpool, plan_.cwd, warning_);
    file.Publish(text[0], Append(file.Room(text.size()) + 1, text.substr(1)));

    journal_.Begin(clock_, clock_.Now(), static_cast<std::size_t>(NumberOf(kMaxMessage, warning_)));
    plan_.timeout_s = NumberOf(kDeliveryTimeout, warning_);
    const bool under_ctest = header.above.ctest.pid != 0;
    // Bazel's sandbox may hide the store and the network, and show an empty home folder. A `flaky run` takes what is in
    // the spool without a home.
    if (header.bazel.active || (header.above.missed_run.pid != 0 && !HasHome())) plan_.timeout_s = 0;
    delivers_ = plan_.timeout_s > 0 && !under_ctest && plan_.environment.Take();
    if (plan_.timeout_s > 0 && under_ctest && IsFirstUnder(header.above.ctest, plan_.spool)) {
      if (const std::string_view store = TextOf(kStore); store.empty() || store == "sqlite")
        NoteIfRelative(kDb, plan_.cwd, warning_);
      DeliverAfter(header.above.ctest, plan_);
    }
    WatchForEnds();
    active_ = true;
  }

  void Refuse(int error) { warning_.Add({"nothing is recorded: ", ErrorText(error), ": ", plan_.spool.view()}); }

  void ReadWorkingFolder() {
    char buffer[4096];
    plan_.cwd.Clear();
    if (getcwd(buffer, sizeof buffer) != nullptr && buffer[0] == '/') plan_.cwd += buffer;
  }

  // Returns the size that the results of all tests usually need, within bounds, plus some room for a failure. A process
  // with one test gets a single page, because allocating more and giving it back costs as much as all other work here.
  static std::size_t SizeOfResults(std::int64_t tests_to_run) {
    constexpr std::int64_t kUsualResult = 64, kMostTests = 65536;
    const std::int64_t results = std::clamp<std::int64_t>(tests_to_run, 0, kMostTests) * kUsualResult;
    return static_cast<std::size_t>(results) + 1024 + JournalFile::kTail;
  }

  // Reads the same variables as GoogleTest.
  static void ReadShard(Header& header) {
    header.shard_index = NaturalNumberIn("GTEST_SHARD_INDEX");
    header.shard_total = NaturalNumberIn("GTEST_TOTAL_SHARDS");
    if (header.shard_total == 1) header.shard_total.reset();
  }

  // Watches for forks, because a child must never write to the journal, and for an exit() within a test, which is an
  // outcome.
  void WatchForEnds() {
    if (watching_) return;
    watching_ = true;
    pthread_atfork(nullptr, nullptr, [] {
      Get().forked_ = true;
      Get().active_ = false;
    });
#if defined(__GLIBC__)
    on_exit([](int status, void*) { Get().Exited(status); }, nullptr);
#endif
  }

  void Exited(int status) {
    if (!active() || getpid() != pid_) return;
    active_ = false;
    journal_.TestExited(status);
    journal_.Close();
  }

  std::atomic<bool> active_{false};
  std::atomic<bool> forked_{false};
  bool watching_ = false;
  bool delivers_ = false;
  pid_t pid_ = 0;
  RandomId process_run_id_;
  SteadyClock clock_;
  JournalWriter journal_;
  DeliveryPlan plan_;
  Warning warning_;
};
static_assert(std::is_trivially_destructible_v<Recorder>,
              "exit handlers and threads may use it after static destruction");

}  // namespace flaky_recorder
#pragma GCC visibility pop

#endif  // FLAKY_RECORDER_RECORDER_H_
