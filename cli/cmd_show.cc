// SPDX-License-Identifier: MIT
#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <string>
#include <string_view>

#include "cli/commands.h"
#include "cli/find_run.h"
#include "cli/help.h"
#include "cli/judged_history.h"
#include "cli/options.h"
#include "cli/show.h"

namespace flaky {
namespace {

constexpr size_t kShortestCommit = 4;  // git's
constexpr size_t kLongestCommit = 64;

struct Options {
  std::string what;
  JudgeRequest request;
  bool all = false;
  bool explain = false;
  bool json = false;
};

bool LooksLikeCommit(std::string_view text) {
  return text.size() >= kShortestCommit && text.size() <= kLongestCommit &&
         text.find_first_not_of("0123456789abcdef") == text.npos;
}

void Show(Session& session, const Options& options) {
  const std::unique_ptr<Store> store = OpenHistory(session);
  const bool is_run = options.what.empty() || options.what == kLatest || !RunsThatBegin(*store, options.what).empty();
  if (is_run) {
    const auto until = options.request.at ? std::optional(*options.request.at + 1) : std::nullopt;
    ShowRun(session, *store,
            {.run = options.what,
             .filters = options.request.filters,
             .all_projects = options.all,
             .until = until,
             .json = options.json},
            options.request);
    return;
  }
  if (LooksLikeCommit(options.what) &&
      ShowCommit(session, *store, {.commit = options.what, .request = options.request, .json = options.json})) {
    return;
  }
  ShowTest(session, *store,
           {.test = options.what, .request = options.request, .explain = options.explain, .json = options.json});
}

}  // namespace

void AddShow(CLI::App& app, Session& session) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("show", "Show a run, a test or a commit");
  command
      ->add_option("WHAT", options->what,
                   "the beginning of a run's id, or `latest`; the name of a test, Suite.Test; the beginning of a "
                   "commit's id")
      ->required()
      ->type_name("");
  AddJudgeOptions(*command, session, options->request);
  command->add_flag("--all", options->all, "for `latest`: of every project")->excludes("--project");
  command->add_flag("--explain", options->explain, "for a test: what was seen of it on each code version");
  AddJsonFlag(*command, options->json);
  AddFooter(*command,
            {"A run is shown with its parts and failures, and with who was at fault for each failure: the code, the "
             "test or the machine. A test that both failed and passed within the run is listed as flaky. The project "
             "matters only for `latest`, tests and commits.",
             "A test is shown with its verdict and the reasons, how often it failed by variant, branch and machine, "
             "its messages, what ran before it, and a command that repeats the failure. In the strip of its last "
             "executions, `x` is a failure.",
             kJudgeNote, kFilterNote},
            {"flaky show latest --variant asan", "flaky show Queue.Pops --explain"});
  command->callback([&session, options] { Show(session, *options); });
}

}  // namespace flaky
