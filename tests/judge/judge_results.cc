// SPDX-License-Identifier: MIT
// judge_results FILE [--at TIME] [--branch NAME] [--set NAME=VALUE]… [--seconds]
//
// Judges a history of plain results (one JSON object a line for each part of a run) and prints the verdicts as JSON,
// in the form that score.py reads.
#include <simdjson.h>

#include <charconv>
#include <chrono>
#include <iostream>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "analysis/judge.h"

namespace flaky {
namespace {

using simdjson::dom::element;

class ResultsReader {
 public:
  explicit ResultsReader(Judge& judge) : judge_(judge) {}

  void Read(const element& line) {
    const std::string_view run_id = Text(line, "run_id");
    PartEvidence part;
    part.run = RunOf(run_id, line);
    part.part_id = Text(line, "part_id");
    const auto started = Timestamp::Parse(Text(line, "started_at"));
    if (run_id.empty() || !started) throw std::invalid_argument("invalid line; expected run_id and started_at");
    part.started_at = *started;
    part.variant = Text(line, "variant");
    part.host = Text(line, "host");
    part.shard = Text(line, "shard");
    part.shuffled = Flag(line, "shuffled") || Number(line, "shuffle_seed").has_value();
    part.interrupted = !Text(line, "interrupted").empty();
    const std::string_view program = Text(line, "program");

    std::map<TestId, uint32_t> attempts;
    failures_.clear();
    roster_.clear();
    simdjson::dom::array list;
    if (line["passed"].get(list) == simdjson::SUCCESS) {
      for (const element name : list) roster_.push_back(TestOf(program, name.get_string().value()));
    }
    if (line["results"].get(list) == simdjson::SUCCESS) {
      for (const element result : list) {
        const std::string_view outcome = Text(result, "outcome");
        if (outcome == "skipped") continue;
        const std::string_view own = Text(result, "program");
        const TestId test = TestOf(own.empty() ? program : own, Text(result, "name"));
        if (++attempts[test] == 1) roster_.push_back(test);
        if (outcome == "passed") continue;
        const std::string_view before = Text(result, "preceding_test");
        failures_.push_back({.test = test,
                             .preceding = before.empty() ? kNoIndex : TestOf(program, before),
                             .signal = !Text(result, "signal").empty()});
      }
    }
    others_.clear();
    for (const auto& [test, count] : attempts) {
      if (count != 1) others_.push_back({test, count});
    }
    part.roster = RosterOf();
    part.other_executions = others_;
    part.failures = failures_;
    judge_.AddPart(part);
  }

 private:
  static std::string_view Text(const element& of, std::string_view key) {
    std::string_view text;
    return of[key].get(text) == simdjson::SUCCESS ? text : std::string_view();
  }
  static bool Flag(const element& of, std::string_view key) {
    bool flag = false;
    return of[key].get(flag) == simdjson::SUCCESS && flag;
  }
  static std::optional<int64_t> Number(const element& of, std::string_view key) {
    int64_t number = 0;
    return of[key].get(number) == simdjson::SUCCESS ? std::optional(number) : std::nullopt;
  }

  RunIndex RunOf(std::string_view run_id, const element& line) {
    const auto [place, fresh] = runs_.try_emplace(std::string(run_id), 0);
    if (fresh) {
      RunEvidence run{.run_id = run_id, .code = {}};
      run.code.tree = Text(line, "tree_sha");
      run.code.commit = Text(line, "git_sha");
      run.code.dirty = Flag(line, "git_dirty");
      run.code.branch = Text(line, "branch");
      run.code.commit_time = Timestamp::Parse(Text(line, "commit_time"));
      place->second = judge_.AddRun(run);
    }
    return place->second;
  }

  TestId TestOf(std::string_view program, std::string_view name) {
    key_.assign(program).append("\n").append(name);
    const auto found = tests_.find(key_);
    if (found != tests_.end()) return found->second;
    return tests_[key_] = judge_.AddTest({.program = std::string(program), .file = "", .name = std::string(name)});
  }

  RosterId RosterOf() {
    const auto [place, fresh] = rosters_.try_emplace(roster_, 0);
    if (fresh) place->second = judge_.AddRoster(roster_);
    return place->second;
  }

