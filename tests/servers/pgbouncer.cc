// SPDX-License-Identifier: MIT
#include "tests/servers/pgbouncer.h"

#include <fstream>
#include <stdexcept>

namespace flaky {

Pgbouncer::Pgbouncer(const PostgresServer& server, const std::vector<std::string>& users) : port_(FreePort()) {
  const std::optional<UserIds> run_as = UnprivilegedUser();
  const std::string settings = folder_.File("pgbouncer.ini");
  const std::string user_list = folder_.File("users.txt");
  std::ofstream(settings) << "[databases]\n* = host=127.0.0.1 port=" << server.port()
                          << "\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = " << port_
                          << "\nunix_socket_dir =\nauth_type = trust\nauth_file = " << user_list
                          << "\npool_mode = transaction\ndefault_pool_size = 8\nmax_client_conn = 500\n";
  std::ofstream list(user_list);
  for (const std::string& user : users) list << '"' << user << "\" \"\"\n";
  list.close();
  for (const std::filesystem::path& path : {folder_.path(), {settings}, {user_list}}) GiveTo(run_as, path);

  ServerCommand command;
  command.arguments = {FindProgram("pgbouncer", {}, "Debian's package 'pgbouncer'"), settings};
  command.folder = folder_.path();
  command.log = folder_.File("log");
  command.run_as = run_as;
  process_ = std::make_unique<ServerProcess>(command);
  process_->WaitUntil([&] {
    try {
      return PostgresServer::Query(Uri("postgres", users.front()), "SELECT 1").size() == 1;
    } catch (const std::runtime_error&) {
      return false;
    }
  });
}

std::string Pgbouncer::Uri(const std::string& database, const std::string& user) const {
  return PostgresUri(port_, database, user);
}

}  // namespace flaky
