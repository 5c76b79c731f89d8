// SPDX-License-Identifier: MIT
#include "tests/support/fresh_store.h"

#include "tests/support/temp_folder.h"
#ifdef FLAKY_STORE_SQLITE
#include <SQLiteCpp/SQLiteCpp.h>
#endif
#ifdef FLAKY_STORE_POSTGRES
#include "tests/servers/postgres_server.h"
#endif
#ifdef FLAKY_STORE_SUPABASE
#include "tests/servers/supabase_server.h"
#endif
#ifdef FLAKY_STORE_TURSO
#include "tests/servers/sqld_server.h"
#endif

namespace flaky {
namespace {

#ifdef FLAKY_STORE_SQLITE
FreshStore FreshSqlite() {
  const auto folder = std::make_shared<TempFolder>();
  const std::string file = folder->File("history.db");
  const auto query = [file](const std::string& sql) {
    const SQLite::Database database(file, SQLite::OPEN_READWRITE);
    SQLite::Statement statement(database, sql);
    Rows rows;
    while (statement.executeStep()) {
      rows.emplace_back();
      for (int i = 0; i < statement.getColumnCount(); ++i) {
        const SQLite::Column column = statement.getColumn(i);
        rows.back().push_back(column.isNull() ? std::nullopt : std::optional(column.getString()));
      }
    }
    return rows;
  };
  return {"sqlite", file, query, folder};
}
#endif

#ifdef FLAKY_STORE_POSTGRES
FreshStore FreshPostgres() {
  struct Database {
    std::string uri = PostgresServer::Shared().CreateDatabase();
    ~Database() { PostgresServer::Shared().DropDatabase(uri); }
  };
  const auto database = std::make_shared<Database>();
  const std::string uri = database->uri;
  return {"postgres", uri, [uri](const std::string& sql) { return PostgresServer::Query(uri, sql); }, database,
          ServerControl::Of(PostgresServer::Shared())};
}
#endif

#ifdef FLAKY_STORE_TURSO
FreshStore FreshTurso() {
  SqldServer& server = SqldServer::Shared();
  server.Reset();
  return {"turso", server.url(), [&server](const std::string& sql) { return server.Query(sql); }, nullptr,
          ServerControl::Of(server)};
}
#endif

#ifdef FLAKY_STORE_SUPABASE
// Its tables exist from the start, because the Supabase store cannot create tables.
SupabaseServer& SharedSupabase() {
  struct Server : SupabaseServer {
    Server() : SupabaseServer({.sql = SchemaScript("supabase", kDefaultPrefix), .max_rows = std::nullopt}) {}
  };
  static ProcessWide<Server> shared;
  return shared.get();
}

FreshStore FreshSupabase() {
  SupabaseServer& server = SharedSupabase();
  server.Empty(std::string(kDefaultPrefix));
  return {"supabase",
          server.url(),
          [&server](const std::string& sql) { return server.Query(sql); },
          nullptr,
          ServerControl::Of(server),
          SupabaseServer::SecretKey()};
}
#endif

}  // namespace

const std::vector<StoreKind>& StoreKinds() {
  static const std::vector<StoreKind> kinds = {
#ifdef FLAKY_STORE_SQLITE
      {"sqlite", FreshSqlite},
#endif
#ifdef FLAKY_STORE_POSTGRES
      {"postgres", FreshPostgres},
#endif
#ifdef FLAKY_STORE_TURSO
      {"turso", FreshTurso},
#endif
#ifdef FLAKY_STORE_SUPABASE
      {"supabase", FreshSupabase},
#endif
  };
  return kinds;
}

}  // namespace flaky
