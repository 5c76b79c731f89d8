#include <CLI/CLI.hpp>
#include <memory>
#include <string>

#include "cli/commands.h"
#include "cli/help.h"
#include "cli/verify_stores.h"

namespace flaky {
namespace {

struct Options {
  std::string source;
  std::string target;
  ComparisonOptions comparison;
};

}  // namespace

void AddVerify(CLI::App& app, Session& session) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("verify", "Compare two stores and list the runs that differ");
  command->add_option("--source", options->source, "the old store, such as sqlite:PATH (default: FLAKY_TESTS_SOURCE_*)")
      ->type_name("LOCATION");
  command->add_option("--target", options->target, "the new store (default: FLAKY_TESTS_*)")->type_name("LOCATION");
  AddComparisonOptions(*command, options->comparison);
  AddFooter(*command,
            {"Each run is listed with + if only the source has it, - if only the target has it, * and the first "
             "difference if they differ, = if they are equal. At most 1,000 differing and 1,000 equal runs are listed; "
             "all are counted. Nothing is delivered or changed. Values that one of the stores cannot hold are compared "
             "after the conversion that a copy would make.",
             "Exit code: 0 the same, 5 differences, 130 interrupted. docs/reference/exit-codes.md lists the others."},
            {"flaky verify --source sqlite:old.db --target sqlite:new.db",
             "FLAKY_TESTS_SOURCE_DB=old.db flaky verify --one-way --sample 5%"});
  command->callback([&session, options] {
    const StoreOptions names{"verify", "--source", "--target"};
    const Location source = SourceOf(session.resolved, names, options->source);
    const Location target = TargetOf(session.resolved, names, options->target);
    RefuseSameStore(names, source, target);
    CompareStores(session, source, target, options->comparison);
  });
}

}  // namespace flaky
