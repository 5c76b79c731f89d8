// SPDX-License-Identifier: MIT
#ifndef FLAKY_TESTS_SERVERS_POSTGRES_SERVER_H_
#define FLAKY_TESTS_SERVERS_POSTGRES_SERVER_H_

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tests/servers/rows.h"
#include "tests/servers/server_process.h"
#include "tests/support/temp_folder.h"

namespace flaky {

// Returns a connection string for a server on this port of 127.0.0.1. The parts are encoded, so they may contain any
// characters.
std::string PostgresUri(int port, const std::string& database, const std::string& user,
                        const std::optional<std::string>& password = std::nullopt);

// A PostgreSQL server in a temporary folder, on a free port of 127.0.0.1 and on a Unix socket in folder(). Users need
// no password, except for members of the role `with_password` (SCRAM). The superuser is `postgres`. Committed data
// survives Kill(); fsync is off, but the kernel keeps the data.
//
// Not thread-safe, except for the functions that are const or static. Throws std::runtime_error.
class PostgresServer {
 public:
  struct Options {
    std::vector<std::string> settings;  // "name=value", as for `postgres -c`
  };

  PostgresServer() : PostgresServer(Options()) {}
  explicit PostgresServer(Options options);
  ~PostgresServer();

  // Returns a hot standby of a server, which must live as long as it: it follows the server's changes and can be read.
  static std::unique_ptr<PostgresServer> StandbyOf(const PostgresServer& primary);
  // Waits until this standby has all that was committed on the primary before.
  void CatchUpWith(const PostgresServer& primary) const;
  // Makes this standby a primary.
  void Promote() const;

  // Returns the server that the tests of one process share. The first call starts it.
  static PostgresServer& Shared();

  std::string Uri(const std::string& database = "postgres", const std::string& user = "postgres",
                  const std::optional<std::string>& password = std::nullopt) const {
    return PostgresUri(port_, database, user, password);
  }

  // Creates an empty database and returns its URI for the superuser. Takes about 30 ms and 8 MB.
  std::string CreateDatabase() const;
  // Ends all connections to the database of this URI and removes it.
  void DropDatabase(const std::string& uri) const;

  // Runs any number of SQL statements.
  static void Execute(const std::string& uri, const std::string& sql);
  // Runs one statement with parameters $1, $2, … and returns its rows.
  static Rows Query(const std::string& uri, const std::string& sql,
                    const std::vector<std::optional<std::string>>& parameters = {});

  // Ends the server as a crash would (SIGKILL). It can be restarted.
  void Kill();
  // Shuts the server down, if it is running, and starts it again on the same port with the same data.
  void Restart();

  int port() const { return port_; }
  const std::filesystem::path& folder() const { return folder_.path(); }
  pid_t pid() const { return process_->pid(); }

 private:
  struct Unstarted {};
  PostgresServer(Unstarted, Options options);
  void Start();
  ServerCommand Command(std::vector<std::string> arguments) const;

  Options options_;
  TempFolder folder_;
  std::optional<UserIds> run_as_;
  int port_ = 0;
  std::unique_ptr<ServerProcess> process_;
};

}  // namespace flaky

#endif  // FLAKY_TESTS_SERVERS_POSTGRES_SERVER_H_
