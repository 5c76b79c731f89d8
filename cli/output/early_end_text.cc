// SPDX-License-Identifier: MIT
#include "cli/output/early_end_text.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string_view>

namespace flaky {
namespace {

std::optional<std::string> TextOf(const nlohmann::json& object, std::string_view name) {
  const auto found = object.find(name);
  if (found == object.end() || !found->is_string()) return std::nullopt;
  return found->get<std::string>();
}

// Returns the value of Part::ended_early; null if it is absent or is not a list.
nlohmann::json ListOf(const Part& part) {
  if (!part.ended_early) return {};
  nlohmann::json list = nlohmann::json::parse(*part.ended_early, nullptr, /*allow_exceptions=*/false);
  return list.is_array() ? list : nlohmann::json();
}

}  // namespace

std::vector<EarlyEnd> EarlyEndsOf(std::span<const Part> parts) {
  std::vector<EarlyEnd> ends;
  for (const Part& part : parts) {
    for (const nlohmann::json& object : ListOf(part)) {
      if (!object.is_object()) continue;
      EarlyEnd& end = ends.emplace_back();
      const auto cause = TextOf(object, "cause");
      if (cause == "interrupted") end.cause = EarlyEnd::Cause::kInterrupted;
      if (cause == "unrecorded") end.cause = EarlyEnd::Cause::kUnrecorded;
      end.test = TextOf(object, "test").value_or("");
      end.program = TextOf(object, "program").value_or("");
      end.detail = TextOf(object, end.cause == EarlyEnd::Cause::kUnrecorded ? "reason" : "signal");
    }
  }
  std::ranges::sort(ends);
  return ends;
}

std::string EarlyEndName(const EarlyEnd& end) {
  if (!end.test.empty()) return end.test;
  return end.program.empty() ? "a test program" : end.program;
}

std::string EarlyEndPhrase(const EarlyEnd& end) {
  switch (end.cause) {
    case EarlyEnd::Cause::kInterrupted:
      return end.detail ? "interrupted by " + *end.detail : "interrupted";
    case EarlyEnd::Cause::kUnrecorded:
      return end.detail.value_or("the rest could not be recorded");
    case EarlyEnd::Cause::kNotKnown:
      break;
  }
  return "ended without an end event, signal unknown";
}

std::optional<std::string> EarlyStatus(const Account& account, std::span<const Part> parts) {
  if (account.status || !account.ended_at) return std::nullopt;
  const std::vector<EarlyEnd> ends = EarlyEndsOf(parts);
  if (ends.empty()) return std::nullopt;
  const auto is_interruption = [](const EarlyEnd& end) { return end.cause == EarlyEnd::Cause::kInterrupted; };
  return std::ranges::any_of(ends, is_interruption) ? "interrupted" : "ended early";
}

}  // namespace flaky
