#include "stores/supabase/migrate.h"

#include <algorithm>
#include <string_view>

#include "history/text.h"
#include "stores/error.h"
#include "stores/http/answer.h"
#include "stores/open.h"
#include "stores/sql/ledger.h"
#include "stores/supabase/url.h"
#ifdef FLAKY_STORE_POSTGRES
#include "stores/postgres/postgres_store.h"
#include "stores/postgres/script.h"
#endif

namespace flaky {
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

SchemaState MigrateSupabaseByDatabase(const Location& project, const Secret& database) {
#ifdef FLAKY_STORE_POSTGRES
  const std::string& text = database.Reveal();
  const Location location = ParseLocation(StoreOf(text) == "postgres" ? text : "postgres:" + text, project.prefix);
  if (location.prefix != project.prefix) {
    Refuse(project, "FLAKY_TESTS_SUPABASE_DB names another prefix for the tables than the project's location");
  }
  // It tells somebody else's tables from ours, and a newer schema from an older one, before anything is changed.
  OpenPostgres(location, OpenMode::kWrite);
  RunPostgresScript(location, SchemaScript("supabase", project.prefix), kOperation);
  return Newest();
#else
  static_cast<void>(database);
  Refuse(project,
         "this build does not have the PostgreSQL store, over which FLAKY_TESTS_SUPABASE_DB is used; `flaky schema sql "
         "--store supabase` prints the SQL for the dashboard's SQL editor");
#endif
}

SchemaState MigrateSupabaseByManagement(const Location& project, const Secret& token, const std::string& api,
                                        const HttpOptions& options) {
  const SupabaseAddress address = ParseSupabaseAddress(project);
  if (address.reference.empty()) {
    Refuse(project,
           "the Management API knows the projects at https://PROJECT.supabase.co only; FLAKY_TESTS_SUPABASE_DB reaches "
           "the database of any other");
  }
  if (std::ranges::any_of(token.Reveal(), [](char c) { return c <= 0x20 || c >= 0x7f; })) {
    throw StoreError(ErrorKind::kAuth, project.display_name, kOperation, "",
                     "the token (FLAKY_TESTS_SUPABASE_TOKEN) holds a character that no token has");
  }
  std::string body = R"({"query":)";
  AppendJson(body, SchemaScript("supabase", project.prefix));
  body += '}';
  HttpRequest request;
  request.url = api + "/v1/projects/" + address.reference + "/database/query";
  request.headers = {"Content-Type: application/json", "Authorization: Bearer " + token.Reveal()};
  request.body = body;
  HttpClient client(project.display_name, options);
  const HttpResponse response = client.Send(request, kOperation);
  if (response.status >= 200 && response.status <= 299) return Newest();
  const std::string said = MessageOf(response.body).message;
  const std::string quoted = said.empty() ? "" : " (the server said: " + said + ")";
  if (response.status == 401) {
    throw HttpError(project.display_name, kOperation, response,
                    "the Management API does not accept FLAKY_TESTS_SUPABASE_TOKEN; a personal access token (sbp_…) is "
                    "made in the dashboard's account settings" +
                        quoted);
  }
  if (response.status == 403 || response.status == 404) {
    throw StoreError(ErrorKind::kAuth, project.display_name, kOperation, "HTTP " + std::to_string(response.status),
                     "the Management API does not show the project '" + address.reference +
                         "' to this token: it is of another account, or may not write the database" + quoted);
  }
  throw HttpError(project.display_name, kOperation, response);
}

}  // namespace flaky
