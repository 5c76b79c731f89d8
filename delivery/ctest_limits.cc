// SPDX-License-Identifier: MIT
#include "delivery/ctest_limits.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>
#include <string_view>

#include "delivery/subprocess.h"

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

// The folder whose tests a ctest runs: the one of the log that it has open. A ctest below another one inherits that
// one's log, under a lower number.
std::optional<std::string> FolderOf(const std::string& process) {
  constexpr std::string_view kLog = "/Testing/Temporary/LastTest";
  std::optional<std::string> folder;
  int highest = -1;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(process + "/fd", error)) {
    const std::string name = entry.path().filename().string();
    int number = -1;
    std::from_chars(name.data(), name.data() + name.size(), number);
    const std::string target = std::filesystem::read_symlink(entry.path(), error).string();
    const size_t at = target.rfind(kLog);
    if (error || number < highest || at == std::string::npos || target.find(".log", at) == std::string::npos) continue;
    highest = number;
    folder = target.substr(0, at);
  }
  return folder;
}

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

std::string NameOf(const ProcessId& process) { return std::to_string(process.pid) + '-' + process.pid_start; }

}  // namespace

void CtestLimits::Meet(const Journal& header) {
  if (header.parent_name != "ctest") return;
  const auto [entry, is_new] = met_.try_emplace(NameOf(header.parent));
  if (!is_new) return;
  const std::string process = "/proc/" + std::to_string(header.parent.pid);
  std::error_code error;
  Ctest& ctest = entry->second;
  ctest.program = std::filesystem::read_symlink(process + "/exe", error).string();
  ctest.folder = FolderOf(process).value_or("");
  ctest.arguments = ArgumentsOf(process);
  // Only now is it certain that all of this was of that ctest.
  if (IsAlive(header.parent) != Alive::kYes) met_.erase(entry);
}

std::optional<microseconds> CtestLimits::Of(const Journal& header) {
  const auto entry = met_.find(NameOf(header.parent));
  if (entry == met_.end()) return std::nullopt;
  Ctest& ctest = entry->second;
  try {
    if (!ctest.asked) Ask(ctest);
  } catch (const json::exception&) {  // no list that this program knows
  }
  const auto found = ctest.by_command.find(header.args);
  return found != ctest.by_command.end() ? found->second : ctest.usual;
}

void CtestLimits::Ask(Ctest& ctest) {
  ctest.asked = true;
  if (ctest.folder.empty() || ctest.program.empty()) return;
  const auto limit = OptionIn(ctest.arguments, "--timeout", "--timeout");
  ctest.usual = limit ? Seconds(*limit) : ConfiguredLimit(ctest.folder);

  // -N, because a ctest that does not know the other option would run the tests.
  std::vector<std::string> arguments{ctest.program, "-N", "--show-only=json-v1", "--test-dir", ctest.folder};
  if (const auto configuration = OptionIn(ctest.arguments, "--build-config", "-C")) {
    arguments.insert(arguments.end(), {"-C", *configuration});
  }
  const CommandOutput output =
      RunCommand(arguments, ThisEnvironment(), std::chrono::steady_clock::now() + kPatience, kLongestList);
  if (!output.succeeded) return;
  const json list = json::parse(output.text);
  for (const json& test : list.at("tests")) {
    const auto of_test = LimitIn(test);
    if (!of_test || !test.contains("command")) continue;
    const auto [known, is_new] = ctest.by_command.try_emplace(test["command"], *of_test);
    if (!is_new) known->second = std::min(known->second, *of_test);
  }
}

}  // namespace flaky
