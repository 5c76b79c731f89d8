// SPDX-License-Identifier: MIT
#include "settings/repository_name.h"

#include <algorithm>
#include <cctype>
#include <system_error>
#include <utility>
#include <vector>

#include "history/text.h"
#include "settings/git_folder.h"
#include "settings/small_file.h"

namespace flaky {
namespace {

namespace fs = std::filesystem;

constexpr size_t kLargestConfig = 4 << 20;
constexpr int kMostRemotes = 8;  // a clone of a clone of a clone …

bool IsBlank(char c) { return c == ' ' || c == '\t' || c == '\r'; }

std::string Lower(std::string_view text) {
  std::string lower(text);
  std::ranges::transform(lower, lower.begin(), [](unsigned char c) { return std::tolower(c); });
  return lower;
}

// Reads the sections and variables of a configuration as git-config(1) describes them.
class ConfigReader {
 public:
  explicit ConfigReader(std::string_view text) : rest_(text) {}

  // Calls `on_value(section, subsection, key, value)` for each variable; section and key are in lower case. Stops at
  // what git would not read.
  template <typename OnValue>
  void Read(OnValue&& on_value) {
    while (SkipToWord()) {
      if (rest_.front() == '[') {
        if (!ReadHeader()) return;
        continue;
      }
      const std::string key = Lower(TakeWhile([](unsigned char c) { return std::isalnum(c) != 0 || c == '-'; }));
      if (key.empty()) return;
      TakeWhile(IsBlank);
      std::string value;
      if (!rest_.empty() && rest_.front() == '=') {
        rest_.remove_prefix(1);
        value = TakeValue();
      }
      on_value(section_, subsection_, key, value);
    }
  }

 private:
  template <typename IsWanted>
  std::string_view TakeWhile(IsWanted&& is_wanted) {
    const size_t length = static_cast<size_t>(std::find_if_not(rest_.begin(), rest_.end(), is_wanted) - rest_.begin());
    const std::string_view taken = rest_.substr(0, length);
    rest_.remove_prefix(length);
    return taken;
  }

  // Skips blanks, empty lines and comments. Returns false at the end.
  bool SkipToWord() {
    for (;;) {
      TakeWhile([](char c) { return IsBlank(c) || c == '\n'; });
      if (rest_.empty()) return false;
      if (rest_.front() != '#' && rest_.front() != ';') return true;
      TakeWhile([](char c) { return c != '\n'; });
    }
  }

  // Reads `[section]`, `[section "Sub"]` or the old `[section.sub]`. Returns false if it is malformed.
  bool ReadHeader() {
    rest_.remove_prefix(1);
    section_ = Lower(TakeWhile([](unsigned char c) { return std::isalnum(c) != 0 || c == '-'; }));
    subsection_.clear();
    if (rest_.starts_with('.')) {
      rest_.remove_prefix(1);
      subsection_ = Lower(TakeWhile([](char c) { return c != ']' && c != '\n'; }));
    }
    TakeWhile(IsBlank);
    if (rest_.starts_with('"')) {
      rest_.remove_prefix(1);
      while (!rest_.empty() && rest_.front() != '"' && rest_.front() != '\n') {
        if (rest_.front() == '\\') rest_.remove_prefix(1);
        if (rest_.empty()) return false;
        subsection_ += rest_.front();
        rest_.remove_prefix(1);
      }
      if (!rest_.starts_with('"')) return false;
      rest_.remove_prefix(1);
    }
    if (!rest_.starts_with(']')) return false;
    rest_.remove_prefix(1);
    return true;
  }

  // Reads a value to the end of its line, which a `\` at its end continues.
  std::string TakeValue() {
    TakeWhile(IsBlank);
    std::string value;
    size_t end = 0;  // of what is not a blank at the end
    bool quoted = false;
    while (!rest_.empty()) {
      const char c = rest_.front();
      rest_.remove_prefix(1);
      if (c == '\n' || (!quoted && (c == '#' || c == ';'))) {
        if (c != '\n') TakeWhile([](char each) { return each != '\n'; });
        break;
      }
      if (c == '"') {
        quoted = !quoted;
        end = value.size();
        continue;
      }
      if (c == '\\' && !rest_.empty()) {
        const char escaped = rest_.front();
        rest_.remove_prefix(1);
        if (escaped == '\n') continue;
        value += escaped == 'n' ? '\n' : escaped == 't' ? '\t' : escaped == 'b' ? '\b' : escaped;
        end = value.size();
        continue;
      }
      value += c;
      if (quoted || !IsBlank(c)) end = value.size();
    }
    return value.substr(0, end);
  }

