// SPDX-License-Identifier: MIT
#include "settings/settings_files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <toml++/toml.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "history/digest.h"
#include "history/masked.h"
#include "settings/build_folder.h"
#include "settings/git_folder.h"
#include "settings/ownership.h"
#include "settings/suggestions.h"
#include "settings/toml_check.h"

namespace flaky {
namespace {

constexpr std::string_view kProjectFileName = ".flaky.toml";
constexpr std::string_view kJudgeTable = "judge";
constexpr size_t kLargestFile = 256 << 10;  // a file of settings is not that long

struct FileContent {
  std::string text;
  bool readable_by_others = false;
  uid_t owner = 0;
};

// Absent when there is no such file.
std::optional<FileContent> ReadWhole(const std::filesystem::path& file) {
  const auto refuse = [&](const std::string& why) -> SettingError {
    return SettingError("cannot read settings from " + file.string() + ": " + why);
  };
  const int fd = ::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  if (fd < 0) {
    const int error = errno;
    // In a folder without search permission the file may not exist at all. Only a file that certainly exists is an
    // error.
    const bool hidden = error == EACCES && ::access(file.c_str(), F_OK) != 0;
    if (error == ENOENT || error == ENOTDIR || hidden) return std::nullopt;
    throw refuse(std::strerror(error));
  }
  const struct Closer {
    int fd;
    ~Closer() { ::close(fd); }
  } closer{fd};

  struct stat status {};
  if (::fstat(fd, &status) != 0) throw refuse(std::strerror(errno));
  if (!S_ISREG(status.st_mode)) throw refuse("it is not a file");
  FileContent content;
  content.readable_by_others = (status.st_mode & (S_IRWXG | S_IRWXO)) != 0;
  content.owner = status.st_uid;
  std::array<char, 4096> block{};
  for (ssize_t got = 0; (got = ::read(fd, block.data(), block.size())) != 0;) {
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw refuse(std::strerror(errno));
    content.text.append(block.data(), static_cast<size_t>(got));
    if (content.text.size() > kLargestFile) throw refuse("it is larger than 256 KiB");
  }
  return content;
}

const SettingInfo* FindByKey(std::string_view key) {
  for (const SettingInfo& info : SettingTable()) {
    if (FileKey(info) == key) return &info;
  }
  return nullptr;
}

std::vector<std::string> KnownKeys() {
  std::vector<std::string> keys;
  for (const SettingInfo& info : SettingTable()) {
    if (info.places != SettingPlaces::kEnvironment) keys.push_back(FileKey(info));
  }
  return keys;
}

// Absent for what is neither text nor whole number nor truth value.
std::optional<std::string> TextOf(const toml::node& node) {
  if (const auto* text = node.as_string()) return text->get();
  if (const auto* number = node.as_integer()) return std::to_string(number->get());
  if (const auto* truth = node.as_boolean()) return truth->get() ? "true" : "false";
  return std::nullopt;
}

std::string ResolvePath(const std::string& path, const std::filesystem::path& folder,
                        const std::filesystem::path& home) {
  if (path.empty()) return path;
  if (path.starts_with("~/") && !home.empty()) return (home / path.substr(2)).string();
  return (folder / path).lexically_normal().string();
}

// Returns why the setting is not allowed in the file; empty if it is allowed.
std::string Forbidden(const SettingInfo& info, Origin origin, const FileContent& content) {
  const std::string name(info.name);
  if (info.places == SettingPlaces::kEnvironment) {
    return "is read by the test programs, which read no files: set " + name + " in the environment";
  }
  if (origin == Origin::kProjectFile && info.places == SettingPlaces::kPersonal) {
    return std::string(info.secret ? "is a secret, and other people read a project's file"
                                   : "may not be set by a project") +
           ": set " + name + " in the environment, or `" + FileKey(info) + "` in the user's flaky/config.toml";
  }
  if (info.secret && content.readable_by_others) {
    return "is a secret, and other users may read this file: run chmod 600 on it";
  }
  return "";
}

// Returns the table that a text of TOML describes. `file`: for errors. Throws SettingError, which names the line. It
// contains nothing of the values, which may be secrets.
toml::table Parsed(std::string_view text, const std::string& file) {
  if (const auto problem = FindTomlProblem(text)) {
    throw SettingError(file + ":" + std::to_string(problem->line) + ": the line " + problem->what);
  }
  try {
    return toml::parse(text, file);
  } catch (const toml::parse_error& error) {
    // The description quotes the file, which may contain a secret.
    const std::string_view why = error.description();
    throw SettingError(file + ":" + std::to_string(error.source().begin.line) + ": invalid TOML: " +
                       std::string(why.substr(0, std::min(why.find(", saw"), why.find_first_of("'\"")))));
  }
}

// Reads the table [judge]. The model, which this room does not know, has the names.
void ReadJudge(const toml::node& node, Origin origin, const std::string& file, Settings& settings) {
  const toml::table& table = *node.as_table();
  for (const auto& [key, value] : table) {
    const std::string where = file + ":" + std::to_string(key.source().begin.line);
    const std::optional<double> number = value.value<double>();
    if (!value.is_number() || !number) {
      throw SettingError(where + ": `" + Masked(std::string(key.str())) + "` in [judge] must be a number");
    }
    settings.SetJudge(std::string(key.str()), {*number, origin, where});
  }
}

// Returns why the first of the paths that is not trusted is not; empty if all are.
std::string FirstNotTrusted(const std::vector<std::filesystem::path>& paths) {
  for (const std::filesystem::path& path : paths) {
    if (std::string why = WhyNotTrusted(path); !why.empty()) return why;
  }
  return {};
}

}  // namespace

namespace {

// Looks from `folder` upwards. Returns nullopt if there is no file.
std::optional<ProjectFile> LookUpwards(const std::filesystem::path& folder) {
  const std::filesystem::path top = RepositoryTop(folder);
  for (std::filesystem::path place = folder;; place = place.parent_path()) {
    if (top.empty() && place != folder && IsForEveryUser(place)) return std::nullopt;
    std::error_code ignored;
    std::filesystem::path file = place / kProjectFileName;
    if (std::filesystem::exists(file, ignored)) {
      std::vector<std::filesystem::path> parts = {file, place};
      if (!top.empty() && (place != folder || place == top)) {
        parts.insert(parts.end(), {top, top / ".git", GitFolder(top)});
      }
      const std::string why = FirstNotTrusted(parts);
      if (why.empty()) return ProjectFile{std::move(file), "", ""};
      return ProjectFile{{},
                         file.string() + " is left out: " + why,
                         "to use its settings, change the owner, or set them in the environment or in the user's "
                         "flaky/config.toml"};
    }
    if (place == top || place == place.parent_path()) return std::nullopt;
  }
}

}  // namespace

ProjectFile FindProjectFile(const std::filesystem::path& folder) {
  if (auto found = LookUpwards(folder)) return std::move(*found);
  if (!RepositoryTop(folder).empty()) return {};
  const std::filesystem::path sources = SourcesOfBuild(folder);
  return sources.empty() ? ProjectFile() : LookUpwards(sources).value_or(ProjectFile());
}

std::filesystem::path ProjectFolderOf(const std::filesystem::path& file) {
  const std::filesystem::path folder = file.parent_path();
  std::filesystem::path top = RepositoryTop(folder);
  if (top.empty() || !FirstNotTrusted({top, top / ".git", GitFolder(top)}).empty()) return folder;
  return top;
}

std::string RunVariable(const SettingInfo& info, std::string_view text) {
  constexpr size_t kDigits = 16;
  return std::string(info.name) + ':' + DigestOf(std::string(text)).ToString().substr(0, kDigits);
}

void MarkSettingsOfRun(const std::function<const char*(const char*)>& get, Settings& settings) {
  const char* const set = get(kRunStores);
  const char* const project = get(kRunProject);
  for (std::string_view rest = set == nullptr ? "" : set; !rest.empty();) {
    const std::string_view one = rest.substr(0, rest.find(','));
    rest.remove_prefix(std::min(rest.size(), one.size() + 1));
    const SettingInfo* const info = FindSetting(one.substr(0, one.find(':')));
    auto value = info == nullptr ? std::nullopt : settings.Given(*info);
    // A program under the run may have set another value.
    if (!value || value->origin != Origin::kEnvironment || RunVariable(*info, value->text) != one) continue;
    value->of_run = true;
    value->root = project == nullptr ? "" : project;
    settings.Set(*info, std::move(*value));
  }
}

std::filesystem::path UserSettingsFile(const std::function<const char*(const char*)>& get) {
  if (const char* const inherited = get(kRunConfig); inherited != nullptr && *inherited == '/') return inherited;
  const char* config = get("XDG_CONFIG_HOME");
  if (config != nullptr && *config == '/') return std::filesystem::path(config) / "flaky" / "config.toml";
  const char* home = get("HOME");
  if (home != nullptr && *home == '/') return std::filesystem::path(home) / ".config" / "flaky" / "config.toml";
  return {};
}

void ReadSettingsFile(const std::filesystem::path& file, Origin origin, const std::filesystem::path& home,
                      Settings& settings) {
  const std::optional<FileContent> content = ReadWhole(file);
  if (!content) return;
  const bool is_project = origin == Origin::kProjectFile;
  if (is_project && !IsTrusted(content->owner)) throw SettingError(file.string() + " belongs to another user");
  const std::string root = is_project ? ProjectFolderOf(file).string() : "";
  const auto at = [&](const toml::source_position& place) { return file.string() + ":" + std::to_string(place.line); };

  for (const auto& [key, node] : Parsed(content->text, file.string())) {
    const std::string name(key.str());
    const std::string where = at(key.source().begin);
    if (name == kJudgeTable && node.is_table()) {
      ReadJudge(node, origin, file.string(), settings);
      continue;
    }
    const SettingInfo* info = FindByKey(name);
    if (info == nullptr) {
      throw SettingError(where + ": there is no setting `" + Masked(name) + "`" + DidYouMean(name, KnownKeys()));
    }
    if (const std::string why = Forbidden(*info, origin, *content); !why.empty()) {
      throw SettingError(where + ": `" + name + "` " + why);
    }
    const std::optional<std::string> text = TextOf(node);
    if (!text) throw SettingError(where + ": `" + name + "` must be a text, a whole number, true or false");
    if (text->find('\0') != std::string::npos) throw SettingError(where + ": `" + name + "` holds a NUL character");
    const bool is_path = info->kind == SettingKind::kPath && !LooksLikeAddress(Unwrapped(*text));
    const std::string plain = is_path ? ResolvePath(std::string(Unwrapped(*text)), file.parent_path(), home) : *text;
    settings.Set(*info, {plain, origin, where, root});
  }
}

}  // namespace flaky
