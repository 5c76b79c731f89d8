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

#include "cli/commands.h"
#include "cli/help.h"
#include "cli/options.h"
#include "cli/output/interrupt.h"
#include "cli/output/json_output.h"
#include "cli/output/log.h"
#include "cli/output/numbers.h"
#include "delivery/ctest_limits.h"
#include "delivery/delivery.h"
#include "delivery/quiet_delivery.h"
#include "spool/death_watch.h"
#include "spool/grouping.h"
#include "spool/journal.h"
#include "spool/spool.h"

namespace flaky {
namespace {

// How long set-up and clean-up of a fixture begin further batches. CTest would count one that takes much longer as
// failed.
constexpr std::chrono::seconds kFixtureTime{60};

struct Options {
  bool quiet = false;
  std::string after_ctest;  // PID-START
  bool dry_run = false;
  bool json = false;
  std::string fixture;
};

// Drops what a test program may have handed down by accident: its open files and pipes, whose other ends might wait for
// the last copy to be closed, its signal mask and what it ignores.
void LeaveCallersState() {
  for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; ++fd) {
    // One that is closed would be given to the next file opened, such as a database, and be written to by mistake.
    if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDWR) < 0) return;
  }
  close_range(STDERR_FILENO + 1, ~0U, 0);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  std::signal(SIGCHLD, SIG_DFL);
}

// Leaves whoever started this: another session, no stream of theirs, and their child ends at once.
void Detach() {
  if (const pid_t child = fork(); child != 0) _exit(child < 0 ? 1 : 0);
  setsid();
  const int null = open("/dev/null", O_RDWR | O_CLOEXEC);
  for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; ++fd) dup2(null, fd);
}

// Waits for the end of a ctest, and notes how its test programs die.
void WaitForEnd(const ProcessId& ctest, const std::string& spool) {
  constexpr std::chrono::seconds kLookAgain{60}, kLookAgainBlindly{1};  // the kernel may give no descriptor
  CtestLimits limits;
  DeathWatch watch(
      spool,
      [&](const Journal& header) {
        return header.parent.pid == ctest.pid && header.parent.pid_start == ctest.pid_start;
      },
      limits);
  const int fd = static_cast<int>(syscall(SYS_pidfd_open, static_cast<pid_t>(ctest.pid), 0));
  while (IsAlive(ctest) == Alive::kYes) watch.UntilReadable(fd, fd < 0 ? kLookAgainBlindly : kLookAgain);
  watch.Look();
  if (fd >= 0) close(fd);
}

// As the recorder calls it in the first test program below a ctest.
void DeliverAfterCtest(Session& session, const std::string& name) {
  const std::optional<ProcessId> ctest = ProcessHereNamed(name);
  if (!ctest)
    throw CommandError(ExitCode::kUsage, "deliver: `" + name + "` does not name a process; expected PID-START");
  const std::string spool = SpoolFolder(session.settings);
  LeaveCallersState();
  Detach();
  WaitForEnd(*ctest, spool);
  unlink((spool + '/' + std::string(kCtestMark) + name).c_str());
  DeliverQuietly(session);
}

std::string Sentence(const DeliverySummary& account, const Options& options, const Session& session) {
  std::string text;
  if (account.runs == 0) {
    text = "nothing to deliver";
  } else {
    text = (options.dry_run ? "would deliver " : "delivered ") + Counted(account.runs, "run") + " (" +
           Counted(account.parts, "part") + ") to " + HistoryLocation(session.settings).display_name;
  }
  if (account.running > 0) text += "; " + Counted(account.running, "test program") + " still running";
  if (account.rejected > 0) text += "; " + WithThousands(account.rejected) + " rejected";
  if (account.dual.runs > 0) text += "; " + Counted(account.dual.runs, "run") + " to the second store";
  if (account.kept > 0) text += "; " + Counted(account.kept, "run") + " left in the spool";
  return text;
}

void PrintJson(const DeliverySummary& account, const Options& options, std::ostream& out) {
  Json json = JsonOutput();
  json["dry_run"] = options.dry_run;
  json["locked"] = account.locked;
  json["runs"] = account.runs;
  json["parts"] = account.parts;
  json["running"] = account.running;
  json["rejected"] = account.rejected;
  json["kept"] = account.kept;
  json["second_store"]["runs"] = account.dual.runs;
  json["second_store"]["trouble"] = account.dual.trouble ? Json(*account.dual.trouble) : Json();
  json["messages"] = account.messages;
  flaky::PrintJson(out, json);
}

void DeliverForUser(Session& session, const Options& options) {
  const InterruptGuard interrupt;
  DeliveryOptions delivery;
  delivery.wait = std::chrono::seconds(session.settings.Number("FLAKY_TESTS_DELIVERY_TIMEOUT"));
  delivery.stop = InterruptGuard::Seen;
  delivery.retry = Retrying(session);
  delivery.dry_run = options.dry_run;
  delivery.patient = true;
  if (!options.fixture.empty()) {
    delivery.complete = CTestGroup(ParentProcess(), options.fixture);
    delivery.until = std::chrono::steady_clock::now() + kFixtureTime;
  }
  const DeliverySummary account = Deliver(session, delivery);
  session.exit_code = InterruptGuard::Seen() ? ExitCode::kInterrupted : CodeOf(account);
  for (const std::string& message : account.messages) Log(session, LogLevel::kWarn, message);
  if (account.locked) Log(session, LogLevel::kError, "another process is delivering; this one did nothing");
  if (options.json) {
    PrintJson(account, options, session.out);
  } else if (!account.locked) {
    session.out << Sentence(account, options, session) << '\n';
  }
}

}  // namespace

void AddDeliver(CLI::App& app, Session& session) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("deliver", "Move what test programs recorded from the spool into the store");
  CLI::Option* quiet = command->add_flag("--quiet", options->quiet, "print nothing unless something is wrong");
  command->add_flag("--dry-run", options->dry_run, "only report how much is ready")->excludes(quiet);
  command->add_option("--after-ctest", options->after_ctest, "in the background, after this process has ended")
      ->type_name("PID-START")
      ->excludes(quiet);
  command
      ->add_option("--fixture", options->fixture,
                   "as a test of this CTest fixture: also what ran in it, in bounded time")
      ->type_name("NAME")
      ->excludes(quiet);
  AddJsonFlag(*command, options->json);
  AddFooter(*command,
            {"Test programs run this command when they end, and every command that reads the history delivers first. "
             "So you rarely need it. Results that cannot be delivered stay in the spool. If another delivery is "
             "running, this one waits for up to FLAKY_TESTS_DELIVERY_TIMEOUT seconds."},
            {"flaky deliver", "flaky deliver --dry-run --json"});
  command->callback([&session, options] {
    if (!options->after_ctest.empty()) {
      DeliverAfterCtest(session, options->after_ctest);
    } else if (options->quiet) {
      LeaveCallersState();
      const QuietDelivery delivery = DeliverQuietly(session);
      session.exit_code = delivery.code;
      if (delivery.message) Log(session, LogLevel::kWarn, *delivery.message);
    } else {
      DeliverForUser(session, *options);
    }
  });
}

}  // namespace flaky
