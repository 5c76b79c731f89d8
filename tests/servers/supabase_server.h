#ifndef FLAKY_TESTS_SERVERS_SUPABASE_SERVER_H_
#define FLAKY_TESTS_SERVERS_SUPABASE_SERVER_H_

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tests/servers/rows.h"
#include "tests/servers/server_process.h"
#include "tests/support/temp_folder.h"

namespace flaky {

// A stand-in for a Supabase project: @supabase/lite, which speaks PostgREST's dialect on a free port of 127.0.0.1, with
// its own database on PostgresServer::Shared(). It finds tables and functions only when it starts. Starts in about half
// a second. Not thread-safe. Throws std::runtime_error.
class SupabaseServer {
 public:
  struct Options {
    std::string sql;              // run in the database before the server starts; "" leaves the database empty
    std::optional<int> max_rows;  // in one answer; nullopt: 1000, as in a hosted project
  };

  explicit SupabaseServer(Options options);
  ~SupabaseServer();

  const std::string& url() const { return url_; }  // the project's URL, "http://127.0.0.1:PORT"
  int port() const { return port_; }
  pid_t pid() const { return process_->pid(); }
  // Returns the connection string of the database, for its owner.
  const std::string& database_uri() const { return database_uri_; }
  // Return the keys, which all servers share.
  static const std::string& SecretKey();
  static const std::string& PublishableKey();

  void Execute(const std::string& sql) const;
  Rows Query(const std::string& sql) const;

  // Empties all tables whose name begins with the prefix, except for the ledgers.
  void Empty(const std::string& prefix) const;
  // Ends the server as a crash would. It can be restarted.
  void Kill();
  // Ends the server, if it is running, and starts it again on the same port. It then finds tables that were created
  // since the last start.
  void Restart();

 private:
  void Start();

  Options options_;
  TempFolder folder_;
  std::string database_uri_;
  int port_ = 0;
  std::string url_;
  std::unique_ptr<ServerProcess> process_;
};

}  // namespace flaky

#endif  // FLAKY_TESTS_SERVERS_SUPABASE_SERVER_H_
