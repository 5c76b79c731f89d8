// with_server SERVER[,SERVER…] -- COMMAND [ARGUMENT…]
//
// Starts servers and runs a command that can use them, for manual experiments and measurements. The command's
// FLAKY_TESTS_STORE, FLAKY_TESTS_CONNECTION_STRING and FLAKY_TESTS_AUTH_TOKEN name the first server. DATABASE_URL is
// PostgreSQL's connection string, SQLD_URL is sqld's. SUPABASE_URL, SUPABASE_KEY and SUPABASE_DB belong to the stand-in
// for a Supabase project, which already has flaky's tables. Ends with the command's exit status, or 128 + N if signal N
// killed the command.
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <memory>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "stores/open.h"
#include "tests/servers/postgres_server.h"
#include "tests/servers/sqld_server.h"
#include "tests/servers/supabase_server.h"

namespace {

constexpr char kUsage[] = "usage: with_server postgres|sqld|supabase[,…] -- COMMAND [ARGUMENT…]\n";
constexpr int kUsageStatus = 2;

// A server, the store that it is for, and the variables with which a command finds it.
struct Running {
  std::shared_ptr<void> server;
  std::string store, address, token;
  std::vector<std::pair<std::string, std::string>> variables;
};

Running Start(const std::string& name) {
  if (name == "postgres") {
    auto server = std::make_shared<flaky::PostgresServer>();
    const std::string uri = server->CreateDatabase();
    return {server, "postgres", uri, "", {{"DATABASE_URL", uri}}};
  }
  if (name == "sqld") {
    auto server = std::make_shared<flaky::SqldServer>();
    const std::string url = server->url();
    return {server, "turso", url, "", {{"SQLD_URL", url}}};
  }
  if (name == "supabase") {
    auto server = std::make_shared<flaky::SupabaseServer>(flaky::SupabaseServer::Options{
        .sql = flaky::SchemaScript("supabase", flaky::kDefaultPrefix), .max_rows = std::nullopt});
    const std::string url = server->url(), key = flaky::SupabaseServer::SecretKey();
    return {server,
            "supabase",
            url,
            key,
            {{"SUPABASE_URL", url}, {"SUPABASE_KEY", key}, {"SUPABASE_DB", server->database_uri()}}};
  }
  throw std::invalid_argument("unknown server '" + name + "'; expected postgres, sqld or supabase");
}

int Run(char** command) {
  const pid_t parent = getpid();
  const pid_t pid = fork();
  if (pid == 0) {
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != parent) _exit(1);
    execvp(command[0], command);
    std::fprintf(stderr, "with_server: cannot run %s: %s\n", command[0], std::strerror(errno));
    _exit(127);
  }
  if (pid < 0) throw std::runtime_error(std::string("cannot fork: ") + std::strerror(errno));
  // A terminal sends these to both processes; only the command reacts to them.
  std::signal(SIGINT, SIG_IGN);
  std::signal(SIGQUIT, SIG_IGN);
  int status = 0;
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 4 || std::string(argv[2]) != "--") {
    std::fputs(kUsage, stderr);
    return kUsageStatus;
  }
  try {
    std::vector<Running> servers;
    std::istringstream names(argv[1]);
    for (std::string name; std::getline(names, name, ',');) servers.push_back(Start(name));
    for (const Running& running : servers) {
      for (const auto& [name, value] : running.variables) setenv(name.c_str(), value.c_str(), 1);
    }
    setenv("FLAKY_TESTS_STORE", servers.front().store.c_str(), 1);
    setenv("FLAKY_TESTS_CONNECTION_STRING", servers.front().address.c_str(), 1);
    if (!servers.front().token.empty()) setenv("FLAKY_TESTS_AUTH_TOKEN", servers.front().token.c_str(), 1);
    return Run(argv + 3);
  } catch (const std::invalid_argument& error) {
    std::fprintf(stderr, "with_server: %s\n%s", error.what(), kUsage);
    return kUsageStatus;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "with_server: %s\n", error.what());
    return 1;
  }
}
