// SPDX-License-Identifier: MIT
#include "tests/recorder/fixture_run.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <sstream>
#include <string_view>
#include <system_error>
#include <thread>

namespace flaky {
namespace {

using nlohmann::json;

// Reads both pipes until they are closed.
void Drain(int out, int err, Outcome& outcome) {
  pollfd ready[] = {{out, POLLIN, 0}, {err, POLLIN, 0}};
  std::string* texts[] = {&outcome.out, &outcome.err};
  for (int open_pipes = 2; open_pipes > 0;) {
    if (poll(ready, 2, -1) < 0 && errno != EINTR) break;
    for (int at = 0; at < 2; ++at) {
      if (ready[at].fd < 0 || ready[at].revents == 0) continue;
      char buffer[65536];
      const ssize_t got = read(ready[at].fd, buffer, sizeof buffer);
      if (got > 0) {
        texts[at]->append(buffer, static_cast<size_t>(got));
      } else if (got == 0 || errno != EINTR) {
        close(ready[at].fd);
        ready[at].fd = -1;
        --open_pipes;
      }
    }
  }
}

}  // namespace

std::vector<json> Recorded::Results(const std::string& test) const {
  std::vector<json> results;
  for (const json& line : lines) {
    if (line.is_array() && line.at(0) == test) results.push_back(line);
  }
  return results;
}

std::string Recorded::OutcomeOf(const std::string& test) const {
  const std::vector<json> results = Results(test);
  EXPECT_EQ(results.size(), 1u) << test << " in " << text;
  if (results.empty()) return "missing";
  for (const json& value : results[0]) {
    if (value.is_string() && value != test) return value;
  }
  return "unfinished";
}

std::vector<std::string> Recorded::MessagesOf(const std::string& test) const {
  std::vector<std::string> messages;
  for (const json& result : Results(test)) {
    for (const json& value : result) {
      if (value.is_object() && !value.contains("parameter"))
        messages.push_back(value.contains("message") ? value["message"] : value["skip_message"]);
    }
  }
  return messages;
}

std::optional<std::string> Recorded::ParameterOf(const std::string& test) const {
  for (const json& result : Results(test)) {
    for (const json& value : result) {
      if (value.is_object() && value.contains("parameter")) return value["parameter"];
    }
  }
  return std::nullopt;
}

std::vector<std::string> Recorded::FailuresOutside() const {
  std::vector<std::string> failures;
  for (const json& line : lines) {
    if (!line.is_object() || !line.contains("failure")) continue;
    failures.push_back(line.value("suite", "") + ": " + line["failure"]["message"].get<std::string>());
  }
  return failures;
}

std::optional<bool> Recorded::End() const {
  if (lines.empty() || !lines.back().is_object() || !lines.back().contains("end_us")) return std::nullopt;
  return lines.back().at("passed").get<bool>();
}

std::optional<std::string> Recorded::Lost() const {
  for (const json& line : lines) {
    if (line.is_object() && line.contains("lost")) return line["lost"].get<std::string>();
  }
  return std::nullopt;
}

FixtureTest::FixtureTest() {
  std::string name = (std::filesystem::temp_directory_path() / "flaky-recorder-XXXXXX").string();
  if (mkdtemp(name.data()) == nullptr) throw std::system_error(errno, std::generic_category(), name);
  folder_ = name;
  spool_ = folder_ / "spool";
}

FixtureTest::~FixtureTest() {
  // A delivery in the background may still be closing its files there.
  std::error_code error;
  for (int tries = 0; tries < 1000 && std::filesystem::exists(folder_, error); ++tries) {
    std::filesystem::remove_all(folder_, error);
    if (error) std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
}

Outcome FixtureTest::Run(const std::string& fixture, const std::vector<std::string>& arguments) {
  std::map<std::string, std::optional<std::string>> variables = {{"HOME", folder_.string()},
                                                                 {"FIXTURE_FOLDER", folder_.string()},
                                                                 {"FLAKY_TESTS_SPOOL", spool_.string()},
                                                                 {"FLAKY_TESTS_DELIVERY_TIMEOUT", "0"},
                                                                 {"PATH", "/usr/bin:/bin"},
                                                                 {"XDG_STATE_HOME", std::nullopt}};
  for (const char* kept : {"ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS", "LSAN_OPTIONS", "FLAKY_RUN_PROCESS"}) {
    if (const char* const value = std::getenv(kept)) variables[kept] = value;
  }
  for (const auto& [name, value] : env) variables[name] = value;
  std::vector<std::string> environment, command;
  for (const auto& [name, value] : variables) {
    if (value) environment.push_back(name + "=" + *value);
  }
  if (launcher) command.push_back(*launcher);
  command.push_back(std::filesystem::path(FLAKY_FIXTURES) / fixture);
  command.insert(command.end(), arguments.begin(), arguments.end());
  const auto pointers = [](std::vector<std::string>& texts) {
    std::vector<char*> result;
    for (std::string& text : texts) result.push_back(text.data());
    result.push_back(nullptr);
    return result;
  };
  const std::vector<char*> argv = pointers(command), envp = pointers(environment);

  int out[2], err[2];
  if (pipe2(out, O_CLOEXEC) != 0 || pipe2(err, O_CLOEXEC) != 0) throw std::system_error(errno, std::generic_category());
  const pid_t child = fork();
  if (child < 0) throw std::system_error(errno, std::generic_category(), "fork");
  if (child == 0) {
    dup2(out[1], STDOUT_FILENO);
    dup2(err[1], STDERR_FILENO);
    if (chdir(folder_.c_str()) != 0) _exit(125);
    if (in_child) in_child();
    execve(argv[0], argv.data(), envp.data());
    std::fprintf(stderr, "%s: %s\n", argv[0], std::strerror(errno));
    _exit(127);
  }
  close(out[1]);
  close(err[1]);
  Outcome outcome;
  Drain(out[0], err[0], outcome);
  waitpid(child, &outcome.status, 0);
  return outcome;
}

Outcome FixtureTest::ExpectSameAsPlain(const std::string& filter, const std::vector<std::string>& more_arguments,
                                       WarningIs warning) {
  std::vector<std::string> arguments = {"--gtest_filter=" + filter};
  arguments.insert(arguments.end(), more_arguments.begin(), more_arguments.end());
  const Outcome plain = Run("behaviours_plain", arguments);
  Outcome recorded = Run("behaviours", arguments);
  EXPECT_EQ(recorded.status, plain.status) << recorded.err;
  EXPECT_EQ(WithoutTimes(recorded.out), WithoutTimes(plain.out));
  std::string err = recorded.err;
  if (warning == WarningIs::kDue) {
    const size_t begin = err.find("flaky: ");
    EXPECT_NE(begin, std::string::npos) << err;
    if (begin != std::string::npos) err.erase(begin, err.find('\n', begin) + 1 - begin);
  }
  EXPECT_EQ(WithoutTimes(err), WithoutTimes(plain.err));
  return recorded;
}

std::vector<Recorded> FixtureTest::ReadAll(const std::filesystem::path& spool) {
  std::vector<Recorded> journals;
  if (!std::filesystem::exists(spool)) return journals;
  for (const auto& entry : std::filesystem::directory_iterator(spool)) {
    if (entry.path().extension() == ".jsonl") journals.push_back(Read(entry.path()));
  }
  return journals;
}

Recorded FixtureTest::TheJournal() const {
  const std::vector<Recorded> journals = Journals();
  EXPECT_EQ(journals.size(), 1u);
  return journals.empty() ? Recorded() : journals[0];
}

Recorded FixtureTest::Read(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream bytes;
  bytes << file.rdbuf();
  Recorded journal;
  journal.path = path;
  journal.text = bytes.str();
  journal.file_size = journal.text.size();
  journal.text.resize(std::min(journal.text.find('\0'), journal.text.size()));
  std::istringstream lines(journal.text);
  for (std::string line; std::getline(lines, line);) {
    if (lines.eof()) {
      journal.unfinished = true;
      line += ']';
    }
    EXPECT_TRUE(json::accept(line)) << line;
    json value = json::parse(line, nullptr, false);
    if (journal.header.is_null()) {
      journal.header = std::move(value);
    } else {
      journal.lines.push_back(std::move(value));
    }
  }
  return journal;
}

std::string WithoutTimes(const std::string& out) {
  constexpr std::string_view kPlain = "_plain";
  const auto digits_from = [&](size_t at) {
    return std::min(out.find_first_not_of("0123456789", at), out.size()) - at;
  };
  std::string text;
  for (size_t at = 0; at < out.size();) {
    const std::string_view rest = std::string_view(out).substr(at);
    if (rest.starts_with(kPlain)) {  // the program's name
      at += kPlain.size();
    } else if (rest.starts_with("0x")) {  // an address
      at = std::min(out.find_first_not_of("0123456789abcdef", at + 2), out.size());
    } else if (rest.starts_with("==") && digits_from(at + 2) > 0) {  // a process id in a sanitizer's report
      at += 2 + digits_from(at + 2);
    } else if (const size_t digits = digits_from(at); digits > 0) {
      text += rest.substr(digits).starts_with(" ms") ? "N" : rest.substr(0, digits);
      at += digits;
    } else {
      text += out[at++];
    }
  }
  return text;
}

int ExitStatus(const Outcome& outcome) { return WIFEXITED(outcome.status) ? WEXITSTATUS(outcome.status) : -1; }

}  // namespace flaky
