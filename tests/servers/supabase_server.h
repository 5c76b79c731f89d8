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

// What stands in for a Supabase project: @supabase/lite, which speaks PostgREST's dialect on a free port of 127.0.0.1,
// over a database of its own on PostgresServer::Shared(). It learns of tables and functions when it starts only. Starts
// in about half a second. Not thread-safe. Throws std::runtime_error.
class SupabaseServer {
 public:
  struct Options {
    std::string sql;              // run in the database before it starts: "" leaves it empty
    std::optional<int> max_rows;  // in one answer; absent: 1000, as a hosted project has it
  };

  explicit SupabaseServer(Options options);
  ~SupabaseServer();

  const std::string& url() const { return url_; }  // "http://127.0.0.1:PORT", the project's
  int port() const { return port_; }
  pid_t pid() const { return process_->pid(); }
  // The database's own connection string, for its owner.
  const std::string& database_uri() const { return database_uri_; }
  // The same of all of them.
  static const std::string& SecretKey();
  static const std::string& PublishableKey();

  void Execute(const std::string& sql) const;
  Rows Query(const std::string& sql) const;

  // Empties all tables whose name begins with the prefix, but for the ledgers.
  void Empty(const std::string& prefix) const;
  // Ends the server as a crash would; it can be restarted.
  void Kill();
  // Ends the server, if it runs, and starts it again on the same port: it then knows what was made meanwhile.
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
