#include "tests/cli/copy_fixture.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <signal.h>
#include <spawn.h>

#include <array>
#include <charconv>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <utility>

#include "tests/servers/postgres_server.h"
#include "tests/servers/sqld_server.h"
#include "tests/servers/supabase_server.h"
#include "tests/support/generate_history.h"
#include "transfer/jsonl_reader.h"
#include "transfer/jsonl_writer.h"

namespace flaky {
namespace {

using nlohmann::json;

// The folder of the filled places that have no server. It is removed at the end of the process.
const TempFolder& SharedFolder() {
  static ProcessWide<TempFolder> folder;
  return folder.get();
}

std::vector<RunRecord> Generate(uint64_t seed, int64_t runs) {
  HistoryShape shape;
  shape.seed = seed;
  shape.runs = runs;
  shape.tests = 300;
  shape.min_message = 100;
  shape.max_message = 800;
  shape.npm_share = 0.1;
  return GenerateHistory(shape);
}

void Fill(const std::string& text) {
  Location location = ParseLocation(text);
  if (location.scheme == "supabase") location.token = Secret(SupabaseServer::SecretKey());
  const auto store = OpenStore(location, OpenMode::kBulk);
  store->Write(GeneratedHistory());
  store->Finish();
}

SqldServer& FilledSqld() {
  static ProcessWide<SqldServer> server;
  return server.get();
}

SupabaseServer& FilledSupabase() {
  struct Server : SupabaseServer {
    Server() : SupabaseServer({.sql = SchemaScript("supabase", kDefaultPrefix), .max_rows = std::nullopt}) {}
  };
  static ProcessWide<Server> server;
  return server.get();
}

FilledPlace Make(const std::string& kind) {
  FilledPlace place;
  if (kind == "sqlite") {
    place.location = "sqlite:" + SharedFolder().File("filled.db");
  } else if (kind == "postgres") {
    place.location = "postgres:" + PostgresServer::Shared().CreateDatabase();
    place.server = ServerControl::Of(PostgresServer::Shared());
  } else if (kind == "turso") {
    place.location = "turso:" + FilledSqld().url();
    place.server = ServerControl::Of(FilledSqld());
  } else if (kind == "supabase") {
    place.location = "supabase:" + FilledSupabase().url();
    place.server = ServerControl::Of(FilledSupabase());
  } else {
    place.location = SharedFolder().File("filled.jsonl");
    std::ofstream file(place.location, std::ios::binary);
    JsonlWriter writer({"test", "test", Timestamp::Now()}, [&](std::string_view bytes) { file << bytes; });
    writer.Write(GeneratedHistory());
    writer.Finish();
    return place;
  }
  Fill(place.location);
  return place;
}

RunDigests ContentsOfFile(const std::string& file) {
  RunDigests contents;
  JsonlReader reader(file);
  while (const auto batch = reader.Next({})) {
    contents.merge(ContentsOf(batch->records));
  }
  return contents;
}

}  // namespace

RunningProgram::RunningProgram(const std::vector<std::string>& command, const std::vector<std::string>& environment,
                               std::string files)
    : files_(std::move(files)) {
  std::vector<std::string> variables = environment;
  for (char** variable = environ; *variable != nullptr; ++variable) variables.emplace_back(*variable);
  const auto pointers = [](const std::vector<std::string>& texts) {
    std::vector<char*> all;
    for (const std::string& text : texts) all.push_back(const_cast<char*>(text.c_str()));
    all.push_back(nullptr);
    return all;
  };
  const std::string out = files_ + ".out", err = files_ + ".err";
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  constexpr int kNew = O_WRONLY | O_CREAT | O_TRUNC;
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, out.c_str(), kNew, 0600);
  posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, err.c_str(), kNew, 0600);
  const int error = posix_spawn(&pid_, command.front().c_str(), &actions, nullptr, pointers(command).data(),
                                pointers(variables).data());
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) throw std::runtime_error("cannot start " + command.front());
}

RunningProgram::~RunningProgram() {
  if (!Runs()) return;
  Signal(SIGKILL);
  Wait();
}

// Until it has been waited for, no other process can have its id.
void RunningProgram::Signal(int signal) const {
  if (!status_) ::kill(pid_, signal);
}

bool RunningProgram::Runs() {
  int status = 0;
  if (!status_ && ::waitpid(pid_, &status, WNOHANG) == pid_) status_ = status;
  return !status_;
}

Outcome RunningProgram::Wait() {
  int status = 0;
  if (!status_ && ::waitpid(pid_, &status, 0) == pid_) status_ = status;
  const auto content = [](const std::string& path) {
    std::ifstream stream(path, std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(stream), {});
  };
  const int ended = status_.value();
  return {WIFEXITED(ended) ? WEXITSTATUS(ended) : -WTERMSIG(ended), content(files_ + ".out"), Err()};
}

