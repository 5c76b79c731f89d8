#ifndef FLAKY_TESTS_SERVERS_PGBOUNCER_H_
#define FLAKY_TESTS_SERVERS_PGBOUNCER_H_

#include <memory>
#include <string>
#include <vector>

#include "tests/servers/postgres_server.h"
#include "tests/servers/server_process.h"
#include "tests/support/temp_folder.h"

namespace flaky {

// pgbouncer in transaction mode before a server that outlives it: each transaction may meet another of a few sessions,
// as with the pooled connection strings that hosted PostgreSQL hands out. Lets `users` in without a password.
class Pgbouncer {
 public:
  explicit Pgbouncer(const PostgresServer& server, const std::vector<std::string>& users = {"postgres"});

  // The pooled connection to a database of the server.
  std::string Uri(const std::string& database = "postgres", const std::string& user = "postgres") const;
  int port() const { return port_; }

 private:
  TempFolder folder_;
  int port_;
  std::unique_ptr<ServerProcess> process_;
};

}  // namespace flaky

#endif  // FLAKY_TESTS_SERVERS_PGBOUNCER_H_
