// SPDX-License-Identifier: MIT
#include <CLI/CLI.hpp>
#include <cerrno>
#include <filesystem>
#include <memory>
#include <optional>
#include <ostream>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "cli/commands.h"
#include "cli/copy_into.h"
#include "cli/copy_report.h"
#include "cli/help.h"
#include "cli/options.h"
#include "cli/output/escaped.h"
#include "cli/output/interrupt.h"
#include "cli/output/json_output.h"
#include "cli/output/log.h"
#include "cli/output/stopwatch.h"
#include "cli/output/terminal_progress.h"
#include "cli/selection_options.h"
#include "formats/format.h"
#include "transfer/compression.h"
#include "transfer/file_error.h"
#include "transfer/new_file.h"
#include "transfer/prefetch.h"
#include "transfer/record_converter.h"

namespace flaky {
namespace {

struct Options {
  std::string file = "-";
  std::string format;
  std::string from;
  SelectionOptions selection;
  bool strict = false;
  bool json = false;

  const Format& Form() const { return format.empty() ? HistoryFormat() : *FindFormat(format); }
  bool ToOutput() const { return file == "-"; }
  std::string Shown() const { return ToOutput() ? "standard output" : file; }
};

struct Exported {
  FileContent content;
  std::vector<Remark> remarks;
  int64_t converted = 0;
  std::vector<ConvertedRun> converted_runs;  // the first kMaxFindings of CopySummary
  bool interrupted = false;
  double seconds = 0;
};

void Add(const Batch& batch, CopyProgress& progress) {
  progress.runs += static_cast<int64_t>(batch.records.size());
  for (const RunRecord& record : batch.records) {
    progress.failures += static_cast<int64_t>(record.failures.size());
    progress.bytes += static_cast<int64_t>(TextBytes(record));
  }
}

// Refuses to replace a file that is not an export, above all the history itself: the name may be a mistake.
void RefuseForeignFile(const std::string& file) {
  std::error_code none;
  const auto size = std::filesystem::file_size(file, none);
  if (none || size == 0) return;
  if (const Format* format = FormatOfFile(file); format != nullptr && !format->is_history) return;
  try {
    HistoryFormat().read({file}, {});
  } catch (const StoreError& error) {
    if (error.kind() != ErrorKind::kInvalid) return;
    throw CommandError(ExitCode::kUsage, "export: " + file +
                                             " exists and is not an export of flaky: give another name, or "
                                             "remove it first");
  }
}

// Receives the bytes, compresses them if the file name asks for it, and writes them to the file or to standard output.
class Target {
 public:
  Target(const Options& options, std::ostream& out) : format_(options.Form()), out_(out) {
    if (!options.ToOutput()) {
      RefuseForeignFile(options.file);
      file_.emplace(options.file);
    }
    encoder_ = MakeEncoder(CompressionOf(options.file), [this](std::string_view bytes) { Put(bytes); });
  }

  void Write(std::string_view bytes) { encoder_->Write(bytes); }
  void Finish() {
    encoder_->Finish();
    errno = 0;
    if (!file_ && !out_.flush()) ThrowFileError("standard output", "write", errno == 0 ? EIO : errno);
  }

  // Reads the file as an import will, and gives it its name when it holds what was written. False where Ctrl-C came
  // first.
  bool Publish(const FileContent& written, Progress& progress) {
    if (!file_) return true;
    progress.Begin(Phase::kReadingBack, written.totals.runs);
    CopyProgress now{.total_runs = written.totals.runs};
    std::string why = "it holds different runs from those that were written";
    try {
      const std::unique_ptr<FormatReader> reader = format_.read({file_->part_path()}, {});
      while (const std::optional<Batch> batch = reader->Next({})) {
        Add(*batch, now);
        progress.Update(now);
        if (InterruptGuard::Seen()) return false;
      }
      if (reader->content() == written) why.clear();
    } catch (const StoreError& error) {
      if (error.kind() != ErrorKind::kInvalid) throw;
      why = error.what();
    }
    if (!why.empty())
      throw CommandError(ExitCode::kDifferences, "export: the file was read back and is damaged: " + why);
    file_->Publish();
    return true;
  }

 private:
  void Put(std::string_view bytes) {
    if (file_) {
      file_->Write(bytes);
      return;
    }
    errno = 0;
    if (!out_.write(bytes.data(), static_cast<std::streamsize>(bytes.size()))) {
      ThrowFileError("standard output", "write", errno == 0 ? EIO : errno);
    }
  }