std::string RunningProgram::Err() const {
  std::ifstream stream(files_ + ".err", std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

std::vector<Pair> AllPairs() {
  const std::array kinds = {"sqlite", "postgres", "turso", "supabase", "jsonl"};
  std::vector<Pair> pairs;
  for (const std::string source : kinds) {
    for (const std::string target : kinds) {
      if (source != "jsonl" || target != "jsonl") pairs.push_back({source, target});
    }
  }
  return pairs;
}

const std::vector<RunRecord>& GeneratedHistory() {
  static const std::vector<RunRecord> history = Generate(1, 1500);
  return history;
}

const RunDigests& GeneratedContents() {
  static const RunDigests contents = ContentsOf(GeneratedHistory());
  return contents;
}

std::vector<RunRecord> OtherHistory(uint64_t seed, int64_t runs) { return Generate(1000 + seed, runs); }

const FilledPlace& Filled(const std::string& kind) {
  static std::map<std::string, FilledPlace> places;
  const auto [place, is_new] = places.try_emplace(kind);
  if (is_new) place->second = Make(kind);
  return place->second;
}

EmptyPlace::EmptyPlace(const std::string& kind, const std::string& file) : kind_(kind), location_(file) {
  if (is_file()) return;
  for (const StoreKind& store : StoreKinds()) {
    if (store.name == kind) store_ = store.make();
  }
  location_ = store_->store + ":" + store_->connection;
}

RunDigests EmptyPlace::Now() const {
  try {
    if (is_file()) return std::filesystem::exists(location_) ? ContentsOfFile(location_) : RunDigests();
    return ContentsOf(*store_->Open(OpenMode::kRead));
  } catch (const StoreError& error) {
    if (error.kind() != ErrorKind::kMissing) throw;
    return {};
  }
}

int64_t EmptyPlace::Orphans() const {
  if (is_file()) return 0;
  int64_t orphans = 0;
  for (const std::string table : {"flaky_test_parts", "flaky_test_failures"}) {
    const Rows rows = store_->query("SELECT count(*) FROM " + table +
                                    " x WHERE NOT EXISTS (SELECT 1 FROM flaky_test_runs r WHERE r.run_id = x.run_id)");
    orphans += std::stoll(rows.at(0).at(0).value());
  }
  return orphans;
}

std::vector<std::string> EmptyPlace::Indexes() const {
  if (is_file()) return {};
  std::vector<std::string> names;
  const std::string sql = kind_ == "postgres" || kind_ == "supabase"
                              ? "SELECT indexname FROM pg_indexes WHERE schemaname = 'public' ORDER BY indexname"
                              : "SELECT name FROM sqlite_master WHERE type = 'index' ORDER BY name";
  for (const auto& row : store_->query(sql)) names.push_back(row.at(0).value_or(""));
  return names;
}

std::string AtPort(const std::string& location, int port) {
  const size_t host = location.find("127.0.0.1:");
  if (host == location.npos) throw std::runtime_error("there is no server at " + location);
  const size_t begin = host + std::string("127.0.0.1:").size();
  const size_t end = std::min(location.find('/', begin), location.size());
  return location.substr(0, begin) + std::to_string(port) + location.substr(end);
}

CopyTest::CopyTest() {
  Unset("FLAKY_TESTS_DB");
  Unset("GTEST_OUTPUT");
  // Only the Supabase stores use it.
  Set("FLAKY_TESTS_AUTH_TOKEN", SupabaseServer::SecretKey());
  Set("FLAKY_TESTS_SOURCE_AUTH_TOKEN", SupabaseServer::SecretKey());
}

CopyTest::~CopyTest() {
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin_;
  std::printf("[ SECONDS  ] %.1f\n", took.count());
}

std::unique_ptr<RunningProgram> CopyTest::Start(std::vector<std::string> arguments,
                                                const std::vector<std::string>& environment) {
  arguments.insert(arguments.begin(), FLAKY_PROGRAM);
  return std::make_unique<RunningProgram>(arguments, environment, NewPath("output"));
}

std::vector<std::string> CopyTest::CopyCommand(const Pair& pair, const std::string& from, const std::string& to,
                                               const std::vector<std::string>& more, int64_t batch) {
  std::vector<std::string> command;
  if (pair.target == "jsonl") {
    command = {"export", to, "--from", from};
  } else if (pair.source == "jsonl") {
    command = {"import", from, "--to", to, "--batch-size", std::to_string(batch)};
  } else {
    command = {"migrate-store", "--from", from, "--to", to, "--batch-size", std::to_string(batch)};
  }
  command.insert(command.end(), more.begin(), more.end());
  return command;
}

int64_t CopyTest::Missing(const RunDigests& expected, const RunDigests& actual) {
  int64_t foreign = 0, incomplete = 0;
  for (const auto& [run_id, digest] : actual) {
    const auto found = expected.find(run_id);
    foreign += found == expected.end();
    incomplete += found != expected.end() && found->second != digest;
  }
  EXPECT_EQ(foreign, 0);
  EXPECT_EQ(incomplete, 0) << "incomplete runs";
  return static_cast<int64_t>(expected.size()) - static_cast<int64_t>(actual.size());
}

void CopyTest::ExpectVerified(const std::string& source, const std::string& target) {
  const Outcome verify = Flaky({"verify", "--source", source, "--target", target});
  EXPECT_EQ(verify.code, 0) << verify.out << verify.err;
}

void CopyTest::ExpectInOrder(const EmptyPlace& place) {
  const Outcome schema =
      Flaky({"schema", "status", "--json"},
            {"FLAKY_TESTS_STORE=" + place.store().store, "FLAKY_TESTS_CONNECTION_STRING=" + place.store().connection});
  EXPECT_EQ(schema.code, 0) << schema.out << schema.err;
  EXPECT_EQ(json::parse(schema.out).at("state"), "current");
  const auto store = place.store().Open(OpenMode::kWrite);
  EXPECT_EQ(store->Claim("test", std::chrono::seconds(60), "").holder, "test") << "the claim was not released";
  store->Claim("test", std::chrono::seconds(0), "");
}

}  // namespace flaky
