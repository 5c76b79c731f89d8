// SPDX-License-Identifier: MIT
#include "delivery/ctest_end.h"

#include <sys/stat.h>

#include <charconv>
#include <filesystem>
#include <string_view>
#include <system_error>
#include <utility>

namespace flaky {
namespace {

constexpr std::string_view kTemporary = ".tmp";

// Returns the name that the log has in the end; empty if the path is not that of a log.
std::string LogName(std::string_view path) {
  if (path.ends_with(kTemporary)) path.remove_suffix(kTemporary.size());
  const bool is_log = path.find("/Testing/Temporary/Last") != std::string_view::npos && path.ends_with(".log");
  return is_log ? std::string(path) : "";
}

}  // namespace

CtestLog OpenLogOf(int64_t ctest) {
  CtestLog log;
  int highest = -1;
  std::error_code error;
  const std::string folder = "/proc/" + std::to_string(ctest) + "/fd";
  for (auto entry = std::filesystem::directory_iterator(folder, error);
       !error && entry != std::filesystem::directory_iterator(); entry.increment(error)) {
    std::error_code unreadable;
    std::string path = LogName(std::filesystem::read_symlink(entry->path(), unreadable).string());
    const std::string name = entry->path().filename().string();
    int number = -1;
    std::from_chars(name.data(), name.data() + name.size(), number);
    struct stat status {};
    if (unreadable || path.empty() || number < highest || stat(entry->path().c_str(), &status) != 0) continue;
    highest = number;
    log = {std::move(path), status.st_dev, status.st_ino};
  }
  return log;
}

void CtestEnd::Look() {
  CtestLog log = OpenLogOf(pid_);
  if (!log.path.empty()) log_ = std::move(log);
}

RunEnd CtestEnd::Get() const {
  const auto is_log = [&](const std::string& path) {
    struct stat status {};
    return stat(path.c_str(), &status) == 0 && status.st_dev == log_.device && status.st_ino == log_.inode;
  };
  if (log_.path.empty()) return {};
  if (is_log(log_.path)) return {RunEnd::Kind::kNormal, ""};
  if (is_log(log_.path + std::string(kTemporary))) return {RunEnd::Kind::kInterrupted, ""};
  return {};
}

}  // namespace flaky
