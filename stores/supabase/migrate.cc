// SPDX-License-Identifier: MIT
#include "stores/supabase/migrate.h"

#include <algorithm>
#include <string_view>

#include "history/text.h"
#include "stores/error.h"
#include "stores/http/answer.h"
#include "stores/sql/ledger.h"
#include "stores/supabase/url.h"

namespace flaky::supabase {
namespace {

constexpr char kOperation[] = "make the tables";

SchemaState Newest() {
  const auto known = static_cast<int64_t>(PostgresMigrations().size() + SupabaseMigrations().size());
  return {known, known, {}};
}

[[noreturn]] void Refuse(const Location& project, const std::string& detail) {
  throw StoreError(ErrorKind::kInvalid, project.display_name, kOperation, "", detail);
}

}  // namespace

const SqlSchema kSql{SqlDialect::kPostgres, PostgresMigrations, kPostgresNow,
                     SupabaseMigrations,    "supabase",         "public."};

SchemaState Migrate(const Location& project, const Secret& database, const Secret& management_token,
                    const Driver* script_driver) {
  return database.empty() ? MigrateByManagement(project, management_token)
                          : MigrateByDatabase(project, database, script_driver);
}

SchemaState MigrateByDatabase(const Location& project, const Secret& database, const Driver* script_driver) {
  if (script_driver == nullptr) {
    Refuse(project,
           "FLAKY_TESTS_SUPABASE_DB needs the PostgreSQL store, which this build does not have; `flaky schema sql "
           "--store supabase` prints the SQL for the dashboard's SQL editor");
  }
  const std::string& text = database.Reveal();
  const std::string store(script_driver->name);
  const Location location = ParseLocation(StoreOf(text) == store ? text : store + ":" + text, project.prefix);
  if (location.prefix != project.prefix) {
    Refuse(project, "FLAKY_TESTS_SUPABASE_DB and the project's location have different table prefixes");
  }
  // Throws if the tables are those of another program or of a newer schema, before anything is changed.
  script_driver->open(location, OpenMode::kWrite);
  script_driver->run_script(location, SchemaScriptOf(kSql, project.prefix), kOperation);
  return Newest();
}

SchemaState MigrateByManagement(const Location& project, const Secret& token, const std::string& api,
                                const http::Options& options) {
  const Address address = ParseAddress(project);
  if (address.reference.empty()) {
    Refuse(project,
           "the Management API only has projects at https://PROJECT.supabase.co; for other projects, set "
           "FLAKY_TESTS_SUPABASE_DB");
  }
  if (std::ranges::any_of(token.Reveal(), [](char c) { return c <= 0x20 || c >= 0x7f; })) {
    throw StoreError(ErrorKind::kAuth, project.display_name, kOperation, "",
                     "the token (FLAKY_TESTS_SUPABASE_TOKEN) contains a character that tokens do not have");
  }
  std::string body = R"({"query":)";
  AppendJson(body, SchemaScriptOf(kSql, project.prefix));
  body += '}';
  http::Request request;
  request.url = api + "/v1/projects/" + address.reference + "/database/query";
  request.headers = {"Content-Type: application/json", "Authorization: Bearer " + token.Reveal()};
  request.body = body;
  http::Client client(project.display_name, options);
  const http::Response response = client.Send(request, kOperation);
  if (response.status >= 200 && response.status <= 299) return Newest();
  const std::string said = http::MessageOf(response.body).message;
  const std::string quoted = said.empty() ? "" : " (the server said: " + said + ")";
  if (response.status == 401) {
    throw http::ErrorOf(
        project.display_name, kOperation, response,
        "the Management API does not accept FLAKY_TESTS_SUPABASE_TOKEN; create a personal access token (sbp_…) "
        "in the dashboard's account settings" +
            quoted);
  }
  if (response.status == 403 || response.status == 404) {
    throw StoreError(ErrorKind::kAuth, project.display_name, kOperation, "HTTP " + std::to_string(response.status),
                     "the Management API does not show the project '" + address.reference +
                         "' to this token: it belongs to another account or may not write to the database" + quoted);
  }
  throw http::ErrorOf(project.display_name, kOperation, response);
}

}  // namespace flaky::supabase
