// SPDX-License-Identifier: MIT
#include "settings/build_folder.h"

#include <sys/stat.h>

#include <string>
#include <string_view>

#include "settings/folder_path.h"
#include "settings/ownership.h"
#include "settings/small_file.h"

namespace flaky {
namespace {

namespace fs = std::filesystem;

constexpr char kCache[] = "CMakeCache.txt";
constexpr char kTests[] = "CTestTestfile.cmake";
constexpr char kLists[] = "CMakeLists.txt";
constexpr size_t kLargestCache = 16 << 20;

bool Has(const std::string& folder, const char* file) {
  const std::string path = folder + '/' + file;
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode) && WhyNotTrusted(path).empty();
}

// Returns the rest of the line that begins with `begin`; empty without one.
std::string LineAfter(const std::string& text, const std::string& begin) {
  size_t at = text.starts_with(begin) ? 0 : text.find('\n' + begin);
  if (at == text.npos) return {};
  at += begin.size() + (at == 0 && text.starts_with(begin) ? 0 : 1);
  return text.substr(at, text.find_first_of("\r\n", at) - at);
}

fs::path IfAbsolute(const fs::path& path) { return path.is_absolute() ? path.lexically_normal() : fs::path(); }

bool IsNameOfBuild(const std::string& name) {
  constexpr std::string_view kNames[] = {"build", "_build", "out", "bin"};
  for (const std::string_view each : kNames) {
    if (name == each) return true;
  }
  return name.starts_with("build-") || name.starts_with("build_") || name.starts_with("cmake-build");
}

}  // namespace

fs::path SourcesOfBuild(const fs::path& folder) {
  if (!folder.is_absolute()) return {};
  fs::path cache, tests;
  bool in_tests = false;  // the folder before had a file of tests, too
  LookUpwardsFrom(folder, [&](const std::string& place) {
    if (cache.empty() && Has(place, kCache)) cache = place;
    const bool has_tests = Has(place, kTests);
    if (has_tests && (tests.empty() || in_tests)) tests = place;
    in_tests = has_tests;
    return cache.empty();
  });
  if (!cache.empty()) {
    return IfAbsolute(LineAfter(ContentOf(cache / kCache, kLargestCache), "CMAKE_HOME_DIRECTORY:INTERNAL="));
  }
  if (tests.empty()) return {};
  const fs::path sources = IfAbsolute(LineAfter(ContentOf(tests / kTests, kLargestCache), "# Source directory: "));
  if (!sources.empty()) return sources;
  const bool inside = IsNameOfBuild(tests.filename().string()) && tests.parent_path().has_filename();
  return inside ? tests.parent_path() : tests;
}

fs::path TopOfSources(const fs::path& folder) {
  if (!folder.is_absolute()) return {};
  fs::path top;
  LookUpwardsFrom(folder, [&](const std::string& place) {
    if (IsForEveryUser(place)) return false;
    if (Has(place, kLists)) top = place;
    return true;
  });
  return top;
}

}  // namespace flaky
