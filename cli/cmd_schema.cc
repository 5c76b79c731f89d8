// SPDX-License-Identifier: MIT
#include <CLI/CLI.hpp>
#include <chrono>
#include <memory>
#include <optional>
#include <ostream>
#include <string>
#include <thread>
#include <vector>

#include "cli/commands.h"
#include "cli/copy_report.h"
#include "cli/help.h"
#include "cli/options.h"
#include "cli/output/escaped.h"
#include "cli/output/json_output.h"
#include "cli/output/log.h"
#include "delivery/open_for_writing.h"
#include "stores/schemes.h"

namespace flaky {
namespace {

struct StatusOptions {
  bool json = false;
};

struct MigrateOptions {
  bool dry_run = false;
  bool management_api = false;
  bool json = false;
};

struct SqlOptions {
  std::string store;
  std::optional<std::string> adopt_from;
  bool drop_old = false;
};

// Absent when there is no store yet.
std::optional<SchemaState> StateOf(const Session& session, const Location& location) {
  try {
    return OpenStore(location, OpenMode::kRead, Retrying(session))->schema();
  } catch (const StoreError& error) {
    if (error.kind() != ErrorKind::kMissing) throw;
    return std::nullopt;
  }
}

std::string StateWord(const std::optional<SchemaState>& state) {
  if (!state) return "missing";
  if (state->found > state->known) return "newer";
  return state->pending.empty() ? "current" : "pending";
}

Json AsJson(const Location& location, const std::optional<SchemaState>& state) {
  Json json = JsonOutput();
  json["store"] = location.display_name;
  json["state"] = StateWord(state);
  json["found"] = state ? Json(state->found) : Json();
  json["known"] = state ? Json(state->known) : Json();
  json["pending"] = state ? Json(state->pending) : Json();
  return json;
}

Json AsJson(const AdoptionSummary& summary) {
  return {{"runs", summary.runs},
          {"failures", summary.failures},
          {"conflicts", summary.conflicts},
          {"missing", summary.missing},
          {"left_out", summary.left_out}};
}

// Of the npm packages' tables, which opening the store for the first time copies.
void PrintAdopted(const AdoptionSummary& summary, std::ostream& out) {
  out << "imported the tables runs and failures, which are left unchanged\n";
  PrintCount("runs found", summary.runs, "", out);
  PrintCount("failures found", summary.failures, "", out);
  PrintCount("in conflict", summary.conflicts, "a different run with the same id was kept", out);
  PrintCount("left out", summary.left_out, "runs without an id, failures without a run", out);
  if (summary.missing > 0)
    PrintCount("missing", summary.missing, "added during the import; run flaky schema adopt", out);
}

void PrintNames(const std::vector<std::string>& names, std::ostream& out) {
  for (const std::string& name : names) out << "  " << Escaped(name) << '\n';
}

void Status(Session& session, const StatusOptions& options) {
  const Location& location = session.resolved.history.Get();
  const std::optional<SchemaState> state = StateOf(session, location);
  if (options.json) {
    PrintJson(session.out, AsJson(location, state));
  } else if (!state) {
    session.out << Escaped(location.display_name) << ": "
                << (!SchemeOf(location.scheme).makes_tables
                        ? "the project has no tables of flaky yet; flaky schema migrate creates them"
                        : "there is no store yet; the first delivery creates it")
                << '\n';
  } else {
    session.out << Escaped(location.display_name) << ": schema version " << state->found << ", this program has "
                << state->known << '\n';
    if (state->found > state->known) session.out << "written by a newer flaky: read only\n";
    if (!state->pending.empty()) {
      session.out << "pending; the next delivery or flaky schema migrate applies:\n";
      PrintNames(state->pending, session.out);
    }
  }
  if (!state) {
    session.exit_code = ExitCode::kUnreachable;
  } else if (state->found > state->known) {
    session.exit_code = ExitCode::kSchemaTooNew;
  } else if (!state->pending.empty()) {
    session.exit_code = ExitCode::kFindings;
  }
}

// A Supabase project's tables, which the store cannot make: over its database's own connection string or, where asked
// for, the Management API.
SchemaState MigrateSupabase(Session& session, const Location& location, const MigrateOptions& options) {
  constexpr std::chrono::seconds kPatience{5};
  constexpr std::chrono::milliseconds kPause{250};
  const Secret database(options.management_api ? "" : session.settings.Get(setting::kSupabaseDb));
  const Secret token(options.management_api ? session.settings.Get(setting::kSupabaseToken) : "");
  if (options.management_api && token.empty()) {
    throw SettingError("--management-api: FLAKY_TESTS_SUPABASE_TOKEN is not set; set it to a personal access token");
  }
  if (!options.management_api && database.empty()) {
    throw SettingError(
        "a Supabase project's REST interface cannot make tables: set FLAKY_TESTS_SUPABASE_DB to its database's "
        "connection "
        "string (dashboard: Connect), or run what `flaky schema sql --store supabase` prints in the dashboard's SQL "
        "editor, or give --management-api and FLAKY_TESTS_SUPABASE_TOKEN");
  }
  SchemaState after = MigrateFromOutside(location, database, token);
  for (const auto until = std::chrono::steady_clock::now() + kPatience; std::chrono::steady_clock::now() < until;) {
    const std::optional<SchemaState> seen = StateOf(session, location);
    if (seen && seen->pending.empty()) return *seen;
    std::this_thread::sleep_for(kPause);
  }
  Log(session.log, LogLevel::kWarn,
      "the tables were created, but the project's REST interface does not show them yet: it reloads the schema by "
      "itself, "
      "or on NOTIFY pgrst, 'reload schema', or when it is restarted");
  return after;
}

void Migrate(Session& session, const MigrateOptions& options) {
  const Location& location = session.resolved.history.Get();
  const bool from_outside = !SchemeOf(location.scheme).makes_tables;
  if (options.management_api && !from_outside) {
    throw SettingError("--management-api: the store is " + location.scheme +
                       ", which creates its tables automatically");
  }
  const std::optional<SchemaState> before = StateOf(session, location);
  if (before && before->found > before->known) {
    throw StoreError(ErrorKind::kSchemaTooNew, location.display_name, "upgrade the schema", "",
                     "it has version " + std::to_string(before->found) + ", this program knows " +
                         std::to_string(before->known) + ": install a newer flaky");
  }
  const std::vector<std::string> steps = before ? before->pending : std::vector<std::string>();
  const bool changes = !before || !steps.empty();
  std::optional<SchemaState> after = before;
  if (!options.dry_run && from_outside && changes) {
    after = MigrateSupabase(session, location, options);
  } else if (!options.dry_run) {
    const std::unique_ptr<Store> store = OpenForWriting(location, OpenMode::kWrite, Retrying(session));
    for (const std::string& warning : store->warnings()) Log(session.log, LogLevel::kWarn, warning);
    after = store->schema();
  }

  if (options.json) {
    Json json = AsJson(location, after);
    json["dry_run"] = options.dry_run;
    json["created"] = !before && !options.dry_run;
    json["applied"] = options.dry_run ? Json::array() : Json(steps);
    json["adopted"] = after && after->adopted ? AsJson(*after->adopted) : Json();
    PrintJson(session.out, json);
    return;
  }
  std::ostream& out = session.out;
  out << Escaped(location.display_name) << ": ";
  if (!changes) {
    out << "nothing to do, schema version " << before->found << '\n';
  } else if (!before) {
    out << (options.dry_run ? "would create the store and its tables"
                            : "created, schema version " + std::to_string(after->found))
        << '\n';
  } else {
    out << (options.dry_run ? "would apply" : "applied") << '\n';
    PrintNames(steps, out);
  }
  if (after && after->adopted) PrintAdopted(*after->adopted, out);
}

void Sql(Session& session, const SqlOptions& options) {
  const std::string prefix = session.settings.Get(setting::kTablePrefix);
  CheckPrefix(prefix, "FLAKY_TESTS_TABLE_PREFIX");
  const std::string store = options.store.empty() ? session.settings.Get(setting::kStore) : options.store;
  std::string script = SchemaScript(store, prefix);
  if (options.adopt_from) {
    CheckPrefix(*options.adopt_from, "--adopt-from");
    script += "\n" + AdoptionScript(store, *options.adopt_from, prefix, options.drop_old);
  }
  session.out << script;
}

}  // namespace

void AddSchema(CLI::App& app, Session& session) {
  CLI::App* schema = app.add_subcommand("schema", "Look at or upgrade the tables of the store");
  schema->require_subcommand(1);
  AddFooter(*schema,
            {"Deliveries upgrade the tables automatically; use these commands to inspect or upgrade them explicitly."},
            {"flaky schema status", "flaky schema sql --store postgres"});

  auto status_options = std::make_shared<StatusOptions>();
  CLI::App* status = schema->add_subcommand("status", "Show the schema version and pending migrations");
  AddJsonFlag(*status, status_options->json);
  AddFooter(*status,
            {"Exit code: 0 up to date, 1 migrations are pending, 10 there is no store, 13 the schema is newer than "
             "this program."},
            {"flaky schema status", "flaky schema status --json"});
  status->callback([&session, status_options] { Status(session, *status_options); });

  auto migrate_options = std::make_shared<MigrateOptions>();
  CLI::App* migrate =
      schema->add_subcommand("migrate", "Create the store if it does not exist, and upgrade its tables");
  migrate->add_flag("--dry-run", migrate_options->dry_run, "report what would be done, change nothing");
  migrate->add_flag("--management-api", migrate_options->management_api,
                    "create a Supabase project's tables through Supabase's Management API");
  AddJsonFlag(*migrate, migrate_options->json);
  AddFooter(*migrate,
            {"The tables of a Supabase project are created through FLAKY_TESTS_SUPABASE_DB, the connection string of "
             "its database, or with --management-api and the personal access token FLAKY_TESTS_SUPABASE_TOKEN."},
            {"flaky schema migrate --dry-run", "FLAKY_TESTS_DB=team.db flaky schema migrate"});
  migrate->callback([&session, migrate_options] { Migrate(session, *migrate_options); });

  AddSchemaAdopt(*schema, session);

  auto sql_options = std::make_shared<SqlOptions>();
  CLI::App* sql = schema->add_subcommand("sql", "Print the SQL that creates the store's tables");
  sql->add_option("--store", sql_options->store, "sqlite, turso, postgres or supabase (default: FLAKY_TESTS_STORE)");
  CLI::Option* adopt_from =
      sql->add_option("--adopt-from", sql_options->adopt_from, "also copy the rows of the tables with this prefix")
          ->type_name("PREFIX");
  sql->add_flag("--drop-old", sql_options->drop_old, "then drop those tables, if every row was copied")
      ->needs(adopt_from);
  AddFooter(*sql,
            {"For an administrator to run in an empty database, if the role that records may not create tables. The "
             "command connects to nothing. The tables' names begin with FLAKY_TESTS_TABLE_PREFIX."},
            {"flaky schema sql --store postgres",
             "FLAKY_TESTS_TABLE_PREFIX=team_ flaky schema sql --store sqlite --adopt-from flaky_test_"});
  sql->callback([&session, sql_options] { Sql(session, *sql_options); });
}

}  // namespace flaky
