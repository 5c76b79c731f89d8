// with_server SERVER[,SERVER…] -- COMMAND [ARGUMENT…]
//
// Runs a command next to servers of its own, for trying things by hand and for measurements. The first server named is
// the one that FLAKY_TESTS_STORE and FLAKY_TESTS_CONNECTION_STRING tell of; DATABASE_URL is PostgreSQL's connection
// string, SQLD_URL that of sqld. Ends with the command's exit status (128 + N where signal N ended it).
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
#include <vector>

#include "tests/servers/postgres_server.h"
#include "tests/servers/sqld_server.h"

namespace {

constexpr char kUsage[] = "usage: with_server postgres|sqld[,…] -- COMMAND [ARGUMENT…]\n";
constexpr int kUsageStatus = 2;

// A server, what a command finds it by, and the store it is for.
struct Running {
  std::shared_ptr<void> server;
  const char* store;
  const char* variable;
  std::string address;
};

Running Start(const std::string& name) {
  if (name == "postgres") {
    auto server = std::make_shared<flaky::PostgresServer>();
    const std::string uri = server->CreateDatabase();
    return {server, "postgres", "DATABASE_URL", uri};
  }
  if (name == "sqld") {
    auto server = std::make_shared<flaky::SqldServer>();
    const std::string url = server->url();
    return {server, "turso", "SQLD_URL", url};
  }
  throw std::invalid_argument("there is no server '" + name + "'");
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
  // What a terminal sends to both is the command's to answer.
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
    for (const Running& running : servers) setenv(running.variable, running.address.c_str(), 1);
    setenv("FLAKY_TESTS_STORE", servers.front().store, 1);
    setenv("FLAKY_TESTS_CONNECTION_STRING", servers.front().address.c_str(), 1);
    return Run(argv + 3);
  } catch (const std::invalid_argument& error) {
    std::fprintf(stderr, "with_server: %s\n%s", error.what(), kUsage);
    return kUsageStatus;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "with_server: %s\n", error.what());
    return 1;
  }
}
