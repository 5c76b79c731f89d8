// SPDX-License-Identifier: MIT
#include "settings/settings_files.h"
#include "stores/error.h"
#include "tests/fuzz/fuzz.h"

namespace flaky::fuzz {
namespace {

void CheckFile(const InputFile& file, Origin origin) {
  Settings settings;
  try {
    ReadSettingsFile(file.path(), origin, "/home/fuzz", settings);
  } catch (const SettingError&) {
    return;
  }
  for (const SettingInfo& info : SettingTable()) {
    const std::optional<SettingValue> value = settings.Given(info);
    if (!value) continue;
    Require(info.places != SettingPlaces::kEnvironment, "a file sets nothing that the recorder reads");
    Require(origin == Origin::kUserFile || info.places == SettingPlaces::kAll,
            "a project's file sets no secret and nothing personal");
    Require(value->text.find('\0') == value->text.npos, "a value has no NUL");
    try {
      settings.Check(info);
    } catch (const SettingError& error) {
      Require(!info.secret || std::string_view(error.what()).find(value->text) == std::string_view::npos,
              "a message shows no secret");
    } catch (const StoreError&) {  // a prefix that no store takes
    }
  }
}

}  // namespace

// The message about a malformed value of a secret does not contain the secret.
void CheckSecret(std::string_view before, std::string_view quote, std::string_view after) {
  constexpr std::string_view kSecret = "S3cr3tOfTheFuzzer";
  if (quote.find_first_of("\n{") != quote.npos) return;  // then it may be the name of a setting, which is shown
  std::string text(before);
  text.append("\nauth_token = ").append(quote).append(kSecret).append(after);
  const InputFile file(text);
  Settings settings;
  try {
    ReadSettingsFile(file.path(), Origin::kUserFile, "/home/fuzz", settings);
  } catch (const SettingError& error) {
    Require(std::string_view(error.what()).find(kSecret) == std::string_view::npos, "a message shows no secret");
  }
}

// A file of settings: the project's `.flaky.toml`, and the user's `config.toml`.
void CheckInput(std::string_view input) {
  const InputFile file(input);
  CheckFile(file, Origin::kProjectFile);
  CheckFile(file, Origin::kUserFile);
  const std::vector<std::string_view> parts = PartsOf(input);
  if (parts.size() == 3) CheckSecret(parts[0], parts[1], parts[2]);
}

}  // namespace flaky::fuzz
