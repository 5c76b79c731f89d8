// SPDX-License-Identifier: MIT
#include "delivery/ctest_limits.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>
#include <string_view>
#include <system_error>

#include "delivery/ctest_end.h"
#include "delivery/subprocess.h"
#include "spool/ancestors.h"

namespace flaky {
namespace {

using nlohmann::json;
using std::chrono::microseconds;

constexpr std::chrono::seconds kPatience{60};
constexpr size_t kLongestList = 256 << 20;  // 50,000 tests need 30 MB

std::optional<microseconds> Seconds(double seconds) {
  constexpr double kMost = 1e9;
  if (!(seconds > 0 && seconds < kMost)) return std::nullopt;
  return microseconds(static_cast<int64_t>(seconds * 1e6));
}

std::optional<microseconds> Seconds(std::string_view text) {
  double seconds = 0;
  const size_t begin = std::min(text.find_first_not_of(" \t"), text.size());
  const auto [end, error] = std::from_chars(text.data() + begin, text.data() + text.size(), seconds);
  return error == std::errc() ? Seconds(seconds) : std::nullopt;
}

// Returns the folder whose tests a ctest runs, which is that of its log; empty if it runs none.
std::string FolderOf(int64_t ctest) {
  const std::string log = OpenLogOf(ctest).path;
  return log.substr(0, log.rfind("/Testing/Temporary/"));
}

// A folder that includes the tests of another one. ctest writes a log in the folder that it is asked about, in place of
// the log of the ctest that runs tests there.
class ListingFolder {
 public:
  explicit ListingFolder(const std::string& tests) {
    std::string path = (std::filesystem::temp_directory_path(error_) / "flaky-ctest-XXXXXX").string();
    if (error_ || mkdtemp(path.data()) == nullptr) return;
    path_ = path;
    constexpr std::string_view kQuote = "==========";
    std::ofstream(path_ + "/CTestTestfile.cmake") << "subdirs([" << kQuote << '[' << tests << ']' << kQuote << "])\n";
  }
  ListingFolder(const ListingFolder&) = delete;
  ListingFolder& operator=(const ListingFolder&) = delete;
  ~ListingFolder() {
    if (!path_.empty()) std::filesystem::remove_all(path_, error_);
  }
  const std::string& path() const { return path_; }

 private:
  std::error_code error_;
  std::string path_;  // empty: it could not be created
};

std::vector<std::string> ArgumentsOf(const std::string& process) {
  std::ifstream file(process + "/cmdline", std::ios::binary);
  std::vector<std::string> arguments;
  for (std::string argument; std::getline(file, argument, '\0');) arguments.push_back(std::move(argument));
  return arguments;
}

// The value of an option that takes one, given as `--name value`, `--name=value` or by its short name.
std::optional<std::string> OptionIn(const std::vector<std::string>& arguments, const std::string& name,
                                    const std::string& short_name) {
  for (size_t at = 0; at < arguments.size(); ++at) {
    const std::string& argument = arguments[at];
    if (argument.starts_with(name + '=')) return argument.substr(name.size() + 1);
    if (at + 1 < arguments.size() && (argument == name || argument == short_name)) return arguments[at + 1];
  }
  return std::nullopt;
}

// Returns the limit that `ctest` uses if neither the test nor the command line has one.
std::optional<microseconds> ConfiguredLimit(const std::string& folder) {
  constexpr std::string_view kField = "TimeOut:";
  std::ifstream file(folder + "/DartConfiguration.tcl");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with(kField)) return Seconds(std::string_view(line).substr(kField.size()));
  }
  return std::nullopt;
}

std::optional<microseconds> LimitIn(const json& test) {
  for (const json& property : test.value("properties", json::array())) {
    if (property.value("name", "") != "TIMEOUT" || !property.contains("value")) continue;
    if (property["value"].is_number()) return Seconds(property["value"].get<double>());
  }
  return std::nullopt;
}

std::string NameOf(const Ancestor& process) { return std::to_string(process.pid) + '-' + process.start; }

// `ctest --build-and-test` runs one program, as a launcher does.
bool RunsTests(const std::vector<std::string>& arguments) {
  return std::ranges::find(arguments, "--build-and-test") == arguments.end();
}

std::string Joined(const std::vector<std::string>& arguments) {
  std::string text;
  for (const std::string& argument : arguments) text += argument + ' ';
  return text.substr(0, text.empty() ? 0 : text.size() - 1);
}

}  // namespace

