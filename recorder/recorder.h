// SPDX-License-Identifier: MIT
#ifndef FLAKY_RECORDER_RECORDER_H_
#define FLAKY_RECORDER_RECORDER_H_

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <type_traits>

#include "clock.h"
#include "delivery.h"
#include "errors.h"
#include "exit_handler.h"
#include "group_delivery.h"
#include "header.h"
#include "journal_writer.h"
#include "kernel_values.h"
#include "process_facts.h"
#include "process_page.h"
#include "random_id.h"
#include "settings.h"
#include "spool_folder.h"
#include "system_calls.h"
#include "test_list.h"
#include "thread_place.h"
#include "warning.h"

#pragma GCC visibility push(hidden)
namespace flaky_recorder {

// GoogleTest's facts about the run that begins.
struct RunFacts {
  const void* unit_test = nullptr;  // identifies the GoogleTest: a process may contain several
  VisitTests visit_tests = nullptr;
  std::int64_t tests_to_run = 0;
  std::optional<std::int64_t> shuffle_seed;
  bool has_shard_flags = false;  // of this GoogleTest, which then has read the environment: 1.18
  std::int64_t shard_index = -1, shard_total = -1;
};

// Records one GoogleTest of this process, each time from the start of its test program to the end. The one object is in
// static storage and is never destroyed, because threads and exit handlers may use it until the process ends. All large
// objects are in it: the stack of a test program may be small.
class Recorder {
 public:
  static Recorder& Get() {
    static Recorder recorder;
    return recorder;
  }

  // Returns true while there is a journal to write to. Always false in a process that was forked since it began.
  bool active() const { return active_.load(std::memory_order_relaxed) && process_.IsMine(); }

  JournalWriter& journal() { return journal_; }

  // Reads the settings and begins a journal. Any error is reported as a warning.
  void Start(const RunFacts& run) {
    if (!MayStart(run)) return;
    warning_.Prepare();
    if (const std::string_view log = TextOf(kLog); log == "silent" || log == "error") warning_.Silence();
    if (!BoolOf(kDisable, warning_)) Begin(run);
    if (!active()) warning_.Write();
  }

  void TestStart(const char* suite, const char* name, const char* source_file, int line, const char* parameter) {
    if (active()) journal_.TestStart(suite, name, source_file, line, parameter, ThisPlace());
  }

  // Ends the journal and delivers it, unless a later process is to deliver it. The end is in the file before the first
  // system call that a sandbox could forbid.
  void End(bool passed) {
    if (!active()) return;
    active_ = false;
    journal_.End(passed);
    if (const int error = journal_.error(); error != 0) {
      warning_.Add({"the recording is incomplete: ", ErrorText(error), ": ", plan_.spool.view()});
    }
    if (delivers_) Deliver(plan_, warning_);
    EndUnderCtest(plan_);
    plan_.environment.Release();
    warning_.Write();
  }

  // Another copy of the recorder may take over its GoogleTest.
  void Leave() { process_.Release(this); }

 private:
  Recorder() = default;

  // Returns false if this copy of the recorder must not record in this process.
  bool MayStart(const RunFacts& run) {
    if (active_) {
      active_ = false;
      if (process_.IsMine()) {
        // The previous run of tests in this process has not reported its end, for example because an environment's
        // set-up threw an exception.
        journal_.Close();
      } else {
        is_child_of_test_ = journal_.test_open();
        journal_.Abandon();
      }
    }
    if (is_child_of_test_) return false;
    kernel_.Read();
    if (kernel_.secure) return false;  // its caller may not choose what it does with its rights
    process_.Open(kernel_);
    process_.Enter();
    return process_.Claim(run.unit_test, this);
  }

