// SPDX-License-Identifier: MIT
#include <CLI/CLI.hpp>
#include <memory>
#include <string>

#include "cli/commands.h"
#include "cli/copy_into.h"
#include "cli/copy_report.h"
#include "cli/help.h"
#include "cli/options.h"
#include "cli/output/interrupt.h"
#include "cli/output/log.h"
#include "cli/output/stopwatch.h"
#include "transfer/jsonl_reader.h"

namespace flaky {
namespace {

struct Options {
  std::string file;
  std::string to;
  CopyIntoOptions into;
};

// Says what a newer flaky's file had that is not in the store now. True if anything was left out.
bool SayWhatIsUnknown(const Session& session, const JsonlReader& reader) {
  if (!reader.newer()) return false;
  Log(session.log, LogLevel::kWarn,
      reader.name() + ": it has version " + reader.version() + " of the format, which is newer than this flaky's " +
          std::to_string(kJsonlMajor) + '.' + std::to_string(kJsonlMinor) +
          ": its counts were compared, but its digests could not be");
  for (const auto& [what, count] : reader.unknown()) {
    Log(session.log, LogLevel::kWarn,
        reader.name() + ": skipped, because this version of flaky does not know it: " + what + " (" +
            std::to_string(count) + (count == 1 ? " time)" : " times)"));
  }
  return !reader.unknown().empty();
}

void Import(Session& session, const Options& options) {
  RefuseAddressAsFile("import", options.file);
  const Location to = options.to.empty() ? session.resolved.history.Get()
                                         : NamedLocation(session.resolved, options.to, "--to", Side::kHistory);
  const Stopwatch watch;
  const InterruptGuard interrupt;
  JsonlReader source(options.file);
  const CopySummary summary = CopyInto(session, source, to, options.into);
  PrintCopy(summary, {source.name(), to.display_name, watch.Seconds(), options.into.dry_run, options.into.json},
            session.out);
  session.exit_code = CodeOf(summary);
  if (SayWhatIsUnknown(session, source) && session.exit_code == ExitCode::kOk) session.exit_code = ExitCode::kPartial;
}

}  // namespace

void AddImport(CLI::App& app, Session& session) {
  auto options = std::make_shared<Options>();
  CLI::App* command =
      app.add_subcommand("import", "Import a file that `flaky export` wrote into a store and verify it");
  command->add_option("FILE", options->file, "the file, compressed or not; `-`: standard input")->required();
  command->add_option("--to", options->to, "the store, such as sqlite:PATH (default: FLAKY_TESTS_*)");
  AddCopyOptions(*command, options->into);
  AddJsonFlag(*command, options->into.json);
  AddFooter(
      *command,
      {"Running it again duplicates nothing. A file that was truncated or changed is refused, and the message names "
       "the line. The runs before that line may then be in the store; importing an intact file adds the rest. Exit "
       "code 3 if a newer flaky wrote data that this version does not know: the data is named and left out."},
      {"flaky import history.jsonl.zst", "flaky import - --to sqlite:new.db --dry-run"});
  command->callback([&session, options] { Import(session, *options); });
}

}  // namespace flaky