  Judge& judge_;
  std::string key_;
  std::unordered_map<std::string, RunIndex> runs_;
  std::unordered_map<std::string, TestId> tests_;
  std::map<std::vector<TestId>, RosterId> rosters_;
  std::vector<TestId> roster_;
  std::vector<Executions> others_;
  std::vector<FailedAttempt> failures_;
};

std::string Quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    if (static_cast<unsigned char>(c) < 0x20) {
      constexpr std::string_view kHex = "0123456789abcdef";
      out += "\\u00";
      out += kHex[static_cast<size_t>(c) >> 4];
      out += kHex[static_cast<size_t>(c) & 15];
    } else {
      out += c;
    }
  }
  return out + '"';
}

void Print(const Judge& judge, const Judgement& judgement, std::ostream& out) {
  out << "{\"runs\":" << judgement.runs << ",\"parts\":" << judgement.parts
      << ",\"background\":" << judgement.background << ",\"infrastructure\":" << judgement.infrastructure.size()
      << ",\"tests\":[";
  const char* separator = "\n";
  for (const TestVerdict& test : judgement.tests) {
    out << separator << "{\"test_name\":" << Quoted(test.identity.name) << ",\"verdict\":\"" << WordFor(test.verdict)
        << "\",\"p_flaky\":" << test.p_flaky << ",\"p_broken\":" << test.p_broken
        << ",\"executions\":" << test.executions << ",\"failures\":" << test.failures << ",\"cost\":" << test.cost
        << ",\"passes_missing\":" << test.passes_missing_until_fixed << ",\"rate\":";
    if (test.rate) {
      out << "{\"low\":" << test.rate->low << ",\"median\":" << test.rate->median << ",\"high\":" << test.rate->high
          << '}';
    } else {
      out << "null";
    }
    out << ",\"since\":" << (test.since ? Quoted(test.since->ToString()) : "null") << ",\"reasons\":[";
    const char* comma = "";
    for (const Reason& reason : test.reasons) {
      out << comma << "{\"code\":\"" << NameOf(reason.code) << "\",\"count\":" << reason.count << '}';
      comma = ",";
    }
    out << "],\"hints\":[";
    comma = "";
    for (const Hint& hint : test.hints) {
      out << comma << "{\"kind\":\"" << NameOf(hint.kind) << "\",\"value\":" << Quoted(hint.value)
          << ",\"failures\":" << hint.failures << ",\"executions\":" << hint.executions
          << ",\"other_failures\":" << hint.other_failures << ",\"other_executions\":" << hint.other_executions << '}';
      comma = ",";
    }
    out << "],\"blame\":[";
    comma = "";
    for (const CodeEvidence& code : judge.Explain(test.test)) {
      if (code.dirty) continue;
      out << comma << "{\"code\":" << Quoted(code.code) << ",\"p_broken\":" << code.p_code
          << ",\"p_test\":" << code.p_test << ",\"p_flaky\":" << code.p_flaky << ",\"n\":" << code.executions
          << ",\"k\":" << code.failures << '}';
      comma = ",";
    }
    out << "]}";
    separator = ",\n";
  }
  out << "\n]}\n";
}

int Main(int argc, char** argv) {
  std::string path;
  JudgeOptions options{.at = Timestamp::kMax, .default_branch = ""};
  Model model;
  bool seconds = false;
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    if (word == "--seconds") {
      seconds = true;
    } else if (word == "--at" && i + 1 < argc) {
      const auto at = Timestamp::Parse(argv[++i]);
      if (!at) throw std::invalid_argument("invalid --at; expected a time");
      options.at = *at;
    } else if (word == "--branch" && i + 1 < argc) {
      options.default_branch = argv[++i];
    } else if (word == "--set" && i + 1 < argc) {
      const std::string text = argv[++i];
      const size_t equals = text.find('=');
      SetConstant(model, text.substr(0, equals), equals == std::string::npos ? 0 : std::stod(text.substr(equals + 1)));
    } else {
      path = word;
    }
  }
  Judge judge(model);
  {
    ResultsReader reader(judge);
    simdjson::dom::parser parser;
    for (const element line : parser.load_many(path, size_t{64} << 20)) reader.Read(line);
  }
  const auto begin = std::chrono::steady_clock::now();
  const Judgement judgement = judge.Decide(options);
  if (seconds) {
    std::cerr << std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count() << " s for "
              << judgement.parts << " parts\n";
  }
  Print(judge, judgement, std::cout);
  return 0;
}

}  // namespace
}  // namespace flaky

int main(int argc, char** argv) {
  try {
    return flaky::Main(argc, argv);
  } catch (const std::exception& error) {
    std::cerr << "judge_results: " << error.what() << '\n';
    return 2;
  }
}