  void Begin(const RunFacts& run) {
    facts_.Read(kernel_);
    plan_.cwd.Fill([](char* out, std::size_t size) { return sys::GetWorkingFolder(out, size); });
    if (plan_.cwd.empty() || plan_.cwd.view()[0] != '/') plan_.cwd.Clear();

    RandomId journal_id;
    journal_id.Make();
    MakeProcessRunId();

    clock_.Prepare(kernel_.vdso);
    Header& header = header_;
    header.journal_id = journal_id.view();
    header.process_run_id = process_run_id_.view();
    header.run_id = NameOf(kRunId, warning_);
    header.project = NameOf(kProject, warning_);
    header.variant = NameOf(kVariant, warning_);
    header.fixture = NameOf(kFixture, warning_);
    header.cwd = plan_.cwd.view();
    header.records_arguments = BoolOf(kRecordArguments, warning_);
    NoteUnwrapped(warning_);
    if (PathOf(kSpool).size() != TextOf(kSpool).size()) {
      warning_.Add({"ignoring ", kSpool.name, ": expected the path of a folder, not a URL or a connection string"});
    }
    list_.Read(run.unit_test, run.visit_tests);
    header.list = list_.hash();
    header.started_us = WallMicroseconds();
    header.tests_to_run = run.tests_to_run;
    header.shuffle_seed = run.shuffle_seed;
    ReadShard(run, header);
    header.rank = {};
    header.rank.Read();
    header.above = {};
    header.above.Find(facts_.parent, TextOf(kRunProcess));
    header.bazel.Read(paths_);

    static char line[kLongestHeader];
    const std::string_view text(line, static_cast<std::size_t>(AppendHeader(line, header, facts_) - line));
    int error = FindSpool(plan_.cwd, header.bazel.active, plan_.spool);
    const auto create = [&] { return CreateJournal(text.size(), run.tests_to_run, journal_id); };
    if (error == 0) error = create();
    const bool is_in_spool = error == 0;
    if (error != 0 && header.bazel.active)
      error = KeepWithBazelOutputs(header.bazel, plan_.spool, error, warning_, create);
    if (error != 0) return Refuse(error);
    if (!header.bazel.active) NoteIfRelative(kSpool, plan_.cwd, warning_);
    JournalFile& file = journal_.file();
    file.Publish(text[0], Append(file.Room(text.size(), true) + 1, text.substr(1)));

    journal_.Begin(clock_, clock_.Now(), static_cast<std::size_t>(NumberOf(kMaxMessage, warning_)));
    if (is_in_spool) list_.Keep(plan_.spool, journal_id.view(), paths_[0], paths_[1]);
    plan_.journal.Clear();
    (plan_.journal += journal_id.view()) += ".jsonl";
    plan_.timeout_s = NumberOf(kDeliveryTimeout, warning_);
    plan_.wait_ms = NumberOf(kDeliveryWait, warning_);
    plan_.waits_always = !TextOf(kDeliveryWait).empty();
    const bool under_ctest = header.above.ctest.pid != 0;
    // Bazel's sandbox may hide the store and the network, and show an empty home folder. A `flaky run` takes what is in
    // the spool without a home.
    if (header.bazel.active || (header.above.missed_run.pid != 0 && !HasHome())) plan_.timeout_s = 0;
    delivers_ = plan_.timeout_s > 0 && !under_ctest && plan_.environment.Take();
    if (plan_.timeout_s > 0 && under_ctest) {
      if (const std::string_view store = TextOf(kStore); store.empty() || store == "sqlite")
        NoteIfRelative(kDb, plan_.cwd, warning_);
    }
    if (under_ctest) BeginUnderCtest(header.above.ctest, plan_);
    WatchForExit();
    active_ = true;
  }

  int CreateJournal(std::size_t header_size, std::int64_t tests_to_run, const RandomId& id) {
    Path& path = paths_[0];
    path = plan_.spool;
    ((path += "/") += id.view()) += ".jsonl";
    const std::size_t size = header_size + SizeOfResults(tests_to_run), least = header_size + JournalFile::kTail;
    const int error = journal_.file().Create(path, size, least, kernel_.page);
    if (error != ENOENT) return error;
    const int folder_error = MakeFolders(plan_.spool, paths_[1]);
    return folder_error == 0 ? journal_.file().Create(path, size, least, kernel_.page) : folder_error;
  }

  // All copies of the recorder in this process have the same, and all processes that are forked from this one.
  void MakeProcessRunId() {
    if (process_run_id_.made()) return;
    if (kernel_.random != nullptr) {
      process_run_id_.MakeFrom(process_.StartOnce(load_time == 0 ? WallMilliseconds() : load_time), kernel_.random);
    } else {
      process_run_id_.Make();
    }
  }

  void Refuse(int error) { warning_.Add({"nothing is recorded: ", ErrorText(error), ": ", plan_.spool.view()}); }

  // Returns the size that the results of all tests usually need, within bounds, plus some room for a failure. A process
  // with one test gets a single page, because allocating more and giving it back costs as much as all other work here.
  static std::size_t SizeOfResults(std::int64_t tests_to_run) {
    constexpr std::int64_t kUsualResult = 64, kMostTests = 65536;
    const std::int64_t results = std::clamp<std::int64_t>(tests_to_run, 0, kMostTests) * kUsualResult;
    return static_cast<std::size_t>(results) + 1024 + JournalFile::kTail;
  }

  // Reads the same as GoogleTest: its flags, which it has since 1.18 and which the environment sets too, or variables.
  static void ReadShard(const RunFacts& run, Header& header) {
    if (run.has_shard_flags) {
      header.shard_index = run.shard_index;
      header.shard_total = run.shard_total;
    } else {
      header.shard_index = NaturalNumberIn("GTEST_SHARD_INDEX");
      header.shard_total = NaturalNumberIn("GTEST_TOTAL_SHARDS");
    }
    if (header.shard_total && *header.shard_total <= 1) header.shard_total.reset();
  }

  // Watches for an exit() within a test, which is an outcome.
  void WatchForExit() {
    if (watching_) return;
    watching_ = true;
    CallAtExit<Exits>();
  }
  static void Exits(int status) {
    if (Get().active()) Get().journal_.ProcessExits(status, ThisPlace());
  }

  std::atomic<bool> active_{false};
  bool is_child_of_test_ = false;
  bool watching_ = false;
  bool delivers_ = false;
  KernelValues kernel_;
  ProcessPage process_;
  ProcessFacts facts_;
  RandomId process_run_id_;
  SteadyClock clock_;
  JournalWriter journal_;
  TestList list_;
  DeliveryPlan plan_;
  Warning warning_;
  Header header_;
  Path paths_[2];  // for a moment each
};
static_assert(std::is_trivially_destructible_v<Recorder>,
              "exit handlers and threads may use it after static destruction");

}  // namespace flaky_recorder
#pragma GCC visibility pop

#endif  // FLAKY_RECORDER_RECORDER_H_
