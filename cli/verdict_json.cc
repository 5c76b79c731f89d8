// SPDX-License-Identifier: MIT
#include "cli/verdict_json.h"

#include <cmath>
#include <optional>
#include <string>
#include <string_view>

namespace flaky {
namespace {

// Six digits are more than any verdict can know.
double Rounded(double number) { return std::round(number * 1e6) / 1e6; }

Json TextOrNull(std::string_view text) { return text.empty() ? Json() : Json(text); }
Json TimeOrNull(const std::optional<Timestamp>& time) { return time ? Json(time->ToString()) : Json(); }

Json IdentityJson(TestId test, const JudgedHistory& history) {
  const TestIdentity& identity = history.judge().tests()[test];
  Json json = Json::object();
  json["test_name"] = identity.name;
  json["program"] = TextOrNull(identity.program);
  json["test_file"] = TextOrNull(identity.file.empty() ? history.reader().FileOf(test) : identity.file);
  return json;
}

}  // namespace

Json EvidenceJson(const CodeEvidence& code) {
  return {{"code", code.code},
          {"commit", TextOrNull(code.commit)},
          {"branch", TextOrNull(code.branch)},
          {"dirty", code.dirty},
          {"first_failure", code.first_seen.ToString()},
          {"executions", code.executions},
          {"failures", code.failures},
          {"p_broken", Rounded(code.p_code)},
          {"p_test", Rounded(code.p_test)},
          {"p_machine", Rounded(code.p_machine)},
          {"p_flaky", Rounded(code.p_flaky)}};
}

Json VerdictJson(const TestVerdict& test, const JudgedHistory& history) {
  Json json = IdentityJson(test.test, history);
  json["verdict"] = WordFor(test.verdict);
  json["p_flaky"] = Rounded(test.p_flaky);
  json["p_broken"] = Rounded(test.p_broken);
  json["rate"] = Json();
  if (test.rate) {
    json["rate"] = {
        {"low", Rounded(test.rate->low)}, {"median", Rounded(test.rate->median)}, {"high", Rounded(test.rate->high)}};
  }
  json["executions"] = test.executions;
  json["failures"] = test.failures;
  json["cost"] = test.cost;
  json["since"] = TimeOrNull(test.since);
  json["since_code"] = TextOrNull(test.since_code);
  json["since_commit"] = TextOrNull(test.since_commit);
  json["last_failure"] = TimeOrNull(test.last_failure);
  json["passes_missing_until_fixed"] = test.passes_missing_until_fixed;
  json["cluster"] = test.cluster == kNoIndex ? Json() : Json(test.cluster);
  json["reasons"] = Json::array();
  for (const Reason& reason : test.reasons) {
    json["reasons"].push_back({{"code", NameOf(reason.code)}, {"count", reason.count}, {"text", Words(reason)}});
  }
  json["hints"] = Json::array();
  for (const Hint& hint : test.hints) {
    json["hints"].push_back({{"kind", NameOf(hint.kind)},
                             {"value", hint.value},
                             {"failures", hint.failures},
                             {"executions", hint.executions},
                             {"other_failures", hint.other_failures},
                             {"other_executions", hint.other_executions}});
  }
  json["blame"] = Json::array();
  for (const CodeEvidence& code : history.judge().Explain(test.test)) {
    if (!code.dirty) json["blame"].push_back(EvidenceJson(code));
  }
  return json;
}

Json HealthyJson(TestId test, Verdict verdict, int64_t executions, const JudgedHistory& history) {
  Json json = IdentityJson(test, history);
  json["verdict"] = WordFor(verdict);
  json["rate"] = Json();
  json["executions"] = executions;
  json["failures"] = 0;
  json["cost"] = 0;
  json["blame"] = Json::array();
  return json;
}

}  // namespace flaky
