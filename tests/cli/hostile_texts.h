// SPDX-License-Identifier: MIT
#ifndef FLAKY_TESTS_CLI_HOSTILE_TEXTS_H_
#define FLAKY_TESTS_CLI_HOSTILE_TEXTS_H_

#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "history/text.h"

// Foreign text that controls what reads it, if it gets there as it is: a terminal, and the log of a CI system.
namespace flaky {

// All are storable.
inline const std::vector<std::string> kHostile = {
    "::error file=a,line=1::x",
    "  ::add-path::/evil",
    "\t::set-env name=PATH::/evil",
    "::set-output name=a::b",
    "\u00ad::add-mask::a",
    "\u00a0::stop-commands::a",
    "\u3000\u2003::debug::a",
    "a\n::warning::b\n  ::notice::c",
    "a\r::error::b",
    "a\u2028::error::b\u0085::error::c",
    "name::error::x ::group::y",
    "::",
    ":",
    "#",
    "##",
    "##vso[task.setvariable variable=PATH]/evil",
    "text ##vso[task.complete result=Failed]",
    "#\u200b#vso[task.logissue]",
    "##v\u00adso[task.logissue]",
    "##[add-path]/evil",
    "a##[error]b",
    "###[group]x",
    "##teamcity[testFailed name='a']",
    "ok ##teamcity[setParameter name='env.PATH' value='/evil']",
    "<DartMeasurementFile name=\"x\" type=\"text/plain\">/etc/passwd</DartMeasurementFile>",
    "<CTestMeasurement type=\"link\" name=\"x\">http://evil</CTestMeasurement>",
    "\x1b[2J\x1b[31mred",
    "\x1b]8;;http://evil\x1b\\link\x1b]8;;\x1b\\",
    "\x1b]52;c;ZXZpbA==\x07",
    "\x1b[31m::error::x",
    "\u009b31mC1\u009d52;c;x\u009c",
    "a\b\b\bb\x7f\x0c\x0b",
    "\u202egnp.exe\u2066x\u2069",
    "in\u200bvis\u2060ible\ufeff",
    "soft\u00adhyphen\u180e",
    "\u115f\u1160\u3164\uffa0",
    "\U000E0041\U000E007F\U0001D173",
    "emoji \u2764\ufe0f",
    "`rm -rf /` $(touch evil) '\"; touch evil #",
    "--version",
    ".so /etc/passwd\n.sy touch evil\n'sy touch evil",
};

// Returns what in the output could control a reader, and an empty text if nothing could. Written without the code that
// it tests.
inline std::string Found(const std::string& output) {
  if (!IsStorable(output)) return "bytes that are not UTF-8";
  for (const char c : output) {
    const auto byte = static_cast<unsigned char>(c);
    if ((byte < 0x20 && c != '\n') || byte == 0x7F) return "control character " + std::to_string(byte);
  }
  for (const std::string_view bad :
       {"\u0080",      "\u0085",   "\u009b",           "\u009c",     "\u009d",     "\u00ad",     "\u115f",  "\u1160",
        "\u180e",      "\u200b",   "\u2028",           "\u202e",     "\u2060",     "\u2066",     "\u2069",  "\u3164",
        "\ufe0f",      "\ufeff",   "\uffa0",           "\U0001D173", "\U000E0041", "\U000E007F", "##vso[",  "##[",
        "##teamcity[", "##v",      "<DartMeasurement", "<CTest",     "::add-",     "::set-",     "::stop-", "::error",
        "::warning",   "::notice", "::debug",          "::group"}) {
    if (output.find(bad) != std::string::npos) return "`" + std::string(bad) + "`";
  }
  std::istringstream stream(output);
  for (std::string line; std::getline(stream, line);) {
    for (const std::string_view blank : {" ", "\u00a0", "\u2003", "\u3000"}) {
      while (line.starts_with(blank)) line.erase(0, blank.size());
    }
    if (line.starts_with("::")) return "a line that begins with `::`: " + line;
  }
  return "";
}

}  // namespace flaky

#endif  // FLAKY_TESTS_CLI_HOSTILE_TEXTS_H_
