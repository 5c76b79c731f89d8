// SPDX-License-Identifier: MIT
#include "analysis/verdict.h"

#include <array>

namespace flaky {
namespace {

struct ReasonText {
  std::string_view name;
  std::string_view before;  // the words around the count
  std::string_view one;
  std::string_view many;
};

constexpr std::array<ReasonText, 12> kReasons = {{
    {"same_code_both", "failed and passed on the same code: ", " code version", " code versions"},
    {"retry_passed", "a later attempt in the same part passed: ", " part", " parts"},
    {"failed_once", "failed in one part only, of ", " execution", " executions"},
    {"failed_on_several", "failed on code that other code between passed: ", " code version", " code versions"},
    {"failed_together", "failed together with many other tests: ", " time", " times"},
    {"all_fail_on_code", "each execution on the last code failed: ", " execution", " executions"},
    {"passed_since", "passed since its last failure: ", " execution", " executions"},
    {"commit_mended", "was broken on the default branch but works again: ", " code version", " code versions"},
    {"few_executions", "was executed only ", " time", " times"},
    {"edited_code", "failed on edited code, which proves little: ", " time", " times"},
    {"killed", "its process was killed from outside: ", " time", " times"},
    {"assumed_executions", "the runs do not say which tests passed: ", " failure", " failures"},
}};

}  // namespace

std::string_view WordFor(Verdict verdict) {
  constexpr std::array<std::string_view, 7> kWords = {"healthy", "new",         "suspect", "fixed",
                                                      "flaky",   "newly_flaky", "broken"};
  return kWords[static_cast<size_t>(verdict)];
}

std::string_view NameOf(ReasonCode code) { return kReasons[static_cast<size_t>(code)].name; }

std::string Words(const Reason& reason) {
  const ReasonText& text = kReasons[static_cast<size_t>(reason.code)];
  return std::string(text.before) + std::to_string(reason.count) +
         std::string(reason.count == 1 ? text.one : text.many);
}

std::string_view NameOf(HintKind kind) {
  constexpr std::array<std::string_view, 7> kNames = {"variant",  "branch",         "host",  "hour",
                                                      "shuffled", "preceding_test", "signal"};
  return kNames[static_cast<size_t>(kind)];
}

}  // namespace flaky
