// SPDX-License-Identifier: MIT
// judge_results FILE [--at TIME] [--branch NAME] [--set NAME=VALUE]… [--seconds]
//
// Judges a history of plain results (docs/reference/results.md) and prints the verdicts as JSON,
// in the form that score.py reads.
#include <charconv>
#include <chrono>
#include <iostream>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "analysis/judge.h"
#include "formats/results_file.h"

namespace flaky {
namespace {

class ResultsReader {
 public:
  explicit ResultsReader(Judge& judge) : judge_(judge) {}

  void Read(const ResultsLine& line) {
    PartEvidence part;
    part.run = RunOf(line);
    part.part_id = *line.part_id;
    part.started_at = *line.started_at;
    part.variant = ViewOf(line.variant);
    part.host = ViewOf(line.host);
    part.shard = ViewOf(line.shard);
    part.shuffled = line.shuffled.value_or(false) || line.shuffle_seed;
    part.interrupted = line.interrupted.has_value();
    const std::string_view program = ViewOf(line.program);

    std::map<TestId, uint32_t> attempts;
    failures_.clear();
    roster_.clear();
    for (const std::string& name : line.passed) roster_.push_back(TestOf(program, name));
    for (const Result& result : line.results) {
      if (result.outcome == ResultOutcome::kSkipped || result.IsOutsideTests()) continue;
      const TestId test = TestOf(result.program ? *result.program : program, result.name);
      if (++attempts[test] == 1) roster_.push_back(test);
      if (!result.IsFailure()) continue;
      failures_.push_back({.test = test,
                           .preceding = result.preceding_test ? TestOf(program, *result.preceding_test) : kNoIndex,
                           .signal = result.signal.has_value()});
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
  static std::string_view ViewOf(const std::optional<std::string>& text) {
    return text ? std::string_view(*text) : std::string_view();
  }

  RunIndex RunOf(const ResultsLine& line) {
    const auto [place, fresh] = runs_.try_emplace(line.run_id, 0);
    if (fresh) {
      RunEvidence run{.run_id = line.run_id, .code = {}};
      run.code.tree = ViewOf(line.tree_sha);
      run.code.commit = ViewOf(line.git_sha);
      run.code.dirty = line.git_dirty.value_or(false);
      run.code.branch = ViewOf(line.branch);
      run.code.commit_time = line.commit_time;
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

  RosterIndex RosterOf() {
    const auto [place, fresh] = rosters_.try_emplace(roster_, 0);
    if (fresh) place->second = judge_.AddRoster(roster_);
    return place->second;
  }

  Judge& judge_;
  std::string key_;
  std::unordered_map<std::string, RunIndex> runs_;
  std::unordered_map<std::string, TestId> tests_;
  std::map<std::vector<TestId>, RosterIndex> rosters_;
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
    ResultsFile file(path);
    while (const std::optional<ResultsLine> line = file.Next()) reader.Read(*line);
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
