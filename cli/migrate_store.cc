// SPDX-License-Identifier: MIT
#include "cli/migrate_store.h"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "cli/copy_report.h"
#include "cli/options.h"
#include "cli/output/interrupt.h"
#include "cli/output/stopwatch.h"
#include "history/text.h"
#include "transfer/copy.h"

namespace flaky {
namespace {

// Two environments may call one project by two names: then everything is copied, and nothing of it is seen.
void PointOutProjects(const Session& session, Store& source, const Selection& selection) {
  const ProjectName here = session.resolved.project;
  RunFilter filter{.project = std::nullopt, .since = selection.since, .until = selection.until};
  if (!selection.projects.empty() || !selection.renamed.empty() || source.Count(filter).runs == 0) return;
  filter.project = here;
  if (source.Count(filter).runs > 0) return;
  const std::string phrase = ProjectPhrase(filter.project);
  Log(session.log, LogLevel::kWarn,
      source.name() + " has no run of " + phrase + ", and commands in this folder show only that project: use " +
          "--all or --project to see the other runs, or copy them with --map-project OLD=NEW");
}

// Names the user's own columns and tables, which are not copied.
void PointOutAdditions(const Session& session, const Location& from) {
  constexpr size_t kMostNames = 10;
  std::vector<std::string> names;
  try {
    if (auto health = ExamineStore(from)) names = std::move(health->additions);
  } catch (const StoreError& error) {
    Log(session.log, LogLevel::kDebug, std::string("what else is in the store is not known: ") + error.what());
  }
  if (names.empty()) return;
  const size_t more = names.size() - std::min(names.size(), kMostNames);
  names.resize(names.size() - more);
  Log(session.log, LogLevel::kWarn,
      from.display_name + ": the copy does not take what flaky did not make: " + Join(names, ", ") +
          (more > 0 ? " and " + std::to_string(more) + " more" : ""));
}

CopySummary CopyFrom(Session& session, const Location& from, const Location& to, const MigrateOptions& options) {
  const std::unique_ptr<Store> old_store = OpenStore(from, OpenMode::kRead, PatientRetrying(session));
  const Selection selection = SelectionOf(options.selection);
  ReportWarnings(session, *old_store);
  PointOutProjects(session, *old_store, selection);
  PointOutAdditions(session, from);
  SelectedSource source(*old_store, selection);
  CopySummary summary = CopyInto(session, source, to, options.into);
  if (source.unfinished() > 0) Log(session.log, LogLevel::kWarn, UnfinishedPhrase(source, from.display_name));
  return summary;
}

}  // namespace

void CopyStores(Session& session, const std::vector<Location>& sources, const Location& to,
                const MigrateOptions& options) {
  if (!options.into.dry_run) DeliverBeforeReading(session);
  const InterruptGuard interrupt;
  for (const Location& from : sources) {
    const Stopwatch watch;
    const CopySummary summary = CopyFrom(session, from, to, options);
    PrintCopy(summary, {from.display_name, to.display_name, watch.Seconds(), options.into.dry_run, options.into.json},
              session.out);
    session.exit_code = std::max(session.exit_code, CodeOf(summary));
    if (summary.stopped) break;
  }
}

void AddMigrateOptions(CLI::App& command, MigrateOptions& options) {
  AddSelectionOptions(command, options.selection);
  AddCopyOptions(command, options.into);
  AddJsonFlag(command, options.into.json);
}

}  // namespace flaky
