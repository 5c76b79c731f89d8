// SPDX-License-Identifier: MIT
#include "settings/settings_files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <toml++/toml.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <optional>
#include <string>
#include <vector>

#include "settings/project_folder.h"
#include "settings/suggestions.h"

namespace flaky {
namespace {

constexpr std::string_view kProjectFileName = ".flaky.toml";
constexpr size_t kLargestFile = 1 << 20;  // a file of settings is not that long; whatever is, is something else

struct FileContent {
  std::string text;
  bool readable_by_others = false;
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
  std::array<char, 4096> block{};
  for (ssize_t got = 0; (got = ::read(fd, block.data(), block.size())) != 0;) {
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw refuse(std::strerror(errno));
    content.text.append(block.data(), static_cast<size_t>(got));
    if (content.text.size() > kLargestFile) throw refuse("it is larger than 1 MiB");
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

}  // namespace

std::filesystem::path ProjectSettingsFile(const std::filesystem::path& folder) {
  const std::filesystem::path top = RepositoryTop(folder);
  for (std::filesystem::path place = folder;; place = place.parent_path()) {
    std::error_code ignored;
    std::filesystem::path file = place / kProjectFileName;
    if (std::filesystem::exists(file, ignored)) return file;
    if (top.empty() || place == top || place == place.parent_path()) return {};
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
  const auto at = [&](const toml::source_position& place) { return file.string() + ":" + std::to_string(place.line); };

  toml::table table;
  try {
    table = toml::parse(content->text, file.string());
  } catch (const toml::parse_error& error) {
    throw SettingError(at(error.source().begin) + ": " + std::string(error.description()));
  }
  for (const auto& [key, node] : table) {
    const std::string name(key.str());
    const std::string where = at(key.source().begin);
    const SettingInfo* info = FindByKey(name);
    if (info == nullptr) {
      throw SettingError(where + ": there is no setting `" + name + "`" + DidYouMean(name, KnownKeys()));
    }
    if (const std::string why = Forbidden(*info, origin, *content); !why.empty()) {
      throw SettingError(where + ": `" + name + "` " + why);
    }
    const std::optional<std::string> text = TextOf(node);
    if (!text) throw SettingError(where + ": `" + name + "` must be a text, a whole number, true or false");
    if (text->find('\0') != std::string::npos) throw SettingError(where + ": `" + name + "` holds a NUL character");
    const bool is_path = info->kind == SettingKind::kPath;
    settings.Set(*info, {is_path ? ResolvePath(*text, file.parent_path(), home) : *text, origin, where});
  }
}

}  // namespace flaky
