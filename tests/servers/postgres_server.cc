// SPDX-License-Identifier: MIT
#include "tests/servers/postgres_server.h"

#include <libpq-fe.h>

#include <atomic>
#include <charconv>
#include <fstream>
#include <stdexcept>
#include <string_view>
#include <thread>

#include "tests/support/wait_for.h"

namespace flaky {
namespace {

namespace fs = std::filesystem;

constexpr char kPackage[] = "Debian's package 'postgresql'";

// Which users need a password.
constexpr char kAccess[] =
    "local all +with_password scram-sha-256\n"
    "host all +with_password 127.0.0.1/32 scram-sha-256\n"
    "local all all trust\n"
    "host all all 127.0.0.1/32 trust\n"
    "host replication postgres 127.0.0.1/32 trust\n";

// Debian has a separate folder for the programs of each major version. Returns the newest.
std::vector<fs::path> ProgramFolders() {
  fs::path newest;
  int newest_version = 0;
  std::error_code none;
  for (const fs::directory_entry& entry : fs::directory_iterator("/usr/lib/postgresql", none)) {
    const std::string name = entry.path().filename().string();
    int version = 0;
    std::from_chars(name.data(), name.data() + name.size(), version);
    if (version <= newest_version || !fs::exists(entry.path() / "bin/initdb")) continue;
    newest_version = version;
    newest = entry.path() / "bin";
  }
  if (newest_version == 0) return {};
  return {newest};
}

std::string PercentEncoded(std::string_view text) {
  constexpr std::string_view kPlain = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~";
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string encoded;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (kPlain.find(c) != std::string_view::npos) {
      encoded += c;
    } else {
      encoded.append({'%', kHex[byte >> 4], kHex[byte & 15]});
    }
  }
  return encoded;
}

using Connection = std::unique_ptr<PGconn, decltype(&PQfinish)>;
using Result = std::unique_ptr<PGresult, decltype(&PQclear)>;

Connection Connect(const std::string& uri) {
  Connection connection(PQconnectdb(uri.c_str()), &PQfinish);
  if (PQstatus(connection.get()) != CONNECTION_OK) throw std::runtime_error(PQerrorMessage(connection.get()));
  PQsetNoticeProcessor(
      connection.get(), [](void*, const char*) {}, nullptr);
  return connection;
}

Rows RowsOf(const Connection& connection, PGresult* raw, const std::string& sql) {
  const Result result(raw, &PQclear);
  const ExecStatusType status = PQresultStatus(result.get());
  if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK && status != PGRES_EMPTY_QUERY) {
    throw std::runtime_error(PQerrorMessage(connection.get()) + ("in: " + sql));
  }
  Rows rows;
  for (int r = 0; r < PQntuples(result.get()); ++r) {
    std::vector<std::optional<std::string>>& row = rows.emplace_back();
    for (int c = 0; c < PQnfields(result.get()); ++c) {
      if (PQgetisnull(result.get(), r, c) != 0) {
        row.emplace_back();
      } else {
        row.emplace_back(
            std::string(PQgetvalue(result.get(), r, c), static_cast<size_t>(PQgetlength(result.get(), r, c))));
      }
    }
  }
  return rows;
}

bool Answers(const std::string& uri) {
  const Connection connection(PQconnectdb((uri + "?connect_timeout=2").c_str()), &PQfinish);
  if (PQstatus(connection.get()) != CONNECTION_OK) return false;
  const Result result(PQexec(connection.get(), "SELECT 1"), &PQclear);
  return PQresultStatus(result.get()) == PGRES_TUPLES_OK;
}

// Returns the database's name in a URI that Uri() made.
std::string DatabaseOf(const std::string& uri) { return uri.substr(uri.rfind('/') + 1); }

}  // namespace

std::string PostgresUri(int port, const std::string& database, const std::string& user,
                        const std::optional<std::string>& password) {
  return "postgres://" + PercentEncoded(user) + (password ? ":" + PercentEncoded(*password) : "") +
         "@127.0.0.1:" + std::to_string(port) + "/" + PercentEncoded(database);
}

PostgresServer::PostgresServer(Unstarted, Options options)
    : options_(std::move(options)), run_as_(UnprivilegedUser()), port_(FreePort()) {
  GiveTo(run_as_, folder_.path());
}

PostgresServer::PostgresServer(Options options) : PostgresServer(Unstarted(), std::move(options)) {
  const std::string initdb = FindProgram("initdb", ProgramFolders(), kPackage);
  RunToEnd(Command({initdb, "--pgdata", folder_.File("data"), "--no-sync", "--no-instructions", "--username=postgres",
                    "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8"}));
  std::ofstream(folder_.File("data/pg_hba.conf")) << kAccess;
  Start();
  Execute(Uri(), "CREATE ROLE with_password");
}

