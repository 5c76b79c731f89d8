#include "stores/open.h"

#include <optional>
#include <span>
#include <string_view>
#include <utility>

#include "stores/health.h"
#include "stores/sql/adoption.h"
#include "stores/sql/ledger.h"

#ifdef FLAKY_STORE_POSTGRES
#include "stores/postgres/postgres_store.h"
#endif
#ifdef FLAKY_STORE_SQLITE
#include "stores/sqlite/sqlite_store.h"
#endif
#ifdef FLAKY_STORE_SUPABASE
#include "stores/supabase/migrate.h"
#include "stores/supabase/supabase_store.h"
#endif
#ifdef FLAKY_STORE_TURSO
#include "stores/turso/turso_store.h"
#endif

namespace flaky {
namespace {

using OpenFunction = std::unique_ptr<Store> (*)(const Location&, OpenMode);
using ExamineFunction = StoreHealth (*)(const Location&);
using DropFunction = LegacyTables (*)(const Location&, const std::optional<RowCounts>&);

struct Scheme {
  std::string_view name;
  std::string_view address_form;
  OpenFunction open;                           // null: this build does not have it
  std::span<const Migration> (*migrations)();  // null: it has no tables
  std::string_view sql_now;                    // the time, as the ledger's column holds it
  SqlDialect dialect;
  ExamineFunction examine;
  DropFunction drop;
  std::span<const Migration> (*more)() = nullptr;  // a second series, with the ledger `<prefix><name>_schema`
};

// Null for a store that this build does not have.
#ifdef FLAKY_STORE_SQLITE
constexpr OpenFunction kSqlite = [](const Location& location, OpenMode mode) { return OpenSqlite(location, mode); };
constexpr ExamineFunction kSqliteExamine = ExamineSqlite;
constexpr DropFunction kSqliteDrop = DropSqliteTables;
#else
constexpr OpenFunction kSqlite = nullptr;
constexpr ExamineFunction kSqliteExamine = nullptr;
constexpr DropFunction kSqliteDrop = nullptr;
#endif
#ifdef FLAKY_STORE_POSTGRES
constexpr OpenFunction kPostgres = OpenPostgres;
constexpr ExamineFunction kPostgresExamine = ExaminePostgres;
constexpr DropFunction kPostgresDrop = DropPostgresTables;
#else
constexpr OpenFunction kPostgres = nullptr;
constexpr ExamineFunction kPostgresExamine = nullptr;
constexpr DropFunction kPostgresDrop = nullptr;
#endif
#if defined(FLAKY_STORE_POSTGRES) || defined(FLAKY_STORE_SUPABASE)
constexpr auto kPostgresMigrations = PostgresMigrations;
#else
constexpr std::span<const Migration> (*kPostgresMigrations)() = nullptr;
#endif
#ifdef FLAKY_STORE_SUPABASE
constexpr OpenFunction kSupabase = [](const Location& location, OpenMode mode) { return OpenSupabase(location, mode); };
constexpr ExamineFunction kSupabaseExamine = ExamineSupabase;
constexpr auto kSupabaseMigrations = SupabaseMigrations;
#else
constexpr OpenFunction kSupabase = nullptr;
constexpr ExamineFunction kSupabaseExamine = nullptr;
constexpr std::span<const Migration> (*kSupabaseMigrations)() = nullptr;
#endif
#ifdef FLAKY_STORE_TURSO
constexpr OpenFunction kTurso = [](const Location& location, OpenMode mode) { return OpenTurso(location, mode); };
constexpr ExamineFunction kTursoExamine = ExamineTurso;
constexpr DropFunction kTursoDrop = DropTursoTables;
#else
constexpr OpenFunction kTurso = nullptr;
constexpr ExamineFunction kTursoExamine = nullptr;
constexpr DropFunction kTursoDrop = nullptr;
#endif

constexpr std::string_view kSqliteNow = "strftime('%Y-%m-%dT%H:%M:%fZ', 'now')";
constexpr std::string_view kPostgresNow = "now()";

// The one table of stores.
constexpr Scheme kSchemes[] = {
    {"sqlite", "sqlite:PATH", kSqlite, SqliteMigrations, kSqliteNow, SqlDialect::kSqlite, kSqliteExamine, kSqliteDrop},
    {"postgres", "postgres://USER@HOST/DATABASE", kPostgres, kPostgresMigrations, kPostgresNow, SqlDialect::kPostgres,
     kPostgresExamine, kPostgresDrop},
    {"turso", "libsql://HOST", kTurso, SqliteMigrations, kSqliteNow, SqlDialect::kSqlite, kTursoExamine, kTursoDrop},
    {"supabase", "supabase:https://PROJECT.supabase.co", kSupabase, kPostgresMigrations, kPostgresNow,
     SqlDialect::kPostgres, kSupabaseExamine, nullptr, kSupabaseMigrations},
    {"jsonl", "jsonl:PATH", nullptr, nullptr, {}, {}, nullptr, nullptr},
};

const Scheme* FindBuilt(std::string_view name) {
  for (const Scheme& scheme : kSchemes) {
    if (scheme.name == name && scheme.open != nullptr) return &scheme;
  }
  return nullptr;
}

std::string BuiltSchemes() {
  std::string text;
  for (const Scheme& scheme : kSchemes) {
    if (scheme.open == nullptr) continue;
    if (!text.empty()) text += ", ";
    text += scheme.address_form;
  }
  return text.empty() ? "none" : text;
}

[[noreturn]] void RefuseStore(std::string_view name, const std::string& shown, const std::string& operation) {
  const std::string_view instead =
      name == "jsonl" ? "; a JSONL file is no store: `flaky export` writes one and `flaky import` reads it" : "";
  throw StoreError(ErrorKind::kInvalid, shown, operation, "",
                   "this build does not have the store '" + std::string(name) + "'; it has: " + BuiltSchemes() +
                       std::string(instead));
}

// A store that has SQL to print.
const Scheme* FindScripted(std::string_view store) {
  const Scheme* scheme = FindBuilt(store);
  if (scheme == nullptr) RefuseStore(store, "", "print the schema");
  if (scheme->migrations == nullptr) {
    throw StoreError(ErrorKind::kInvalid, "", "print the schema", "",
                     "the store '" + std::string(store) + "' has no tables");
  }
  return scheme;
}

LegacyTables LookOrDrop(const Location& location, const std::optional<RowCounts>& drop_if) {
  const Scheme* scheme = FindBuilt(location.scheme);
  if (scheme == nullptr || scheme->drop == nullptr)
    RefuseStore(location.scheme, location.display_name, "drop the tables");
  return scheme->drop(location, drop_if);
}

}  // namespace

std::unique_ptr<Store> OpenStore(const Location& location, OpenMode mode, RetryPolicy policy) {
  const Scheme* scheme = FindBuilt(location.scheme);
  if (scheme == nullptr) RefuseStore(location.scheme, location.display_name, "open the store");
  return OpenWithRetry([&] { return scheme->open(location, mode); }, std::move(policy));
}

std::string SchemaScript(std::string_view store, std::string_view prefix) {
  const Scheme* scheme = FindScripted(store);
  std::string script;
  const auto add = [&](std::span<const Migration> migrations, const std::string& ledger, std::string_view otherwise) {
    for (const Migration& migration : migrations) {
      script += "BEGIN;\n\n" + ReplaceAll(migration.sql, "{prefix}", prefix) + "\nINSERT INTO \"" + ledger +
                "\" (version, name, checksum, applied_at) VALUES (" + std::to_string(migration.version) + ", '" +
                std::string(migration.name) + "', '" + Checksum(migration) + "', " + std::string(scheme->sql_now) +
                ")" + std::string(otherwise) + ";\n\nCOMMIT;\n\n";
    }
  };
  // Of the stores with a second series this script is the only way to be upgraded, so it can be run again.
  const std::string_view otherwise = scheme->more == nullptr ? "" : " ON CONFLICT (version) DO NOTHING";
  add(scheme->migrations(), std::string(prefix) + "schema", otherwise);
  if (scheme->more != nullptr) {
    add(scheme->more(), std::string(prefix) + std::string(scheme->name) + "_schema", otherwise);
  }
  script.pop_back();
  return script;
}

std::string AdoptionScript(std::string_view store, std::string_view from, std::string_view to, bool drop) {
  const Scheme* scheme = FindScripted(store);
  if (from == to) {
    throw StoreError(ErrorKind::kInvalid, "", "print the schema", "",
                     "the old tables and the new ones have the same prefix '" + std::string(to) + "'");
  }
  return AdoptionScript(scheme->dialect, from, to, drop);
}

StoreHealth ExamineStore(const Location& location) {
  const Scheme* scheme = FindBuilt(location.scheme);
  if (scheme == nullptr) RefuseStore(location.scheme, location.display_name, "open the store");
  return scheme->examine(location);
}

LegacyTables LookAtTables(const Location& location) { return LookOrDrop(location, std::nullopt); }

LegacyTables DropTables(const Location& location, const RowCounts& drop_if) { return LookOrDrop(location, drop_if); }

SchemaState MigrateFromOutside(const Location& location, [[maybe_unused]] const Secret& database,
                               [[maybe_unused]] const Secret& management_token) {
  if (FindBuilt(location.scheme) == nullptr) RefuseStore(location.scheme, location.display_name, "make the tables");
#ifdef FLAKY_STORE_SUPABASE
  if (location.scheme == "supabase") {
    return database.empty() ? MigrateSupabaseByManagement(location, management_token)
                            : MigrateSupabaseByDatabase(location, database);
  }
#endif
  throw StoreError(ErrorKind::kInvalid, location.display_name, "make the tables", "",
                   "the store makes its tables by itself");
}

const std::vector<SchemeInfo>& KnownSchemes() {
  static const std::vector<SchemeInfo> known = [] {
    std::vector<SchemeInfo> list;
    for (const Scheme& scheme : kSchemes) {
      list.push_back({std::string(scheme.name), scheme.open != nullptr, std::string(scheme.address_form)});
    }
    return list;
  }();
  return known;
}

}  // namespace flaky
