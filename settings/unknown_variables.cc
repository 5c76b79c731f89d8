// SPDX-License-Identifier: MIT
#include "settings/unknown_variables.h"

#include <unistd.h>

#include <string_view>

#include "settings/settings.h"
#include "settings/suggestions.h"

namespace flaky {
namespace {

constexpr std::string_view kPrefix = "FLAKY_TESTS_";

// What all names begin with does not count as likeness.
std::string Meant(std::string_view variable) {
  std::vector<std::string> rests;
  for (const SettingInfo& info : SettingTable()) rests.emplace_back(info.name.substr(kPrefix.size()));
  const std::string near = Suggestion(variable.substr(kPrefix.size()), rests);
  return near.empty() ? "" : std::string(kPrefix) + near;
}

}  // namespace

std::vector<UnknownVariable> UnknownVariables() {
  std::vector<UnknownVariable> unknown;
  for (char** variable = ::environ; variable != nullptr && *variable != nullptr; ++variable) {
    const std::string_view text = *variable;
    const std::string_view name = text.substr(0, text.find('='));
    if (name.starts_with(kPrefix) && FindSetting(name) == nullptr) unknown.push_back({std::string(name), Meant(name)});
  }
  return unknown;
}

}  // namespace flaky
