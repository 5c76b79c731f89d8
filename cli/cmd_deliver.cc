// SPDX-License-Identifier: MIT
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <csignal>
#include <memory>
#include <optional>
#include <ostream>
#include <string>
#include <utility>

#include "cli/commands.h"
#include "cli/delivery_report.h"
#include "cli/help.h"
#include "cli/options.h"
#include "cli/output/escaped.h"
#include "cli/output/interrupt.h"
#include "cli/output/json_output.h"
#include "cli/output/log.h"
#include "cli/output/numbers.h"
#include "delivery/background_trouble.h"
#include "delivery/ctest_end.h"
#include "delivery/ctest_limits.h"
#include "delivery/delivery.h"
#include "delivery/quiet_delivery.h"
#include "spool/ancestors.h"
#include "spool/death_watch.h"
#include "spool/grouping.h"
#include "spool/journal.h"
#include "spool/spool.h"
#include "stores/error.h"

namespace flaky {
namespace {

// How long set-up and clean-up of a fixture begin further batches. CTest would count one that takes much longer as
// failed.
constexpr std::chrono::seconds kFixtureTime{60};

struct Options {
  bool quiet = false;
  bool answer = false;
  std::string after_ctest;  // PID-START
  bool dry_run = false;
  bool json = false;
  std::string fixture;
};

// Drops what a test program may have handed down by accident: its open files and pipes, whose other ends might wait for
// the last copy to be closed, its signal mask and what it ignores. Keeps the descriptors below `first`.
void LeaveCallersState(int first) {
  for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; ++fd) {
    // One that is closed would be given to the next file opened, such as a database, and be written to by mistake.
    if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDWR) < 0) return;
  }
  close_range(static_cast<unsigned>(first), ~0U, 0);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  std::signal(SIGCHLD, SIG_DFL);
}

// Delivers, and reports what is wrong in one line: on stderr while it is read, else in the spool. `own_ctest`:
// DeliveryOptions::own_ctest.
void DeliverInBackground(Session& session, const std::string& own_ctest = "") {
  const auto report = [&](LogLevel level, const std::string& text) {
    if (level <= session.log.level && session.log.file.empty() && IsUnread()) {
      KeepTrouble(session.resolved.spool.Get(), text);
    } else {
      Log(session.log, level, text);
    }
  };
  try {
    DeliveryOptions delivery = DeliveryFor(session);
    delivery.own_ctest = own_ctest;
    const std::optional<DeliverySummary> summary = DeliverQuietly(session.resolved, std::move(delivery));
    if (!summary) return;
    if (!summary->locked) session.exit_code = CodeOf(*summary);
    if (const auto line = OneLineOf(*summary)) report(LogLevel::kWarn, *line);
  } catch (const StoreError& error) {
    session.exit_code = ExitCodeOf(error);
    report(LogLevel::kError, error.what());
  } catch (const SettingError& error) {
    session.exit_code = ExitCode::kUsage;
    report(LogLevel::kError, error.what());
  }
}

// Waits for the end of a ctest, and notes how its test programs die.
void WaitForEnd(const ProcessId& ctest, const std::string& spool) {
  constexpr std::chrono::seconds kLookAgain{60}, kLookAgainBlindly{1};  // the kernel may give no descriptor
  constexpr std::chrono::seconds kPatience{5};
  CtestLimits limits;
  DeathWatch watch(
      spool,
      [&](const Journal& header) { return header.ctest.pid == ctest.pid && header.ctest.pid_start == ctest.pid_start; },
      limits);
  CtestEnd end(ctest.pid);
  end.Look();
  const int fd = static_cast<int>(syscall(SYS_pidfd_open, static_cast<pid_t>(ctest.pid), 0));
  while (IsAlive(ctest) == Alive::kYes) {
    watch.UntilReadable(fd, fd < 0 ? kLookAgainBlindly : kLookAgain);
    end.Look();  // a script may run several ctests in one process, each with its own log
  }
  watch.End(end.Get(), kPatience);
  if (fd >= 0) close(fd);
}

// Called by the recorder in a test program under a ctest, in its own session and without streams. Descriptor 3
// holds the lock of the mark of this ctest (spool/spool.h), for as long as this process lives.
void DeliverAfterCtest(Session& session, const std::string& name) {
  const std::optional<ProcessId> ctest = ProcessHereNamed(name);
  if (!ctest)
    throw CommandError(ExitCode::kUsage, "deliver: `" + name + "` does not name a process; expected PID-START");
  const std::string spool = session.resolved.spool.Get();
  constexpr int kMark = 3;
  LeaveCallersState(kMark + 1);
  fcntl(kMark, F_SETFD, FD_CLOEXEC);
  WaitForEnd(*ctest, spool);
  unlink((spool + '/' + std::string(kCtestMark) + name).c_str());
  DeliverInBackground(session, CTestGroup(*ctest, ""));
}

