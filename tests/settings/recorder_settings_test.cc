// The recorder shares no code with the program, and so has a little table of settings of its own. The two say the same.
#include <gtest/gtest.h>

#include <set>
#include <string>

#include "recorder/settings.h"
#include "settings/settings.h"

namespace flaky {
namespace {

bool IsNumber(const SettingInfo& info) {
  return info.kind == SettingKind::kNumber || info.kind == SettingKind::kSeconds || info.kind == SettingKind::kBytes;
}

TEST(RecorderSettingsTest, AreInTheTableWithTheSameNumbers) {
  for (const flaky_recorder::Setting& setting : flaky_recorder::kSettings) {
    SCOPED_TRACE(setting.name);
    const SettingInfo* info = FindSetting(setting.name);
    ASSERT_NE(info, nullptr);
    if (info->kind == SettingKind::kBool) {
      EXPECT_EQ(std::to_string(setting.default_value), info->default_value);
    } else if (IsNumber(*info)) {
      EXPECT_EQ(std::to_string(setting.default_value), info->default_value);
      EXPECT_EQ(setting.min, info->min);
      EXPECT_EQ(setting.max, info->max);
    }
  }
}

TEST(RecorderSettingsTest, WhatIsReadFromTheEnvironmentOnlyIsReadByTheRecorder) {
  std::set<std::string_view> read;
  for (const flaky_recorder::Setting& setting : flaky_recorder::kSettings) read.insert(setting.name);
  for (const SettingInfo& info : SettingTable()) {
    EXPECT_TRUE(info.places != SettingPlaces::kEnvironment || read.contains(info.name)) << info.name;
  }
}

TEST(RecorderSettingsTest, BothTakeTheSameTruthValues) {
  for (const char* text : {"1", "true", "yes", "on", "0", "false", "no", "off", "2", "maybe", "TRUE", "1|true"}) {
    Settings settings;
    settings.Set(setting::kDisable, {text, Origin::kEnvironment, {}});
    ::setenv("FLAKY_TESTS_DISABLE", text, 1);
    flaky_recorder::Warning warning;
    const bool truth = flaky_recorder::BoolOf(flaky_recorder::kDisable, warning);
    ::unsetenv("FLAKY_TESTS_DISABLE");
    bool refused = false;
    bool wanted = false;
    try {
      wanted = settings.Get(setting::kDisable);
    } catch (const SettingError&) {
      refused = true;
    }
    EXPECT_EQ(truth, wanted) << text << (refused ? ": refused there, so nothing here" : "");
  }
}

}  // namespace
}  // namespace flaky
