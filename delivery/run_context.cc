// SPDX-License-Identifier: MIT
#include "delivery/run_context.h"

#include <algorithm>
#include <utility>

#include "history/text.h"
#include "settings/git_folder.h"
#include "settings/project_folder.h"
#include "settings/settings_files.h"
#include "spool/record_of.h"

namespace flaky {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

// How long after its end a journal may still be taken for one of this very CI job.
constexpr int64_t kFresh = 600 * kMicrosPerSecond;

// Returns the folder of the first test's source; empty if unknown.
fs::path SourceFolder(const Journal& journal) {
  const auto has_file = [](const JournalResult& result) { return !result.file.empty(); };
  const auto found = std::ranges::find_if(journal.results, has_file);
  if (found == journal.results.end()) return {};
  return (fs::path(journal.cwd) / found->file).parent_path();  // an absolute file replaces the working folder
}

// Returns the folder of a test's source under Bazel, to which the execroot has links; empty if unknown.
fs::path PlaceUnderBazel(const Journal& journal) {
  const std::string& output_base = journal.writer.output_base;
  for (const JournalResult& result : journal.results) {
    if (output_base.empty() || result.file.empty() || fs::path(result.file).is_absolute()) continue;
    std::error_code error;
    const fs::path source = fs::canonical(journal.bazel_execroot / fs::path(result.file), error);
    // Files that Bazel has fetched or generated are not in a working tree.
    if (!error && !source.string().starts_with(output_base + '/')) return source.parent_path();
  }
  return {};
}

bool IsInProject(const fs::path& folder) {
  return folder.is_absolute() && (!FindProjectFile(folder).path.empty() || !SourcesOf(folder).empty());
}

}  // namespace

fs::path Places::Of(const Journal& journal) {
  if (!journal.bazel_target.empty()) return PlaceUnderBazel(journal);
  const fs::path cwd = journal.cwd;
  if (IsKnown(cwd)) return cwd;
  const fs::path program = fs::path(journal.ProgramPath()).parent_path();
  return IsKnown(program) ? program : cwd;
}

bool Places::IsKnown(const fs::path& folder) {
  const auto [known, is_new] = is_in_project_.try_emplace(folder);
  if (is_new) known->second = IsInProject(folder);
  return known->second;
}

namespace {

// Returns the project that the project's settings file of a working folder names.
std::optional<std::string> ProjectInFile(const fs::path& folder) {
  try {
    const fs::path file = FindProjectFile(folder).path;
    if (file.empty()) return std::nullopt;
    Settings settings;
    ReadSettingsFile(file, Origin::kProjectFile, {}, settings);
    const auto given = settings.Given(setting::kProject);
    return given ? std::optional(given->text) : std::nullopt;
  } catch (const std::exception&) {
    return std::nullopt;  // commands in that folder report the error; the run must not wait for it
  }
}

}  // namespace

RunContexts::RunContexts(std::optional<std::string> user_project, const Environment& get,
                         std::chrono::milliseconds budget)
    : user_project_(std::move(user_project)), ci_(ReadCi(get)), budget_(budget) {}

std::pair<fs::path, fs::path> RunContexts::PlaceAndTop(const Journal& journal) {
  const fs::path place = places_.Of(journal);
  const auto [known, is_new] = tops_.try_emplace(place);
  if (is_new) known->second = RepositoryTop(SourcesOf(place));
  if (!journal.bazel_target.empty() || places_.IsKnown(place)) return {place, known->second};
  // A program that was not built by CMake, outside of its repository.
  const fs::path sources = SourceFolder(journal);
  const fs::path top = RepositoryTop(sources);
  return {top.empty() ? place : sources, top};
}

std::optional<std::string> RunContexts::ProjectOf(const Journal& journal) {
  return ProjectFor(journal, PlaceAndTop(journal).first);
}

RunContext RunContexts::Of(const Journal& journal) {
  RunContext context;
  const auto [place, top] = PlaceAndTop(journal);
  context.root = top;
  context.project = ProjectFor(journal, place);

  GitFacts git;
  bool code_is_known = true;  // nothing shows that the code has changed since
  if (!context.root.empty()) {
    const Repository& repository = RepositoryAt(context.root);
    code_is_known = repository.head_moved_at && *repository.head_moved_at <= journal.started_at;
    if (code_is_known) git = repository.git;
  }
  context.git_sha = git.sha;
  context.tree_sha = git.tree;
  context.branch = git.branch;
  context.git_dirty = git.dirty;
  context.commit_at = git.committed_at;
  context.merge_base = git.merge_base;
  context.edited_tree = git.edited_tree;

  // A journal that another job left here must not get this job's page.
  const bool is_fresh = Timestamp::Now().micros - journal.At(journal.last_us).micros <= kFresh;
  if (ci_ && code_is_known && (git.sha ? git.sha == ci_->sha : is_fresh)) {
    context.git_sha = ci_->sha;
    if (!context.branch) context.branch = ci_->branch;
    context.ci_url = ci_->url;
  }
  return context;
}

const RunContexts::Repository& RunContexts::RepositoryAt(const fs::path& top) {
  const auto [found, is_new] = repositories_.try_emplace(top);
  if (is_new) {
    const Clock::time_point start = Clock::now();
    found->second.git = ReadGit(top, start + budget_);
    // Read after the facts from git, because HEAD may have moved in between.
    found->second.head_moved_at = HeadMovedAt(top);
    budget_ = std::max(Clock::duration::zero(), budget_ - (Clock::now() - start));
  }
  return found->second;
}

std::optional<std::string> RunContexts::ProjectFor(const Journal& journal, const fs::path& place) {
  const auto [named, is_new] = projects_.try_emplace(place);
  if (is_new) {
    const auto in_file = place.empty() ? std::nullopt : ProjectInFile(place);
    named->second = in_file ? *in_file : user_project_ ? *user_project_ : flaky::ProjectOf(place);
  }
  const std::string& project = journal.project ? *journal.project : named->second;
  if (project.empty()) return std::nullopt;
  return MakeStorable(project);
}

}  // namespace flaky
