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

// A connection string for a server on this port of 127.0.0.1. The parts are encoded, so that they may hold anything.
std::string PostgresUri(int port, const std::string& database, const std::string& user,
                        const std::optional<std::string>& password = std::nullopt);

// A PostgreSQL server of its own, in a temporary folder, on a free port of 127.0.0.1 and on a Unix socket in folder().
// Everybody is let in without a password, except members of the role `with_password`: these have to show theirs
// (SCRAM). The superuser is `postgres`. What was committed survives Kill() (fsync is off: the kernel keeps it).
//
// Not thread-safe, but for the functions that are const or static. Throws std::runtime_error.
class PostgresServer {
 public:
  struct Options {
    std::vector<std::string> settings;  // "name=value", as `postgres -c` takes them
  };

  PostgresServer() : PostgresServer(Options()) {}
  explicit PostgresServer(Options options);
  ~PostgresServer();

  // The server that the tests of one process share; started when first asked for.
  static PostgresServer& Shared();

  std::string Uri(const std::string& database = "postgres", const std::string& user = "postgres",
                  const std::optional<std::string>& password = std::nullopt) const {
    return PostgresUri(port_, database, user, password);
  }

  // A fresh, empty database; gives its URI for the superuser. About 30 ms and 8 MB each.
  std::string CreateDatabase() const;
  // Ends who is still connected to the database of this URI, and removes it.
  void DropDatabase(const std::string& uri) const;

  // Runs any number of statements, given by the test's own text.
  static void Execute(const std::string& uri, const std::string& sql);
  // One statement with parameters $1, $2, …; gives its rows.
  static Rows Query(const std::string& uri, const std::string& sql,
                    const std::vector<std::optional<std::string>>& parameters = {});

  // Ends the server as a crash would (SIGKILL); it can be restarted.
  void Kill();
  // Ends the server, if it runs, in good order, and starts it again on the same port with the same data.
  void Restart();

  int port() const { return port_; }
  const std::filesystem::path& folder() const { return folder_.path(); }
  pid_t pid() const { return process_->pid(); }

 private:
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