// As the recorder calls it at the end of a test program, in its own session. SIGALRM arrives when the time is
// over.
void DeliverForRecorder(Session& session, bool answer) {
  LeaveCallersState(STDERR_FILENO + 1);
  if (!session.resolved.delivery_timeout.IsError() && !session.resolved.spool.IsError()) {
    ReportAtAlarm(session.resolved.spool.Get(),
                  Escaped("`flaky deliver` did not end within " +
                          std::to_string(session.resolved.delivery_timeout.Get().count()) +
                          " s (FLAKY_TESTS_DELIVERY_TIMEOUT); the results stay in " + session.resolved.spool.Get() +
                          " until the next `flaky` command delivers them"),
                  static_cast<int>(ExitCode::kUnreachable));
  }
  DeliverInBackground(session);
  if (answer) session.err.Print("\n");
}

std::string Sentence(const DeliverySummary& summary, const Options& options, const Session& session) {
  std::string text;
  if (summary.runs == 0) {
    text = "nothing to deliver";
  } else {
    text = (options.dry_run ? "would deliver " : "delivered ") + Counted(summary.runs, "run") + " (" +
           Counted(summary.parts, "part") + ") to " + session.resolved.history.Get().display_name;
  }
  if (summary.running > 0) text += "; " + Counted(summary.running, "test program") + " still running";
  if (summary.unknown > 0) text += "; " + UnknownPhrase(summary.unknown);
  if (summary.rejected > 0) text += "; " + WithThousands(summary.rejected) + " rejected";
  if (summary.dual.runs > 0) text += "; " + Counted(summary.dual.runs, "run") + " to the second store";
  if (summary.kept > 0) text += "; " + Counted(summary.kept, "run") + " left in the spool";
  if (summary.unread > 0) text += "; " + WithThousands(summary.unread) + " cannot be read now";
  if (summary.elsewhere > 0)
    text += "; " + Counted(summary.elsewhere, "run") + " of other projects left for their stores";
  return text;
}

void PrintJson(const DeliverySummary& summary, const Options& options, std::ostream& out) {
  Json json = JsonOutput();
  json["dry_run"] = options.dry_run;
  json["locked"] = summary.locked;
  json["runs"] = summary.runs;
  json["parts"] = summary.parts;
  json["running"] = summary.running;
  json["unknown"] = summary.unknown;
  json["rejected"] = summary.rejected;
  json["kept"] = summary.kept;
  json["unread"] = summary.unread;
  json["elsewhere"] = summary.elsewhere;
  json["second_store"]["runs"] = summary.dual.runs;
  json["second_store"]["trouble"] = summary.dual.trouble ? Json(*summary.dual.trouble) : Json();
  json["messages"] = summary.messages;
  flaky::PrintJson(out, json);
}

void DeliverForUser(Session& session, const Options& options) {
  const InterruptGuard interrupt;
  DeliveryOptions delivery = DeliveryFor(session);
  delivery.wait = session.resolved.delivery_timeout.Get();
  delivery.stop = InterruptGuard::Seen;
  delivery.dry_run = options.dry_run;
  delivery.patient = true;
  if (!options.fixture.empty()) {
    const char* const limit = GetEnvironment(kRunProcess);
    const std::optional<ProcessId> ctest = CtestAbove(limit == nullptr ? "" : limit);
    if (ctest) delivery.complete = CTestGroup(*ctest, options.fixture);
    if (ctest) delivery.own_ctest = CTestGroup(*ctest, "");
    delivery.until = std::chrono::steady_clock::now() + kFixtureTime;
  }
  const DeliverySummary summary = Deliver(session.resolved, delivery);
  session.exit_code = InterruptGuard::Seen() ? ExitCode::kInterrupted : CodeOf(summary);
  for (const std::string& message : summary.messages) Log(session.log, LogLevel::kWarn, message);
  if (summary.locked) Log(session.log, LogLevel::kError, "another process is delivering; this one did nothing");
  if (options.json) {
    PrintJson(summary, options, session.out);
  } else if (!summary.locked) {
    session.out << Escaped(Sentence(summary, options, session)) << '\n';
  }
}

}  // namespace

void AddDeliver(CLI::App& app, Session& session) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("deliver", "Move what test programs recorded from the spool into the store");
  CLI::Option* quiet = command->add_flag("--quiet", options->quiet, "print nothing unless something is wrong");
  command->add_flag("--answer", options->answer, "with --quiet: end with an empty line, as test programs expect")
      ->needs(quiet);
  command->add_flag("--dry-run", options->dry_run, "only report how much is ready")->excludes(quiet);
  command->add_option("--after-ctest", options->after_ctest, "after this process has ended, as test programs start it")
      ->type_name("PID-START")
      ->excludes(quiet);
  command
      ->add_option("--fixture", options->fixture,
                   "as a test of this CTest fixture: also what ran in it, in bounded time")
      ->type_name("NAME")
      ->excludes(quiet);
  AddJsonFlag(*command, options->json);
  AddFooter(*command,
            {"Test programs start this command when they end, and every command that reads the history delivers first. "
             "So you rarely need it, except as the last step of a CI job that kills what its steps leave running. "
             "Results that cannot be delivered stay in the spool. If another delivery is "
             "running, this one waits for up to FLAKY_TESTS_DELIVERY_TIMEOUT seconds."},
            {"flaky deliver", "flaky deliver --dry-run --json"});
  command->callback([&session, options] {
    if (!options->after_ctest.empty()) {
      DeliverAfterCtest(session, options->after_ctest);
    } else if (options->quiet) {
      DeliverForRecorder(session, options->answer);
    } else {
      DeliverForUser(session, *options);
    }
  });
}

}  // namespace flaky
