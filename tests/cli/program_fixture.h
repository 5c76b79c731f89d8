// SPDX-License-Identifier: MIT
#ifndef FLAKY_TESTS_CLI_PROGRAM_FIXTURE_H_
#define FLAKY_TESTS_CLI_PROGRAM_FIXTURE_H_

#include <grp.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "cli/program.h"
#include "stores/open.h"
#include "tests/support/record_builder.h"
#include "tests/support/temp_folder.h"

extern char** environ;

namespace flaky {

// For FLAKY_TESTS_DELIVERY_WAIT, in milliseconds: the machine may stall, and tests read the store right after the end
// of a test program.
inline constexpr char kLongWait[] = "600000";

// The result of one call of the program.
struct Outcome {
  int code = 0;
  std::string out;
  std::string err;
};

// Runs the program in the test's own process: in a folder, home and environment that only this test uses.
class ProgramTest : public testing::Test {
 protected:
  ProgramTest() : before_(std::filesystem::current_path()) {
    for (const char* name : {"HOME", "XDG_STATE_HOME", "XDG_CONFIG_HOME"}) Save(name);
    for (char** variable = environ; *variable != nullptr; ++variable) {
      const std::string text = *variable;
      if (text.starts_with("FLAKY_TESTS_")) Save(text.substr(0, text.find('=')));
    }
    for (const auto& [name, value] : saved_) ::unsetenv(name.c_str());
    std::filesystem::create_directories(Path("home"));
    std::filesystem::create_directories(Path("work"));
    Set("HOME", Path("home"));
    Set("FLAKY_TESTS_PROJECT", "demo");
    Set("FLAKY_TESTS_DB", Path("h.db"));
    std::filesystem::current_path(Path("work"));
  }

  ~ProgramTest() override {
    std::error_code ignored;
    std::filesystem::current_path(before_, ignored);
    for (const std::string& name : set_) ::unsetenv(name.c_str());
    for (const auto& [name, value] : saved_) ::setenv(name.c_str(), value.c_str(), 1);
  }

  std::string Path(const std::string& name) const { return folder_.File(name); }

  // Returns the names of the journals, and of the marks of a ctest, in the folder `spool`.
  std::vector<std::string> InSpool() const {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(Path("spool"))) {
      const std::string name = entry.path().filename();
      if (name.ends_with(".jsonl") || name.starts_with(".ctest-")) names.push_back(name);
    }
    return names;
  }

  void Set(const std::string& name, const std::string& value) {
    ::setenv(name.c_str(), value.c_str(), 1);
    set_.push_back(name);
  }
  void Unset(const std::string& name) { ::unsetenv(name.c_str()); }

  // Runs `flaky ARGUMENTS…`.
  static Outcome Run(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "flaky");
    std::vector<const char*> argv;
    for (const std::string& argument : arguments) argv.push_back(argument.c_str());
    std::ostringstream out, err;
    Outcome outcome;
    outcome.code = RunProgram(static_cast<int>(argv.size()), argv.data(), out, err);
    outcome.out = out.str();
    outcome.err = err.str();
    return outcome;
  }

  static std::vector<std::string> Lines(const std::string& text) {
    std::istringstream stream(text);
    std::vector<std::string> lines;
    for (std::string line; std::getline(stream, line);) lines.push_back(line);
    return lines;
  }

  // Returns a summary with N in place of the measured values in its last row.
  static std::string WithoutSpeed(const std::string& summary) {
    static const std::regex speed(R"((rows per second) +[\d,]+(  [\d,]+ rows in )[\d.]+ s)");
    return std::regex_replace(summary, speed, "$1 N$2N s");
  }

  // Does the same as a user without special privileges: in a child process, which changes its user if the tests run as
  // root.
  Outcome RunWithoutPrivileges(const std::vector<std::string>& arguments) const {
    for (const char* name : {"", "home", "work"}) {
      std::filesystem::permissions(Path(name), std::filesystem::perms(0755));
    }
    std::FILE* result = std::tmpfile();
    if (result == nullptr) throw std::runtime_error("no temporary file");
    std::fflush(nullptr);
    const pid_t child = ::fork();
    if (child == 0) {
      constexpr unsigned kOtherUser = 65534;
      const bool ready =
          ::geteuid() != 0 || (::setgroups(0, nullptr) == 0 && ::setresgid(kOtherUser, kOtherUser, kOtherUser) == 0 &&
                               ::setresuid(kOtherUser, kOtherUser, kOtherUser) == 0);
      const Outcome outcome = ready ? Run(arguments) : Outcome{-1, "", "cannot drop privileges"};
      std::fwrite(outcome.out.data(), 1, outcome.out.size(), result);
      std::fputc('\0', result);
      std::fwrite(outcome.err.data(), 1, outcome.err.size(), result);
      std::fflush(result);
      ::_exit(outcome.code);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    std::rewind(result);
    std::string text;
    for (int c = 0; (c = std::fgetc(result)) != EOF;) text += static_cast<char>(c);
    std::fclose(result);
    const size_t border = text.find('\0');
    return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, text.substr(0, border), text.substr(border + 1)};
  }

  // Writes records to h.db, which FLAKY_TESTS_DB names unless a test changes it.
  void Keep(const std::vector<RunRecord>& records) const {
    const auto store = OpenStore(ParseLocation("sqlite:" + Path("h.db")), OpenMode::kWrite);
    for (const WriteResult& result : store->Write(records)) {
      ASSERT_EQ(result.outcome, WriteResult::Outcome::kInserted) << result.conflict;
    }
  }

  void WriteFile(const std::string& name, std::string_view content) const {
    std::filesystem::create_directories(std::filesystem::path(Path(name)).parent_path());
    std::ofstream(Path(name), std::ios::binary) << content;
  }

  static std::string Content(const std::filesystem::path& file) {
    std::ifstream stream(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(stream), {}};
  }

  // Returns every file and folder of the test, with its bytes.
  std::map<std::string, std::string> Everything() const {
    std::map<std::string, std::string> all;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder_.path())) {
      all[entry.path().string()] = entry.is_regular_file() ? Content(entry.path()) : "";
    }
    return all;
  }

 private:
  void Save(const std::string& name) {
    if (const char* value = std::getenv(name.c_str())) saved_[name] = value;
  }

  TempFolder folder_;
  std::filesystem::path before_;
  std::map<std::string, std::string> saved_;
  std::vector<std::string> set_;
};

}  // namespace flaky

#endif  // FLAKY_TESTS_CLI_PROGRAM_FIXTURE_H_
