// SPDX-License-Identifier: MIT
#include "delivery/git_dirt.h"

#include <algorithm>
#include <set>
#include <string_view>
#include <system_error>
#include <utility>

#include "delivery/git_command.h"

namespace flaky {
namespace {

namespace fs = std::filesystem;
using Deadline = std::chrono::steady_clock::time_point;

constexpr size_t kLongestList = 4 << 20;
constexpr size_t kBatch = 1'000;  // files whose attributes one call looks up
constexpr int kDeepest = 8;       // submodules in submodules

}  // namespace

std::vector<std::string> AtNul(std::string_view text) {
  std::vector<std::string> parts;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\0'), text.size());
    parts.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return parts;
}

std::optional<std::set<std::string>> GitFilters(const fs::path& top, Deadline deadline) {
  const CommandOutput keys = Git(top, {"config", "--list", "--name-only", "-z"}, deadline, kLongestList);
  if (!keys.succeeded) return std::nullopt;
  constexpr std::string_view kSection = "filter.";
  std::set<std::string> filters;
  for (const std::string& key : AtNul(keys.text)) {
    const size_t dot = key.rfind('.');
    if (!key.starts_with(kSection) || dot < kSection.size()) continue;
    std::string name = key.substr(kSection.size(), dot - kSection.size());
    // `-c` takes everything in front of the first `=` for the key.
    if (name.find_first_of("=\n") != name.npos) return std::nullopt;
    filters.insert(std::move(name));
  }
  return filters;
}

std::vector<std::string> WithoutFilters(const std::set<std::string>& filters) {
  std::vector<std::string> settings;
  for (const std::string& name : filters) {
    for (const char* rest : {".clean=", ".smudge=", ".process=", ".required=false"}) {
      settings.push_back("filter." + name + rest);
    }
  }
  return settings;
}

std::optional<bool> HasOne(bool filtered, const std::vector<std::string>& files, const std::set<std::string>& filters,
                           const fs::path& top, Deadline deadline) {
  for (size_t at = 0; at < files.size(); at += kBatch) {
    std::vector<std::string> arguments = {"check-attr", "-z", "filter", "--"};
    const size_t count = std::min(kBatch, files.size() - at);
    for (size_t file = at; file < at + count; ++file) arguments.push_back(files[file]);
    const CommandOutput answer = Git(top, arguments, deadline, kLongestList);
    const std::vector<std::string> fields = AtNul(answer.text);  // file, "filter", value, file, …
    constexpr size_t kFields = 3;
    if (!answer.succeeded || fields.size() != kFields * count) return std::nullopt;
    for (size_t value = kFields - 1; value < fields.size(); value += kFields) {
      if (filters.contains(fields[value]) == filtered) return true;
    }
  }
  return false;
}

namespace {

// Returns the folders of the submodules that are checked out; nullopt if git fails. A path in .gitmodules may be
// anything; those that lead out of the working tree are left out.
std::optional<std::vector<fs::path>> Submodules(const fs::path& top, Deadline deadline) {
  std::error_code error;
  std::vector<fs::path> folders;
  if (fs::symlink_status(top / ".gitmodules", error).type() != fs::file_type::regular) return folders;
  const CommandOutput list =
      Git(top, {"config", "--list", "-z", "--file", (top / ".gitmodules").string()}, deadline, kLongestList);
  if (!list.succeeded) return std::nullopt;
  for (const std::string& entry : AtNul(list.text)) {
    const size_t line_break = entry.find('\n');
    if (line_break == entry.npos || !entry.substr(0, line_break).ends_with(".path")) continue;
    const fs::path path = fs::path(entry.substr(line_break + 1)).lexically_normal();
    if (path.empty() || path.is_absolute() || path == "." || *path.begin() == "..") continue;
    const fs::path folder = top / path;
    const fs::path whole = fs::canonical(folder, error);
    if (error || whole != fs::canonical(top, error) / path) continue;
    if (fs::exists(folder / ".git", error)) folders.push_back(folder);
  }
  return folders;
}

std::optional<bool> IsDirtyHere(const fs::path& top, Deadline deadline) {
  const auto filters = GitFilters(top, deadline);
  if (!filters) return std::nullopt;
  const std::vector<std::string> settings = WithoutFilters(*filters);
  // `dirty`: git would start a process in each submodule to look into it.
  const CommandOutput status =
      Git(top, {"status", "--porcelain", "-z", "--untracked-files=no", "--ignore-submodules=dirty"}, deadline,
          filters->empty() ? 1 : kLongestList, {.settings = settings});
  // Without filters, the first byte says that there is a difference.
  if (filters->empty()) {
    return !status.text.empty() || status.succeeded ? std::optional(!status.text.empty()) : std::nullopt;
  }
  if (!status.succeeded) return std::nullopt;
  // `XY PATH`: X is about the index, Y about the file. Only `M` may be an effect of the missing filter.
  std::vector<std::string> changed;
  for (const std::string& line : AtNul(status.text)) {
    if (!line.starts_with(" M ")) return true;
    changed.push_back(line.substr(3));
  }
  if (!changed.empty()) {
    const bool is_certain = HasOne(false, changed, *filters, top, deadline) == true;
    return is_certain ? std::optional(true) : std::nullopt;
  }
  // A file that was touched may also be equal only because its filter is missing.
  const CommandOutput touched =
      Git(top, {"diff-files", "--name-only", "-z", "--ignore-submodules=all", "--no-ext-diff"}, deadline, kLongestList,
          {.settings = settings});
  const bool is_clean = touched.succeeded && HasOne(true, AtNul(touched.text), *filters, top, deadline) == false;
  return is_clean ? std::optional(false) : std::nullopt;
}

std::optional<bool> HasDirtySubmoduleDownTo(const fs::path& top, Deadline deadline, int depth);

std::optional<bool> IsDirtyDownTo(const fs::path& top, Deadline deadline, int depth) {
  const std::optional<bool> here = IsDirtyHere(top, deadline);
  if (here == true) return here;
  const std::optional<bool> below = HasDirtySubmoduleDownTo(top, deadline, depth);
  return below == false ? here : below;
}

std::optional<bool> HasDirtySubmoduleDownTo(const fs::path& top, Deadline deadline, int depth) {
  const auto submodules = Submodules(top, deadline);
  if (!submodules || (!submodules->empty() && depth == 0)) return std::nullopt;
  std::optional<bool> dirty = false;
  for (const fs::path& folder : *submodules) {
    const std::optional<bool> part = IsDirtyDownTo(folder, deadline, depth - 1);
    if (part == true) return part;
    if (!part) dirty = std::nullopt;
  }
  return dirty;
}

}  // namespace

std::optional<bool> IsDirty(const fs::path& top, Deadline deadline) { return IsDirtyDownTo(top, deadline, kDeepest); }

std::optional<bool> HasDirtySubmodule(const fs::path& top, Deadline deadline) {
  return HasDirtySubmoduleDownTo(top, deadline, kDeepest);
}

}  // namespace flaky