  std::string_view rest_;
  std::string section_, subsection_;
};

// Returns the folder with the configuration: a linked worktree shares the one of its repository.
fs::path CommonFolder(const fs::path& git) {
  const std::string line = FirstLineOf(git / "commondir");
  if (line.empty() || line.find('\0') != line.npos) return git;
  return (git / line).lexically_normal();
}

fs::path WithoutSlash(const fs::path& folder) { return folder.has_filename() ? folder : folder.parent_path(); }

// Returns the folder that a remote on this machine is; empty if the URL names another machine. `base`: of a relative
// path.
fs::path FolderOfUrl(const std::string& url, const fs::path& base) {
  constexpr std::string_view kFile = "file://";
  if (url.starts_with(kFile)) return url.substr(kFile.size());
  if (url.find(':') < url.find('/')) return {};  // `https://…`, and `host:path` as for scp
  return WithoutSlash((base / url).lexically_normal());
}

bool IsBare(const fs::path& folder) {
  std::error_code ignored;
  return fs::is_regular_file(folder / "HEAD", ignored) && fs::is_directory(folder / "objects", ignored);
}

std::string NameOf(const fs::path& top, const fs::path& git, int remotes_left);

// Returns the name of the repository in a folder of this machine; empty without one.
std::string NameOfLocal(const fs::path& folder, int remotes_left) {
  std::error_code ignored;
  for (const fs::path& place : {folder, fs::path(folder.string() + ".git")}) {
    if (fs::exists(place / ".git", ignored)) return NameOf(place, GitFolder(place), remotes_left);
    if (place.filename() == ".git" && IsBare(place)) return NameOf(place.parent_path(), place, remotes_left);
    if (IsBare(place)) return NameOf(place, place, remotes_left);
  }
  return {};
}

// Returns the name of the repository with the folder `git`. `top`: of the working tree; equal to `git` if it is bare.
// Neither ends in a slash.
std::string NameOf(const fs::path& top, const fs::path& git, int remotes_left) {
  const fs::path common = WithoutSlash(CommonFolder(git));
  if (const auto url = RemoteUrl(ContentOf(common / "config", kLargestConfig)); url && remotes_left > 0) {
    const fs::path folder = FolderOfUrl(*url, common == git ? top : common.parent_path());
    std::string name = folder.empty() ? "" : NameOfLocal(folder, remotes_left - 1);
    if (name.empty()) name = NameInUrl(*url);
    if (!name.empty()) return name;
  }
  if (common == git && git != top) return top.filename().string();
  if (common.filename() == ".git") return common.parent_path().filename().string();
  const std::string name = NameInUrl(common.string());
  // `acme/.bare` with its worktrees next to it.
  return name.starts_with('.') ? common.parent_path().filename().string() : name;
}

}  // namespace

std::optional<std::string> RemoteUrl(std::string_view config) {
  std::optional<std::string> first, origin;
  ConfigReader(config).Read(
      [&](const std::string& section, const std::string& remote, const std::string& key, const std::string& value) {
        if (section != "remote" || key != "url" || value.empty()) return;
        if (!first) first = value;
        if (remote == "origin" && !origin) origin = value;
      });
  return origin ? origin : first;
}

std::string NameInUrl(std::string_view url) {
  // `helper::address` names a program that speaks to the remote.
  if (const size_t helper = url.find("::"); helper != url.npos && helper < url.find('/')) url.remove_prefix(helper + 2);
  if (const size_t scheme = url.find("://"); scheme != url.npos) {
    url.remove_prefix(scheme + 3);
    url = url.substr(0, url.find_first_of("?#"));
    const size_t path = url.find('/');
    if (path == url.npos) return {};
    url.remove_prefix(path);
  } else if (const size_t colon = url.find(':'); colon != url.npos && colon < url.find('/')) {
    url.remove_prefix(colon + 1);
  }
  for (const std::string_view end : {"/", "/.git", "/", ".git", ".bundle"}) {
    while (url.ends_with(end)) {
      url.remove_suffix(end.size());
      if (end != "/") break;
    }
  }
  const size_t slash = url.find_last_of("/\\:");
  if (slash != url.npos) url.remove_prefix(slash + 1);
  if (url == "." || url == ".." || url.find('@') != url.npos) return {};
  return MakeStorable(url);
}

std::string RepositoryName(const fs::path& top) {
  const fs::path folder = WithoutSlash(top);
  return MakeStorable(NameOf(folder, WithoutSlash(GitFolder(folder).lexically_normal()), kMostRemotes));
}

}  // namespace flaky
