// SPDX-License-Identifier: MIT
#include "spool/ancestors.h"

#include <unistd.h>

#include <charconv>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <system_error>

namespace flaky {
namespace {

constexpr size_t kMostAncestors = 16;

bool IsCtestName(std::string_view name) {
  constexpr std::string_view kName = "ctest";
  return name.starts_with(kName) && name.find_first_not_of("0123456789.-_", kName.size()) == std::string_view::npos;
}

}  // namespace

std::vector<Ancestor> LineOf(int64_t pid) {
  std::vector<Ancestor> line;
  while (pid > 0 && line.size() <= kMostAncestors) {
    std::ifstream file("/proc/" + std::to_string(pid) + "/stat", std::ios::binary);
    const std::string stat{std::istreambuf_iterator<char>(file), {}};
    // The name is in parentheses, and may contain any character.
    const size_t begin = stat.find('('), end = stat.rfind(')');
    if (begin == std::string::npos || end == std::string::npos || end < begin) break;
    Ancestor ancestor{pid, "", stat.substr(begin + 1, end - begin - 1)};
    std::istringstream fields(stat.substr(end + 1));
    std::string field;
    pid = 0;
    for (int number = 3; number <= 22 && fields >> field; ++number) {
      if (number == 4) std::from_chars(field.data(), field.data() + field.size(), pid);
      if (number == 22) ancestor.start = field;
    }
    if (ancestor.start.empty()) break;
    line.push_back(std::move(ancestor));
  }
  return line;
}

bool IsCtest(const Ancestor& process) {
  if (process.name.find("ctest") == std::string::npos) return false;
  if (IsCtestName(process.name)) return true;
  std::error_code hidden;
  const auto program = std::filesystem::read_symlink("/proc/" + std::to_string(process.pid) + "/exe", hidden);
  if (hidden) return false;
  const std::string file = program.filename().string();
  return IsCtestName(file.substr(0, file.find(' ')));  // " (deleted)"
}

std::optional<ProcessId> CtestAbove(std::string_view limit) {
  std::optional<ProcessId> ctest;
  const std::vector<Ancestor> line = LineOf(getpid());
  for (size_t at = 1; at < line.size(); ++at) {
    // As in the recorder (recorder/processes_above.h), the number tells an ancestor apart.
    if (limit.starts_with(std::to_string(line[at].pid) + '-')) break;
    if (IsCtest(line[at])) ctest = ProcessHere(line[at].pid);
  }
  return ctest;
}

}  // namespace flaky
