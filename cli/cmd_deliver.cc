#include <fcntl.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <csignal>
#include <memory>
#include <ostream>
#include <string>

#include "cli/commands.h"
#include "cli/delivery.h"
#include "cli/delivery_pause.h"
#include "cli/interrupt.h"
#include "cli/json_output.h"
#include "cli/messages.h"
#include "cli/numbers.h"
#include "cli/options.h"
#include "transfer/journal.h"
#include "transfer/spool.h"

namespace flaky {
namespace {

// How long a test program waits for another delivery: not long, as that one takes its journal along.
constexpr std::chrono::milliseconds kQuietWait{1'000};

// How long set-up and clean-up of a fixture begin further batches. CTest would count one that takes much longer as
// failed.
constexpr std::chrono::seconds kFixtureTime{60};

struct Options {
  bool quiet = false;
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

std::string Plural(int64_t count, const std::string& one) {
  return WithThousands(count) + ' ' + one + (count == 1 ? "" : "s");
}

std::string Sentence(const DeliveryAccount& account, const Options& options, const Session& session) {
  std::string text;
  if (account.runs == 0) {
    text = "nothing to deliver";
  } else {
    text = (options.dry_run ? "would deliver " : "delivered ") + Plural(account.runs, "run") + " (" +
           Plural(account.parts, "part") + ") to " + HistoryLocation(session.settings).shown;
  }
  if (account.running > 0) text += "; " + Plural(account.running, "test program") + " still running";
  if (account.rejected > 0) text += "; " + WithThousands(account.rejected) + " rejected";
  if (account.kept > 0) text += "; " + Plural(account.kept, "run") + " left in the spool";
  return text;
}

void PrintJson(const DeliveryAccount& account, const Options& options, std::ostream& out) {
  Json json = JsonOutput();
  json["dry_run"] = options.dry_run;
  json["locked"] = account.locked;
  json["runs"] = account.runs;
  json["parts"] = account.parts;
  json["running"] = account.running;
  json["rejected"] = account.rejected;
  json["kept"] = account.kept;
  json["messages"] = account.messages;
  flaky::PrintJson(out, json);
}

ExitCode CodeOf(const DeliveryAccount& account) {
  if (account.rejected > 0 || account.kept > 0) return ExitCode::kPartly;
  return account.locked ? ExitCode::kLocked : ExitCode::kOk;
}

// As the recorder calls it. What it prints appears amid the output of tests, so there is one line at most. That another
// process is delivering is no news: it takes this journal along, or the next one does.
void DeliverQuietly(Session& session) {
  LeaveCallersState();
  const std::string spool = SpoolFolder(session.settings);
  const std::string store = HistoryLocation(session.settings).shown;
  if (IsDeliveryPaused(spool, store)) {
    Say(session, LogLevel::kDebug, store + " could not be reached a moment ago: nothing is delivered");
    return;
  }
  DeliveryAccount account;
  try {
    account = DeliverPending(session, kQuietWait);
  } catch (const StoreError& error) {
    if (error.kind() == ErrorKind::kTransient) PauseDelivery(spool, store);
    throw;
  }
  ResumeDelivery(spool);
  session.exit_code = account.locked ? ExitCode::kOk : CodeOf(account);
  if (account.messages.empty()) return;
  std::string line = account.messages.front();
  if (const auto more = static_cast<int64_t>(account.messages.size()) - 1; more > 0)
    line += " (and " + Plural(more, "message") + " more)";
  Say(session, LogLevel::kWarn, line);
}

void DeliverForUser(Session& session, const Options& options) {
  const InterruptGuard interrupt;
  DeliveryOptions delivery;
  delivery.wait = std::chrono::seconds(session.settings.Number("FLAKY_TESTS_DELIVERY_TIMEOUT"));
  delivery.stop = InterruptGuard::Seen;
  delivery.retry = Retrying(session);
  delivery.dry_run = options.dry_run;
  if (!options.fixture.empty()) {
    delivery.complete = GroupBelowCtest(ParentProcess(), options.fixture);
    delivery.until = std::chrono::steady_clock::now() + kFixtureTime;
  }
  const DeliveryAccount account = Deliver(session, delivery);
  session.exit_code = InterruptGuard::Seen() ? ExitCode::kInterrupted : CodeOf(account);
  for (const std::string& message : account.messages) Say(session, LogLevel::kWarn, message);
  if (account.locked) Say(session, LogLevel::kError, "another process is delivering: nothing was done here");
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
  command->add_flag("--dry-run", options->dry_run, "only say how much is ready")->excludes(quiet);
  command
      ->add_option("--fixture", options->fixture,
                   "as a test around this fixture of CTest: also what ran in it, in bounded time")
      ->type_name("NAME")
      ->excludes(quiet);
  AddJsonFlag(*command, options->json);
  command->footer(
      "Test programs call this at their end, and every command that reads the history delivers first,\n"
      "so it is seldom needed. What cannot be delivered stays in the spool. Another delivery is waited for\n"
      "up to FLAKY_TESTS_DELIVERY_TIMEOUT seconds.\n"
      "\n"
      "Examples:\n"
      "  flaky deliver\n"
      "  flaky deliver --dry-run --json");
  command->callback([&session, options] {
    if (options->quiet) {
      DeliverQuietly(session);
    } else {
      DeliverForUser(session, *options);
    }
  });
}

}  // namespace flaky
