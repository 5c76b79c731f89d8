// SPDX-License-Identifier: MIT
#include "settings/ownership.h"

#include <sys/stat.h>
#include <unistd.h>

#include <charconv>
#include <cstdlib>
#include <string_view>

namespace flaky {
namespace {

bool IsCallerOfSudo(uid_t user) {
  const char* const text = std::getenv("SUDO_UID");
  if (text == nullptr) return false;
  const std::string_view digits = text;
  uid_t caller = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), caller);
  return error == std::errc() && end == digits.data() + digits.size() && !digits.empty() && caller == user;
}

}  // namespace

bool IsTrusted(uid_t user) {
  const uid_t own = ::geteuid();
  return user == own || user == 0 || (own == 0 && IsCallerOfSudo(user));
}

std::string WhyNotTrusted(const std::filesystem::path& path) {
  struct stat link {
  }, target{};
  if (::lstat(path.c_str(), &link) != 0) return {};
  uid_t owner = link.st_uid;
  // What a link points to matters, too, because its owner writes it.
  if (IsTrusted(owner) && ::stat(path.c_str(), &target) == 0) owner = target.st_uid;
  return IsTrusted(owner) ? "" : path.string() + " belongs to another user (" + std::to_string(owner) + ")";
}

bool IsForEveryUser(const std::filesystem::path& folder) {
  struct stat status {};
  return ::stat(folder.c_str(), &status) == 0 && (status.st_mode & S_IWOTH) != 0;
}

bool IsOwnFolder(const std::string& path) {
  struct stat status {};
  return ::lstat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode) && status.st_uid == ::geteuid();
}

}  // namespace flaky