  const Format& format_;
  std::ostream& out_;
  std::optional<NewFile> file_;
  std::unique_ptr<Encoder> encoder_;
};

Exported ExportRuns(Source& source, const std::string& shown_source, const Options& options, Target& target,
                    Progress& progress) {
  const std::unique_ptr<FormatWriter> writer = options.Form().write(
      {"flaky " FLAKY_VERSION, shown_source, Timestamp::Now()}, [&](std::string_view bytes) { target.Write(bytes); });
  progress.Begin(Phase::kCounting, 0);
  const std::optional<Totals> expected = source.Expected();
  CopyProgress now{.total_runs = expected ? expected->runs : 0};
  progress.Begin(Phase::kWriting, now.total_runs);
  RecordConverter fitter(kJsonlLimits, options.Shown());
  Prefetch<Batch> read([&] {
    std::optional<Batch> batch = source.Next({});
    if (batch) batch->converted = ConvertBatch(fitter, *batch, options.strict);
    return batch;
  });
  Exported exported;
  bool interrupted = false;
  while (std::optional<Batch> batch = read.Take()) {
    writer->Write(batch->records);
    AddConverted(std::move(batch->converted), exported.converted, exported.converted_runs);
    Add(*batch, now);
    progress.Update(now);
    interrupted = InterruptGuard::Seen();
    if (interrupted) break;
  }
  if (!interrupted) {
    writer->Finish();
    target.Finish();
    interrupted = !target.Publish(writer->content(), progress);
  }
  progress.Done(now);
  exported.content = writer->content();
  exported.remarks = writer->remarks();
  exported.interrupted = interrupted;
  return exported;
}

void PrintText(const Exported& exported, const Options& options, const std::string& from, std::ostream& out) {
  out << "exported " << Escaped(from) << " to " << Escaped(options.Shown()) << '\n';
  PrintCount("runs", exported.content.totals.runs, "", out);
  PrintCount("parts", exported.content.totals.parts, "", out);
  PrintCount("failures", exported.content.totals.failures, "", out);
  if (exported.converted > 0)
    PrintCount("converted", exported.converted, "held values that the format cannot hold", out);
  PrintSpeed(exported.content.totals, exported.seconds, out);
  PrintConverted(exported.converted_runs, out);
  if (exported.content.totals.runs == 0) {
    out << "the export is empty: the store has no runs, or none that were selected\n";
    return;
  }
  if (!options.Form().is_history) {
    if (!options.ToOutput()) out << "verified: the file was read back and holds what was written\n";
    return;
  }
  out << (options.ToOutput() ? "`flaky import` verifies it, digest "
                             : "verified: the file is equal to the store, digest ")
      << exported.content.digest.ToString() << '\n';
}

// Prints one line, after the progress events, if both go to standard error.
void PrintAsJson(const Exported& exported, const Options& options, const std::string& from, std::ostream& out) {
  Json json = JsonOutput();
  json["from"] = from;
  json["to"] = options.Shown();
  json["verified"] = !options.ToOutput() && exported.content.totals.runs > 0;
  json["runs"] = exported.content.totals.runs;
  json["parts"] = exported.content.totals.parts;
  json["failures"] = exported.content.totals.failures;
  json["converted"] = exported.converted;
  json["conversions"] = JsonOfConverted(exported.converted_runs);
  json["digest"] = options.Form().is_history ? Json(exported.content.digest.ToString()) : Json();
  json["remarks"] = JsonOfRemarks(exported.remarks);
  json["seconds"] = exported.seconds;
  if (options.ToOutput()) {
    out << JsonLine(json) << '\n';
  } else {
    PrintJson(out, json);
  }
}

// The program that reads the output may draw on the same terminal, as the bar of `flaky import -` does.
ProgressForm HowToShow(const Session& session, const Options& options) {
  const ProgressForm form = FormOf(session.terminal, options.json);
  return options.ToOutput() && form == ProgressForm::kBar ? ProgressForm::kNone : form;
}

void Export(Session& session, const Options& options) {
  RefuseAddressAsFile("export", options.file);
  const Location from = options.from.empty() ? session.resolved.history.Get()
                                             : NamedLocation(session.resolved, options.from, "--from", Side::kSource);
  DeliverBeforeReading(session);

  const Stopwatch watch;
  const InterruptGuard interrupt;
  const std::unique_ptr<Store> store = OpenStore(from, OpenMode::kRead, PatientRetrying(session));
  ReportWarnings(session, *store);
  SelectedSource source(*store, SelectionOf(options.selection));
  Target target(options, session.out);
  TerminalProgress progress(session.err, HowToShow(session, options));
  Exported exported = ExportRuns(source, from.display_name, options, target, progress);
  exported.seconds = watch.Seconds();
  if (exported.interrupted) {
    throw CommandError(ExitCode::kInterrupted, options.ToOutput()
                                                   ? "export: interrupted; the output is incomplete"
                                                   : "export: interrupted; " + options.file + " is unchanged");
  }
  if (source.unfinished() > 0) Log(session.log, LogLevel::kWarn, UnfinishedPhrase(source, from.display_name));
  for (const Remark& remark : exported.remarks) Log(session.log, LogLevel::kWarn, options.Shown() + ": " + remark.text);
  // The summary must not become part of the exported history.
  std::ostringstream report;
  (options.json ? PrintAsJson : PrintText)(exported, options, from.display_name, report);
  if (options.ToOutput()) {
    session.err.Print(report.str());
  } else {
    session.out << report.str();
  }
}

}  // namespace

void AddExport(CLI::App& app, Session& session) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("export", "Write the history as JSON lines");
  command
      ->add_option("FILE", options->file,
                   "the file to write, compressed if it ends in .gz or .zst; `-`: standard output")
      ->capture_default_str();
  AddFormatOption(*command, options->format, "history");
  command->add_option("--from", options->from, "the store, such as sqlite:PATH (default: FLAKY_TESTS_*)");
  AddSelectionOptions(*command, options->selection);
  command->add_flag("--strict", options->strict,
                    "fail at a value that the format cannot hold, instead of converting it");
  AddJsonFlag(*command, options->json);
  AddFooter(*command,
            {"docs/reference/jsonl.md documents the format, and `flaky import` reads it into any store. The export is "
             "written to FILE.part and replaces FILE after it is complete and was read back. If FILE is `-`, the "
             "summary goes to standard error.",
             "Plain results (docs/reference/results.md) hold less than a history: what they cannot hold is counted and "
             "named. Use them to read the results with other programs, not to move a history."},
            {"flaky export history.jsonl.zst", "flaky export --from sqlite:old.db --format results -"});
  command->callback([&session, options] { Export(session, *options); });
}

}  // namespace flaky
