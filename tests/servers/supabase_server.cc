#include "tests/servers/supabase_server.h"

#include <csignal>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <utility>

#include "tests/servers/http_request.h"
#include "tests/servers/postgres_server.h"

namespace flaky {
namespace {

// A hosted project has these roles from the start.
constexpr char kRoles[] = R"(
  DO $$
  DECLARE
    role_name TEXT;
  BEGIN
    PERFORM pg_advisory_xact_lock(1);
    FOREACH role_name IN ARRAY ARRAY['anon', 'authenticated', 'service_role'] LOOP
      IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = role_name) THEN
        EXECUTE format('CREATE ROLE %I NOLOGIN', role_name);
      END IF;
    END LOOP;
    ALTER ROLE service_role BYPASSRLS;
  END $$)";

std::string Program() {
  const std::filesystem::path path = FLAKY_SUPABASE_LITE;
  if (std::filesystem::exists(path)) return path.string();
  throw std::runtime_error("the tests need '" + path.string() +
                           "', which was not found; it comes with the npm package '@supabase/lite', and `./dev test` "
                           "installs it");
}

}  // namespace

SupabaseServer::SupabaseServer(Options options)
    : options_(std::move(options)),
      database_uri_(PostgresServer::Shared().CreateDatabase()),
      port_(FreePort()),
      url_("http://127.0.0.1:" + std::to_string(port_)) {
  Execute(kRoles);
  if (!options_.sql.empty()) Execute(options_.sql);
  std::filesystem::create_directories(folder_.path() / "supabase");
  std::ofstream config(folder_.File("supabase/config.toml"));
  config << "[api]\nport = " << port_ << '\n';
  if (options_.max_rows) config << "max_rows = " << *options_.max_rows << '\n';
  config << "[db]\ndriver = \"postgres\"\nurl = \"" << database_uri_
         << (database_uri_.find('?') == database_uri_.npos ? "?" : "&") << "max=4\"\n"
         << "[auth]\nenabled = true\njwt_secret = \"of-a-test-only\"\npublishable_key = \"" << PublishableKey()
         << "\"\nsecret_key = \"" << SecretKey() << "\"\n";
  config.close();
  Start();
}

SupabaseServer::~SupabaseServer() {
  process_.reset();
  // A test may have killed the shared server.
  try {
    PostgresServer::Shared().DropDatabase(database_uri_);
  } catch (const std::runtime_error&) {
  }
}

const std::string& SupabaseServer::SecretKey() {
  static const std::string key = "sb_secret_0123456789abcdefghijkl_ABCDEFGH";
  return key;
}

const std::string& SupabaseServer::PublishableKey() {
  static const std::string key = "sb_publishable_0123456789abcdefghijkl_ABCDEFGH";
  return key;
}

void SupabaseServer::Start() {
  ServerCommand command;
  // The first two variables disable telemetry.
  command.arguments = {"/usr/bin/env", "DO_NOT_TRACK=1", "LITE_TELEMETRY=0",
                       FindProgram("node", {}, "Debian's package 'nodejs'"), Program(), "start",
                       // Without this flag it requires no key.
                       "--no-admin"};
  command.folder = folder_.path();
  command.log = folder_.File("log");
  process_ = std::make_unique<ServerProcess>(command);
  process_->WaitUntil([this] {
    // Calls a function that does not exist. 404 shows that the interface answers.
    return HttpPost(url_ + "/rest/v1/rpc/none", "{}", {"apikey: " + SecretKey(), "Content-Type: application/json"})
               .status == 404;
  });
}

void SupabaseServer::Execute(const std::string& sql) const { PostgresServer::Execute(database_uri_, sql); }

Rows SupabaseServer::Query(const std::string& sql) const { return PostgresServer::Query(database_uri_, sql); }

void SupabaseServer::Empty(const std::string& prefix) const {
  std::string tables;
  for (const char* name : {"runs", "parts", "failures", "rosters", "claims"}) {
    tables += (tables.empty() ? "\"" : ", \"") + prefix + name + "\"";
  }
  Execute("TRUNCATE " + tables + " RESTART IDENTITY CASCADE");
}

void SupabaseServer::Kill() { process_->Stop(SIGKILL); }

void SupabaseServer::Restart() {
  Kill();
  Start();
}

}  // namespace flaky
