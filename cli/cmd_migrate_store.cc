#include <CLI/CLI.hpp>
#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>
#include <ostream>
#include <string>

#include "cli/commands.h"
#include "cli/delivery.h"
#include "cli/interrupt.h"
#include "cli/json_output.h"
#include "cli/numbers.h"
#include "cli/options.h"
#include "cli/printable.h"
#include "cli/terminal_progress.h"
#include "stores/memory/memory_store.h"
#include "transfer/copy.h"

namespace flaky {
namespace {

// A copy that has come far is worth waiting for a server that starts anew.
constexpr std::chrono::minutes kPatience{2};

struct Options {
  std::string from;
  std::string to;
  size_t batch_size = BatchLimits().records;
  bool dry_run = false;
  bool json = false;
};

Location FromLocation(const Session& session, const Options& options) {
  if (!options.from.empty()) {
    return NamedLocation(session.settings, options.from, "--from", Side::kSource);
  }
  if (std::optional<Location> source = SourceLocation(session.settings)) return *source;
  throw SettingError(
      "migrate-store: no old store is named: give --from LOCATION or set FLAKY_TESTS_SOURCE_STORE and its companions");
}

Location ToLocation(const Session& session, const Options& options) {
  if (options.to.empty()) return HistoryLocation(session.settings);
  return NamedLocation(session.settings, options.to, "--to", Side::kHistory);
}

// A copy of a store onto itself would find everything equal and prove nothing.
void RefuseSameStore(const Location& from, const Location& to) {
  if (from.scheme != to.scheme || from.prefix != to.prefix) return;
  std::error_code ignored;
  if (from.address.Reveal() == to.address.Reveal() ||
      (from.scheme == "sqlite" && std::filesystem::equivalent(from.address.Reveal(), to.address.Reveal(), ignored))) {
    throw SettingError("migrate-store: both stores are " + from.shown +
                       ": name two different ones with --from and --to");
  }
}

// A dry run must not create anything: a store that is not there yet is as good as an empty one.
std::unique_ptr<Store> OpenTarget(const Location& location, bool dry_run, const RetryPolicy& policy) {
  if (!dry_run) return OpenForWriting(location, OpenMode::kBulk, policy);
  try {
    return OpenStore(location, OpenMode::kRead, policy);
  } catch (const StoreError& error) {
    if (error.kind() != ErrorKind::kMissing) throw;
    return OpenMemory(MakeMemoryHistory(), OpenMode::kRead, location.shown);
  }
}

std::string_view NameOf(Fate fate) {
  switch (fate) {
    case Fate::kCopied:
      return "copied";
    case Fate::kCompleted:
      return "completed";
    case Fate::kUnchanged:
      return "unchanged";
    case Fate::kConflict:
      return "conflict";
    case Fate::kDiffers:
      return "differs";
  }
  return "";
}

void PrintText(const CopyAccount& account, const Options& options, const std::string& from, const std::string& to,
               std::ostream& out) {
  const auto row = [&](std::string_view what, int64_t count, std::string_view note) {
    const std::string number = WithThousands(count);
    out << "  " << what << std::string(24 - what.size() - number.size(), ' ') << number << (note.empty() ? "" : "  ")
        << note << '\n';
  };
  out << (options.dry_run ? "would copy " : "copied ") << from << " to " << to << '\n';
  row("runs read", account.runs, "");
  row("copied", account.copied, "were not in the target");
  row("completed", account.completed, "had grown or ended since");
  row("unchanged", account.unchanged, "were there already");
  row("in conflict", account.conflicts, "the target has others of the same id, and keeps them");
  if (!options.dry_run) row("different", account.differing, "are not in the target as they were sent");
  row("parts", account.parts, "of the runs read");
  row("failures", account.failures, "of the runs read");
  if (account.cut > 0) row("cut", account.cut, "had texts that are too large for the target");
  for (const Finding& finding : account.findings) {
    out << "  " << NameOf(finding.fate) << ": run " << Printable(finding.run_id) << ": " << Printable(finding.why)
        << '\n';
  }
  for (const CutRun& run : account.cut_runs) {
    out << "  cut: run " << Printable(run.run_id) << ": " << CutPhrase(run.cuts) << '\n';
  }
  const std::string_view but_for_cuts = account.cut > 0 ? " but for what was cut" : "";
  if (options.dry_run) {
    out << "nothing was written\n";
  } else if (account.stopped) {
    out << "interrupted: what is listed is copied and verified; run the same command again for the rest\n";
  } else if (account.source_digest == account.target_digest) {
    out << "verified: both hold the same" << but_for_cuts << ", digest " << account.source_digest.ToString() << '\n';
  } else if (account.Verified()) {
    out << "verified: the target holds all of the source" << but_for_cuts << ", and more in "
        << WithThousands(account.ahead) << " runs\n";
  } else {
    out << "NOT verified: see the runs above\n";
  }
}

void PrintAsJson(const CopyAccount& account, const Options& options, const std::string& from, const std::string& to,
                 std::ostream& out) {
  Json findings = Json::array();
  for (const Finding& finding : account.findings) {
    findings.push_back({{"run_id", finding.run_id}, {"fate", NameOf(finding.fate)}, {"why", finding.why}});
  }
  Json cuts = Json::array();
  for (const CutRun& run : account.cut_runs) {
    for (const Cut& cut : run.cuts) {
      cuts.push_back({{"run_id", run.run_id}, {"column", cut.column}, {"bytes", cut.bytes}});
    }
  }
  Json json = JsonOutput();
  json["from"] = from;
  json["to"] = to;
  json["dry_run"] = options.dry_run;
  json["interrupted"] = account.stopped;
  json["verified"] = !options.dry_run && account.Verified();
  json["runs"] = account.runs;
  json["copied"] = account.copied;
  json["completed"] = account.completed;
  json["unchanged"] = account.unchanged;
  json["conflicts"] = account.conflicts;
  json["different"] = account.differing;
  json["target_ahead"] = account.ahead;
  json["parts"] = account.parts;
  json["failures"] = account.failures;
  json["cut"] = account.cut;
  json["source_digest"] = account.source_digest.ToString();
  json["target_digest"] = account.target_digest.ToString();
  json["findings"] = std::move(findings);
  json["cuts"] = std::move(cuts);
  PrintJson(out, json);
}

ExitCode CodeOf(const CopyAccount& account) {
  if (account.differing > 0) return ExitCode::kDifferences;
  if (account.stopped) return ExitCode::kInterrupted;
  return account.conflicts > 0 ? ExitCode::kPartly : ExitCode::kOk;
}

void MigrateStore(Session& session, const Options& options) {
  const Location from = FromLocation(session, options);
  const Location to = ToLocation(session, options);
  RefuseSameStore(from, to);
  if (!options.dry_run) DeliverBeforeReading(session);

  const InterruptGuard interrupt;
  RetryPolicy policy = Retrying(session);
  policy.patience = kPatience;
  const std::unique_ptr<Store> old_store = OpenStore(from, OpenMode::kRead, policy);
  const std::unique_ptr<Store> new_store = OpenTarget(to, options.dry_run, policy);
  StoreSource source(*old_store);
  const std::unique_ptr<Store> checking = options.dry_run ? nullptr : OpenStore(to, OpenMode::kRead, policy);
  StoreSink sink(*new_store, checking ? *checking : *new_store);
  TerminalProgress progress(session.err, session.terminal);
  CopyOptions copy_options;
  copy_options.limits.records = options.batch_size;
  copy_options.dry_run = options.dry_run;
  copy_options.stop = InterruptGuard::Seen;

  const CopyAccount account = Copy(source, sink, copy_options, progress);
  (options.json ? PrintAsJson : PrintText)(account, options, from.shown, to.shown, session.out);
  session.exit_code = CodeOf(account);
}

}  // namespace

void AddMigrateStore(CLI::App& app, Session& session) {
  auto options = std::make_shared<Options>();
  CLI::App* command =
      app.add_subcommand("migrate-store", "Copy the whole history from one store into another, verified");
  command->add_option("--from", options->from, "the old store, such as sqlite:PATH (default: FLAKY_TESTS_SOURCE_*)");
  command->add_option("--to", options->to, "the new store (default: FLAKY_TESTS_*)");
  command->add_option("--batch-size", options->batch_size, "runs per transaction, at most")
      ->check(CLI::Range(1, 10'000))
      ->capture_default_str();
  command->add_flag("--dry-run", options->dry_run, "say what would be copied, write nothing");
  AddJsonFlag(*command, options->json);
  command->footer(
      "Running it again copies what is new and nothing twice. The source is only read. Texts that are too large\n"
      "for the new store are cut, and lists of tests left out; each run that this befalls is named.\n"
      "\n"
      "Examples:\n"
      "  flaky migrate-store --from sqlite:old.db --to sqlite:new.db\n"
      "  FLAKY_TESTS_SOURCE_DB=old.db flaky migrate-store --to sqlite:new.db --dry-run");
  command->callback([&session, options] { MigrateStore(session, *options); });
}

}  // namespace flaky
