// SPDX-License-Identifier: MIT
#include "spool/command_journal.h"

#include <fcntl.h>
#include <sys/random.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>

#include "history/json_object.h"
#include "spool/death_watch.h"
#include "spool/grouping.h"
#include "spool/journal_header.h"
#include "spool/journal_notes.h"
#include "spool/journal_parser.h"
#include "spool/record_of.h"
#include "spool/spool.h"
#include "spool/spool_files.h"
#include "spool/timed_id.h"
#include "stores/error.h"

namespace flaky {
namespace {

constexpr size_t kMostArguments = 16 << 10;
constexpr std::chrono::milliseconds kLockWait{1'000};

std::string RandomDigits() {
  std::array<unsigned char, 16> bytes{};
  for (size_t at = 0; at < bytes.size();) {
    const ssize_t got = getrandom(bytes.data() + at, bytes.size() - at, 0);
    if (got < 0 && errno != EINTR) ThrowErrno("random numbers", "read");
    if (got > 0) at += static_cast<size_t>(got);
  }
  constexpr char kDigits[] = "0123456789abcdef";
  std::string id;
  for (const unsigned char byte : bytes) {
    id += kDigits[byte >> 4];
    id += kDigits[byte & 15];
  }
  return id;
}

std::string HeaderOf(const CommandFacts& facts, const std::string& journal_id, const std::string& run_id,
                     Timestamp started_at) {
  const ProcessId self = ThisProcess();
  std::string arguments;
  for (const std::string& argument : facts.arguments) {
    if (arguments.size() + argument.size() > kMostArguments) break;  // the same limit as in the recorder
    arguments += arguments.empty() ? "[" : ",";
    AppendJson(arguments, MakeStorable(argument));
  }
  JsonObject line;
  line.Add("flaky_journal", "1").AddText("journal_id", journal_id).AddText("process_run_id", journal_id);
  line.Add("command", "true").AddText("run_id", run_id);
  if (facts.project) line.AddText("project", *facts.project);
  line.Add("pid", std::to_string(self.pid)).AddText("pid_seen", self.pid_start).AddText("boot_id", self.boot_id);
  line.AddText("host", self.host).AddText("pid_ns", self.pid_ns);
  line.Add("started_us", std::to_string(started_at.micros)).AddText("cwd", facts.cwd);
  line.Add("args", arguments.empty() ? "[]" : arguments + ']').AddText("system", facts.system).Add("tests_to_run", "0");
  return line.Take();
}

// The journal is ended without the lock, too.
std::optional<SpoolLock> TakeLock(const std::filesystem::path& spool) {
  try {
    return SpoolLock::Take(spool, kLockWait);
  } catch (const StoreError&) {
    return std::nullopt;
  }
}

}  // namespace

ProcessEnd ProcessEndOf(int wait_status) {
  ProcessEnd end;
  if (WIFSIGNALED(wait_status)) {
    end.signal = WTERMSIG(wait_status);
  } else {
    end.exit_code = WEXITSTATUS(wait_status);
  }
  return end;
}

std::string SignalName(int signal) {
  const char* const name = sigabbrev_np(signal);
  return name == nullptr ? "signal " + std::to_string(signal) : std::string("SIG") + name;
}

std::string ToString(const ProcessEnd& end) {
  return end.signal ? "signal " + SignalName(*end.signal) : "exit code " + std::to_string(end.exit_code.value_or(-1));
}

CommandJournal::CommandJournal(const std::filesystem::path& spool, const CommandFacts& facts)
    : spool_(spool), started_at_(Timestamp::Now()) {
  if (!MakePrivateFolders(spool_)) ThrowErrno(spool_.string(), "make the folder");
  journal_id_ = TimedId(started_at_, RandomDigits());
  run_id_ = facts.run_id.value_or(journal_id_);
  path_ = (spool_ / (journal_id_ + ".jsonl")).string();
  file_ = std::make_unique<UniqueFd>(
      open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!*file_) ThrowErrno(path_, "make the file");
  Append(HeaderOf(facts, journal_id_, run_id_, started_at_));
}

CommandJournal::~CommandJournal() = default;

void CommandJournal::Append(const std::string& line) {
  const std::string text = line + '\n';
  for (size_t at = 0; at < text.size();) {
    const ssize_t written = write(file_->get(), text.data() + at, text.size() - at);
    if (written < 0 && errno != EINTR) ThrowErrno(path_, "write");
    if (written > 0) at += static_cast<size_t>(written);
  }
}

void CommandJournal::Discard() {
  unlink(path_.c_str());
  file_.reset();
}

bool CommandJournal::End(pid_t child, const ProcessEnd& end, const RunEnd& run_end) {
  // While another process delivers, a journal may be in the spool and in the store.
  const std::optional<SpoolLock> lock = TakeLock(spool_);
  const Findings findings = Look(child, end, run_end);
  const std::string at = std::to_string(std::max<int64_t>(0, Timestamp::Now().micros - started_at_.micros));
  const bool interrupted = run_end.kind == RunEnd::Kind::kInterrupted;
  if (!interrupted && end.succeeded() && !findings.has_tests) {
    Discard();
    return false;
  }
  if (interrupted) {
    Append(JsonObject().Add("died", JsonObject().AddText("interrupted_by", run_end.signal).Take()).Take());
  } else if (!end.succeeded() && !findings.has_failed) {
    const std::string what = "the command ended with " + ToString(end) + ", although no recorded test failed";
    Append(JsonObject().Add("failure", JsonObject().Add("at_us", at).AddText("message", what).Take()).Take());
  }
  JsonObject last;
  last.Add("end_us", at);
  if (!interrupted) last.Add("passed", end.succeeded() ? "true" : "false");
  Append(last.Take());
  file_.reset();
  return findings.has_tests;
}

CommandJournal::Findings CommandJournal::Look(pid_t child, const ProcessEnd& end, const RunEnd& run_end) const {
  Findings findings;
  AddDelivered(findings);
  const UniqueFd spool = OpenFolder(spool_.string());
  if (!spool) return findings;
  LookInto(spool, child, end, run_end, findings);
  // What a delivery has sealed that could not reach the store.
  const UniqueFd outbox = OpenFolderAt(spool, OwnName(spool, "outbox"));
  if (!outbox) return findings;
  for (const std::string& part : NamesIn(outbox)) {
    if (part.ends_with(".done")) continue;
    if (const UniqueFd folder = OpenFolderAt(outbox, part)) LookInto(folder, child, end, run_end, findings);
  }
  return findings;
}

void CommandJournal::LookInto(const UniqueFd& folder, pid_t child, const ProcessEnd& end, const RunEnd& run_end,
                              Findings& findings) const {
  const ProcessId self = ThisProcess();
  for (const std::string& name : NamesIn(folder)) {
    const auto file = JournalIdOf(name) ? OpenFileAt(folder, name) : std::nullopt;
    const auto head = file ? ReadHead(*file) : std::nullopt;
    if (!head) continue;
    try {
      const Journal header = ParseJournalHeader(*head);
      if (header.journal_id == journal_id_ || !IsOfThisRun(header)) continue;
      const bool has_ended = HasEndLine(*file);
      if (header.is_command && !has_ended) continue;  // of a `flaky run` in the background
      const bool of_child = header.writer.pid == child && header.parent.pid == self.pid;
      if (of_child && !has_ended) {
        JournalDeath death;
        if (end.signal) death.signal = SignalName(*end.signal);
        death.exit_code = end.exit_code;
        if (run_end.kind == RunEnd::Kind::kInterrupted) death.interrupted_by = run_end.signal;
        death.at_us = std::max<int64_t>(0, Timestamp::Now().micros - header.started_at.micros);
        NoteDeath(folder, name, death);
      }
      if (findings.has_tests && (findings.has_failed || end.succeeded())) continue;
      FailureBudget budget;
      auto journal = ReadJournal(file->descriptor, budget);
      if (!journal) continue;
      const RunRecord record = RecordOf(run_id_, header.journal_id, {std::move(*journal)}, {});
      const Account& account = record.parts.front().account;
      findings.has_tests |= account.total_tests > 0;
      findings.has_failed |= account.status == kFail;
    } catch (const JournalError&) {  // the delivery reports it
    }
  }
}

void CommandJournal::AddDelivered(Findings& findings) const {
  const UniqueFd own(open(path_.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
  const auto bytes = own ? ReadUpToNul(own) : std::nullopt;
  if (!bytes) return;
  try {
    for (const JournalDelivery& delivery : ParseJournal(*bytes).deliveries) {
      findings.has_tests |= delivery.tests > 0;
      findings.has_failed |= delivery.failed;
    }
  } catch (const JournalError&) {  // the delivery reports it
  }
}

bool CommandJournal::IsOfThisRun(const Journal& header) const {
  return GroupingOf(header).run_id == run_id_ && header.started_at >= started_at_;
}

}  // namespace flaky
