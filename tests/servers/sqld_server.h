#ifndef FLAKY_TESTS_SERVERS_SQLD_SERVER_H_
#define FLAKY_TESTS_SERVERS_SQLD_SERVER_H_

#include <memory>
#include <string>
#include <vector>

#include "tests/servers/rows.h"
#include "tests/servers/server_process.h"
#include "tests/support/temp_folder.h"

namespace flaky {

// A libSQL server (sqld) with one database in a temporary folder, on a free port of 127.0.0.1, over plain HTTP. Starts
// in about 0.1 s. Not thread-safe. Throws std::runtime_error.
class SqldServer {
 public:
  struct Options {
    bool auth = false;               // the server requires one of tokens()
    std::vector<std::string> flags;  // additional flags of sqld, such as "--max-response-size", "1MB"
  };
  struct Tokens {
    std::string read_write;
    std::string read_only;
    std::string expired;  // an hour ago
    std::string foreign;  // well formed, signed with a key that the server does not know
    std::string garbage;
  };

  SqldServer() : SqldServer(Options()) {}
  explicit SqldServer(Options options);

  // Returns the server, without authentication, that the tests of one process share. The first call starts it.
  static SqldServer& Shared();

  const std::string& url() const { return url_; }  // "http://127.0.0.1:PORT"
  int port() const { return port_; }
  pid_t pid() const { return process_->pid(); }
  // Returns the path of the server's data, an SQLite database. Other code may read it after the server was killed.
  std::string database_file() const { return folder_.File("db/dbs/default/data"); }
  // All empty without `auth`.
  const Tokens& tokens() const { return tokens_; }

  // Runs any number of statements.
  void Execute(const std::string& sql) const;
  // Runs one statement and returns its rows. Blobs are in base64.
  Rows Query(const std::string& sql) const;

  // Ends the server and starts it again on the same port with an empty database. As fast as a start.
  void Reset();
  // Ends the server as a crash would (SIGKILL). It can be restarted.
  void Kill();
  // Ends the server, if it is running, and starts it again on the same port with the same data.
  void Restart();

 private:
  void Start();

  Options options_;
  TempFolder folder_;
  std::string program_;
  int port_;
  std::string url_;
  Tokens tokens_;
  std::unique_ptr<ServerProcess> process_;
};

}  // namespace flaky

#endif  // FLAKY_TESTS_SERVERS_SQLD_SERVER_H_
