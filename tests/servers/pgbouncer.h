#ifndef FLAKY_TESTS_SERVERS_PGBOUNCER_H_
#define FLAKY_TESTS_SERVERS_PGBOUNCER_H_

#include <memory>
#include <string>
#include <vector>

#include "tests/servers/postgres_server.h"
#include "tests/servers/server_process.h"
#include "tests/support/temp_folder.h"

namespace flaky {

// pgbouncer in transaction mode in front of a server that outlives it. Each transaction may use a different session, as
// with the pooled connection strings of hosted PostgreSQL. `users` need no password.
class Pgbouncer {
 public:
  explicit Pgbouncer(const PostgresServer& server, const std::vector<std::string>& users = {"postgres"});

  // Returns the connection string of a pooled connection to a database of the server.
  std::string Uri(const std::string& database = "postgres", const std::string& user = "postgres") const;
  int port() const { return port_; }

 private:
  TempFolder folder_;
  int port_;
  std::unique_ptr<ServerProcess> process_;
};

}  // namespace flaky

#endif  // FLAKY_TESTS_SERVERS_PGBOUNCER_H_