PostgresServer::~PostgresServer() {
  // The data is not needed any more, so an immediate shutdown is enough.
  if (process_) process_->Stop(SIGQUIT);
}

std::unique_ptr<PostgresServer> PostgresServer::StandbyOf(const PostgresServer& primary) {
  std::unique_ptr<PostgresServer> standby(new PostgresServer(Unstarted(), primary.options_));
  RunToEnd(standby->Command({FindProgram("pg_basebackup", ProgramFolders(), kPackage), "--host=127.0.0.1",
                             "--port=" + std::to_string(primary.port_), "--username=postgres",
                             "--pgdata=" + standby->folder_.File("data"), "--checkpoint=fast", "--write-recovery-conf",
                             "--no-sync"}));
  standby->Start();
  return standby;
}

void PostgresServer::CatchUpWith(const PostgresServer& primary) const {
  const auto end = Query(primary.Uri(), "SELECT pg_current_wal_lsn()")[0][0];
  WaitFor("the standby", [&] {
    return Query(Uri(), "SELECT coalesce(pg_last_wal_replay_lsn() >= $1::pg_lsn, false)", {end})[0][0] == "t";
  });
}

void PostgresServer::Promote() const {
  if (Query(Uri(), "SELECT pg_promote()")[0][0] != "t") throw std::runtime_error("the standby cannot be promoted");
}

PostgresServer& PostgresServer::Shared() {
  static ProcessWide<PostgresServer> shared;
  return shared.get();
}

ServerCommand PostgresServer::Command(std::vector<std::string> arguments) const {
  ServerCommand command;
  command.arguments = std::move(arguments);
  command.folder = folder_.path();
  command.log = folder_.File("log");
  command.run_as = run_as_;
  command.death_signal = SIGQUIT;  // SIGKILL would leave a segment of shared memory
  return command;
}

void PostgresServer::Start() {
  std::vector<std::string> arguments = {FindProgram("postgres", ProgramFolders(), kPackage), "-D", folder_.File("data"),
                                        "-k", folder_.path().string()};
  std::vector<std::string> settings = {"listen_addresses=127.0.0.1", "port=" + std::to_string(port_), "fsync=off",
                                       "full_page_writes=off", "max_connections=200"};
  settings.insert(settings.end(), options_.settings.begin(), options_.settings.end());
  for (const std::string& setting : settings) {
    arguments.emplace_back("-c");
    arguments.push_back(setting);
  }
  // After a crash, the sessions of the old server may take some time to notice that it has ended.
  constexpr int kAttempts = 100;
  for (int attempt = 1;; ++attempt) {
    process_ = std::make_unique<ServerProcess>(Command(arguments));
    try {
      process_->WaitUntil([this] { return Answers(Uri()); });
      return;
    } catch (const std::runtime_error& error) {
      const std::string_view what = error.what();
      if (attempt == kAttempts || what.find("still in use") == std::string_view::npos) throw;
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
  }
}

void PostgresServer::Kill() { process_->Stop(SIGKILL); }

void PostgresServer::Restart() {
  process_->Stop(SIGINT);  // a "fast" shutdown: ends open sessions and writes committed data
  Start();
}

std::string PostgresServer::CreateDatabase() const {
  static std::atomic<int> made = 0;
  const std::string name = "database_" + std::to_string(++made);
  Execute(Uri(), "CREATE DATABASE " + name + " TEMPLATE template0");
  return Uri(name);
}

void PostgresServer::DropDatabase(const std::string& uri) const {
  Execute(Uri(), "DROP DATABASE IF EXISTS " + DatabaseOf(uri) + " WITH (FORCE)");
}

void PostgresServer::Execute(const std::string& uri, const std::string& sql) {
  const Connection connection = Connect(uri);
  RowsOf(connection, PQexec(connection.get(), sql.c_str()), sql);
}

Rows PostgresServer::Query(const std::string& uri, const std::string& sql,
                           const std::vector<std::optional<std::string>>& parameters) {
  const Connection connection = Connect(uri);
  std::vector<const char*> values;
  for (const auto& value : parameters) values.push_back(value ? value->c_str() : nullptr);
  return RowsOf(connection,
                PQexecParams(connection.get(), sql.c_str(), static_cast<int>(values.size()), nullptr, values.data(),
                             nullptr, nullptr, 0),
                sql);
}

}  // namespace flaky