int64_t CtestLimits::Meet(const Journal& header) {
  const int64_t pid = header.writer.pid;
  if (header.ctest.pid <= 0) return pid;
  const std::vector<Ancestor> line = LineOf(pid);
  const auto is_its_ctest = [&](const Ancestor& process) {
    return process.pid == header.ctest.pid && process.start == header.ctest.pid_start;
  };
  if (std::ranges::none_of(line, is_its_ctest)) return pid;  // of another pid namespace, or it has ended
  for (size_t at = 1; at < line.size(); ++at) {
    const std::string process = "/proc/" + std::to_string(line[at].pid);
    if (!IsCtest(line[at])) continue;
    std::vector<std::string> arguments = ArgumentsOf(process);
    const std::string folder = FolderOf(line[at].pid);
    if (!RunsTests(arguments) || folder.empty()) continue;
    Command command{NameOf(line[at]), ArgumentsOf("/proc/" + std::to_string(line[at - 1].pid))};
    if (!ctests_.contains(command.ctest)) {
      std::error_code error;
      Ctest ctest;
      ctest.program = std::filesystem::read_symlink(process + "/exe", error).string();
      ctest.folder = folder;
      ctest.arguments = std::move(arguments);
      // Only now is it certain that all of this was of that ctest.
      if (ProcessHere(line[at].pid).pid_start != line[at].start) return pid;
      ctests_.emplace(command.ctest, std::move(ctest));
    }
    commands_.insert_or_assign(header.journal_id, std::move(command));
    return line[at - 1].pid;
  }
  return pid;
}

std::optional<microseconds> CtestLimits::Of(const Journal& header) {
  const auto command = commands_.find(header.journal_id);
  if (command == commands_.end()) return std::nullopt;
  Ctest& ctest = ctests_.at(command->second.ctest);
  try {
    if (!ctest.asked) Ask(ctest);
  } catch (const json::exception&) {  // no list that this program knows
  }
  return LimitOf(ctest, command->second.arguments);
}

std::optional<microseconds> CtestLimits::LimitOf(const Ctest& ctest, const std::vector<std::string>& arguments) {
  if (const auto found = ctest.by_command.find(arguments); found != ctest.by_command.end()) {
    return found->second ? found->second : ctest.usual;
  }
  // A launcher may have replaced itself by the program: `nice ./my_tests`, `sh -c ./my_tests`. The longest limit of the
  // tests that may have done so is certain to have expired.
  const std::string text = Joined(arguments);
  std::optional<microseconds> longest;
  bool is_known = false;
  for (const auto& [command, own_limit] : ctest.by_command) {
    if (text.empty() || Joined(command).find(text) == std::string::npos) continue;
    const auto limit = own_limit ? own_limit : ctest.usual;
    if (!limit) return std::nullopt;
    longest = is_known ? std::max(*longest, *limit) : *limit;
    is_known = true;
  }
  return is_known ? longest : ctest.usual;
}

void CtestLimits::Ask(Ctest& ctest) {
  ctest.asked = true;
  if (ctest.program.empty()) return;
  const auto limit = OptionIn(ctest.arguments, "--timeout", "--timeout");
  ctest.usual = limit ? Seconds(*limit) : ConfiguredLimit(ctest.folder);

  // -N, because a ctest that does not know the other option would run the tests.
  const ListingFolder folder(ctest.folder);
  if (folder.path().empty()) return;
  std::vector<std::string> arguments{ctest.program, "-N", "--show-only=json-v1", "--test-dir", folder.path()};
  if (const auto configuration = OptionIn(ctest.arguments, "--build-config", "-C")) {
    arguments.insert(arguments.end(), {"-C", *configuration});
  }
  const CommandOutput output =
      RunCommand(arguments, ThisEnvironment(), std::chrono::steady_clock::now() + kPatience, kLongestList);
  if (!output.succeeded) return;
  const json list = json::parse(output.text);
  for (const json& test : list.at("tests")) {
    if (!test.contains("command")) continue;
    const auto of_test = LimitIn(test);
    const auto [known, is_new] = ctest.by_command.try_emplace(test["command"], of_test);
    if (!is_new && of_test) known->second = known->second ? std::min(*known->second, *of_test) : *of_test;
  }
}

}  // namespace flaky
