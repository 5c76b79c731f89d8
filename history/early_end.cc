// SPDX-License-Identifier: MIT
#include "history/early_end.h"

#include <algorithm>
#include <string_view>

#include "history/json_object.h"

namespace flaky {
namespace {

std::string_view WordOf(EarlyEnd::Cause cause) {
  if (cause == EarlyEnd::Cause::kInterrupted) return "interrupted";
  return cause == EarlyEnd::Cause::kUnrecorded ? "unrecorded" : "unknown";
}

}  // namespace

std::optional<std::string> EarlyEndsText(std::vector<EarlyEnd> ends) {
  if (ends.empty()) return std::nullopt;
  std::ranges::sort(ends);
  std::string text;
  for (const EarlyEnd& end : ends) {
    JsonObject object;
    object.AddText("cause", WordOf(end.cause));
    if (!end.test.empty()) object.AddText("test", end.test);
    if (!end.program.empty()) object.AddText("program", end.program);
    const bool is_reason = end.cause == EarlyEnd::Cause::kUnrecorded;
    if (end.detail) object.AddText(is_reason ? "reason" : "signal", *end.detail);
    text += (text.empty() ? "[" : ",") + object.Take();
  }
  return text + ']';
}

}  // namespace flaky
