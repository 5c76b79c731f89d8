// SPDX-License-Identifier: MIT
#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "cli/commands.h"
#include "cli/copy_into.h"
#include "cli/copy_report.h"
#include "cli/help.h"
#include "cli/options.h"
#include "cli/output/interrupt.h"
#include "cli/output/log.h"
#include "cli/output/stopwatch.h"
#include "formats/format.h"

namespace flaky {
namespace {

struct Options {
  std::vector<std::string> files;
  std::string format;  // empty: by the content of the first file
  std::string project;
  std::string to;
  CopyIntoOptions into;
};

const Format& FormatFor(const Options& options) {
  const Format* found = options.format.empty() ? FormatOfFile(options.files.front()) : FindFormat(options.format);
  const Format& format = found == nullptr ? HistoryFormat() : *found;
  if (format.is_history && options.files.size() > 1) {
    throw CommandError(ExitCode::kUsage,
                       "import: `flaky export` writes a history as one file; import several one by one");
  }
  if (format.is_history && !options.project.empty()) {
    throw CommandError(ExitCode::kUsage,
                       "import: --project is for results that name no project; this history names its own");
  }
  return format;
}

void Import(Session& session, const Options& options) {
  for (const std::string& file : options.files) RefuseAddressAsFile("import", file);
  const Location to = options.to.empty() ? session.resolved.history.Get()
                                         : NamedLocation(session.resolved, options.to, "--to", Side::kHistory);
  const Stopwatch watch;
  const InterruptGuard interrupt;
  const Format& format = FormatFor(options);
  ReadOptions read{.project = {}, .stop = InterruptGuard::Seen};
  if (!options.project.empty()) read.project = options.project;
  const std::unique_ptr<FormatReader> source = format.read(options.files, read);
  if (InterruptGuard::Seen()) throw CommandError(ExitCode::kInterrupted, "import: interrupted; nothing was imported");
  const CopySummary summary = CopyInto(session, *source, to, options.into);
  const std::vector<Remark> remarks = source->remarks();
  CopyReport report{source->name(), to.display_name, watch.Seconds(), options.into.dry_run, options.into.json};
  report.remarks = remarks;
  PrintCopy(summary, report, session.out);
  session.exit_code = CodeOf(summary);
  for (const Remark& remark : remarks) Log(session.log, LogLevel::kWarn, source->name() + ": " + remark.text);
  const bool is_loss = std::ranges::any_of(remarks, &Remark::is_loss);
  if (is_loss && session.exit_code == ExitCode::kOk) session.exit_code = ExitCode::kPartial;
}

}  // namespace

void AddImport(CLI::App& app, Session& session) {
  auto options = std::make_shared<Options>();
  CLI::App* command =
      app.add_subcommand("import", "Import a file that `flaky export` wrote, or plain results, into a store");
  command
      ->add_option("FILE", options->files,
                   "the file, compressed or not; `-`: standard input; of plain results several files")
      ->required()
      ->type_name("");
  AddFormatOption(*command, options->format, "by the content of the file");
  command->add_option("--project", options->project, "the project of results that name none")->type_name("NAME");
  command->add_option("--to", options->to, "the store, such as sqlite:PATH (default: FLAKY_TESTS_*)");
  AddCopyOptions(*command, options->into);
  AddJsonFlag(*command, options->into.json);
  AddFooter(
      *command,
      {"Running it again duplicates nothing, and what was imported is read back and compared. A history that was "
       "truncated or changed is refused, and the message names the line. The runs before that line may then be in the "
       "store; importing an intact file adds the rest. Exit code 3 if a newer flaky wrote data that this version does "
       "not know: the data is named and left out.",
       "Plain results have one JSON object per line for each part of a run; any program can write them "
       "(docs/reference/results.md). Nothing is imported if a line of one of the files is invalid: the message names "
       "the "
       "file and the line. A field that the format does not have is skipped and named once."},
      {"flaky import history.jsonl.zst", "flaky import --format results --project engine shard-*.jsonl"});
  command->callback([&session, options] { Import(session, *options); });
}

}  // namespace flaky
