// SPDX-License-Identifier: MIT
#include <algorithm>
#include <memory>
#include <optional>
#include <ostream>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "analysis/left_out.h"
#include "analysis/within_run.h"
#include "cli/find_run.h"
#include "cli/judged_run.h"
#include "cli/output/early_end_text.h"
#include "cli/output/escaped.h"
#include "cli/output/json_output.h"
#include "cli/output/run_text.h"
#include "cli/output/table.h"
#include "cli/output/time_text.h"
#include "cli/show.h"
#include "history/json_object.h"
#include "history/part_tests.h"
#include "report/verdict_text.h"

namespace flaky {
namespace {

std::string AllTestsText(const Account& account) {
  std::string text = CountText(account.total_tests);
  if (account.passed_tests && account.failed_tests) {
    text += " (" + CountText(account.passed_tests) + " passed, " + CountText(account.failed_tests) + " failed";
    const int64_t rest = account.total_tests.value_or(0) - *account.passed_tests - *account.failed_tests;
    if (rest > 0) text += ", " + std::to_string(rest) + " skipped or not run";
    text += ")";
  }
  if (account.missing_tests.value_or(0) > 0) text += ", " + CountText(account.missing_tests) + " more have no result";
  if (account.errors_between_tests.value_or(0) > 0) {
    text += ", " + CountText(account.errors_between_tests) + " errors between tests";
  }
  return text;
}

void PrintRun(const RunRecord& record, const Session& session) {
  const Run& run = record.run;
  const auto line = [&](std::string_view title, const std::optional<std::string>& text) {
    if (text) session.out << title << std::string(12 - title.size(), ' ') << Escaped(*text) << '\n';
  };
  const Account& account = run.account;
  const Cell status = StatusCell(account, EarlyStatus(account, record.parts));
  line("run", run.run_id);
  line("project", run.project.value_or("-"));
  session.out << "status      " << Styled(Escaped(status.text), status.style, session.color) << '\n';
  line("tests", AllTestsText(account));
  line("started", TimeText(account.started_at) + " UTC");
  if (account.ended_at) line("ended", TimeText(*account.ended_at) + " UTC");
  line("duration", DurationText(account));
  if (run.git_sha) line("commit", *run.git_sha + (run.git_dirty.value_or(false) ? ", files differed from it" : ""));
  if (run.commit_at) line("committed", TimeText(*run.commit_at) + " UTC");
  line("tree", run.tree_sha);
  line("edited tree", run.edited_tree);
  line("merge base", run.merge_base);
  line("branch", run.branch);
  line("runtime", run.runtime_version);
  line("arguments", run.test_args);
  line("ci", run.ci_url);
}

void PrintParts(const std::vector<Part>& parts, const Session& session) {
  Table table({{.title = "PART"},
               {.title = "STARTED (UTC)"},
               {.title = "VARIANT", .max_width = 20},
               {.title = "SHARD"},
               {.title = "STATUS", .max_width = 12},
               {.title = "TESTS", .align = Align::kRight},
               {.title = "FAILED", .align = Align::kRight},
               {.title = "ERRORS", .align = Align::kRight},
               {.title = "DURATION", .align = Align::kRight}});
  for (const Part& part : parts) {
    const Account& account = part.account;
    table.Add({CutToWidth(Escaped(part.part_id), 9), TimeText(account.started_at), part.variant.value_or("-"),
               part.shard.value_or("-"), StatusCell(account, EarlyStatus(account, std::span(&part, 1))),
               TestsText(account), CountText(account.failed_tests), CountText(account.errors_between_tests),
               DurationText(account)});
  }
  session.out << "\nparts (" << parts.size() << ")\n";
  table.Print(session.out, session.color);
}

void PrintFlaky(const std::vector<FlakyWithinRun>& tests, const Session& session) {
  session.out << "\nflaky in this run (" << tests.size() << ")\n";
  Table table({{.title = "FAILED", .align = Align::kRight},
               {.title = "PASSED", .align = Align::kRight},
               {.title = "TEST", .max_width = 60},
               {.title = "PROGRAM", .max_width = 30},
               {.title = "FILE"}});
  for (const FlakyWithinRun& test : tests) {
    table.Add({std::to_string(test.failed), std::to_string(test.passed), Cell(Escaped(test.test_name), Style::kBad),
               test.program.empty() ? "-" : Escaped(test.program), Escaped(test.test_file)});
  }
  table.Print(session.out, session.color);
}

void PrintEarlyEnds(const std::vector<EarlyEnd>& ends, const Session& session) {
  session.out << "\nended early (" << ends.size() << ")\n";
  for (const EarlyEnd& end : ends) {
    session.out << Styled(Escaped(EarlyEndName(end)), Style::kBad, session.color);
    if (!end.test.empty() && !end.program.empty()) session.out << "  in " << Escaped(end.program);
    session.out << "\n  " << Escaped(EarlyEndPhrase(end));
    session.out << '\n';
  }
}

// Prints every line of the text, indented by four blanks.
void PrintIndented(std::string_view text, std::ostream& out) {
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    out << "    " << Escaped(text.substr(0, end)) << '\n';
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

void PrintJudged(const JudgedFailure& judged, std::ostream& out) {
  out << "  fault of " << judged.fault.Words();
  if (judged.verdict != nullptr) out << "; " << Escaped(HistoryText(*judged.verdict));
  out << '\n';
}

// Prints the failures of tests, or those outside of tests. `judged` may be absent.
void PrintFailures(const std::vector<Failure>& failures, bool outside, const std::optional<JudgedRun>& judged,
                   const Session& session) {
  const auto is_listed = [&](const Failure& failure) { return IsOutsideTests(failure) == outside; };
  const auto count = std::ranges::count_if(failures, is_listed);
  if (count == 0) return;
  session.out << (outside ? "\nfailures outside of tests (" : "\nfailures (") << count << ")\n";
  for (const Failure& failure : failures) {
    if (!is_listed(failure)) continue;
    std::ostream& out = session.out;
    out << Styled(Escaped(failure.test_name), Style::kBad, session.color) << "  " << Escaped(failure.test_file);
    if (failure.line) out << ':' << *failure.line;
    if (failure.program) out << "  " << Escaped(*failure.program);
    if (failure.parameter) out << "  with " << Escaped(*failure.parameter);
    out << "\n  " << Escaped(failure.failure_kind) << ", " << TimeText(failure.failed_at) << " UTC";
    if (failure.attempt.value_or(0) > 0) out << ", attempt " << *failure.attempt + 1;
    if (failure.duration_ms) out << ", after " << Duration(*failure.duration_ms);
    if (failure.signal) out << ", " << Escaped(*failure.signal);
    if (failure.preceding_test) out << ", after " << Escaped(*failure.preceding_test);
    if (failure.shuffle_seed) out << ", shuffled with seed " << *failure.shuffle_seed;
    out << '\n';
    if (const JudgedFailure* const fault = judged ? judged->Of(failure) : nullptr) PrintJudged(*fault, out);
    PrintIndented(failure.error_message.value_or(""), out);
    PrintIndented(failure.error_stack.value_or(""), out);
  }
}

// Returns a text of the history that is to be JSON beginning with `begin`, in one line; `null` if it is something else.
std::string_view JsonOrNull(std::string_view text, char begin) {
  const auto is_control = [](unsigned char c) { return c < 0x20; };
  const bool valid = text.starts_with(begin) && std::ranges::none_of(text, is_control) && Json::accept(text);
  return valid ? text : "null";
}

// Returns the part's tests by program and name, as one JSON object in one line; `null` if they are not known.
std::string TestsAsJson(const Part& part, const RunRecord& record) {
  if (!part.roster_id) return "null";
  PartTests programs;
  try {
    programs = TestsOf(part, record.rosters);
  } catch (const std::invalid_argument&) {  // damaged
    return "null";
  }
  JsonObject all;
  for (const auto& [program, tests] : programs) {
    JsonObject of_program;
    for (const auto& [name, test] : tests) {
      JsonObject facts;
      facts.Add("executed", std::to_string(test.counts.executed));
      facts.Add("skipped", std::to_string(test.counts.skipped));
      if (test.duration_us) facts.Add("duration_us", std::to_string(*test.duration_us));
      of_program.Add(name, facts.Take());
    }
    all.Add(program, of_program.Take());
  }
  return all.Take();
}

// Prints each part with its tests as one text: a run may have very many tests.
void PrintPartsAsJson(const RunRecord& record, JsonPrinter& printer) {
  printer.BeginList("parts");
  for (const Part& part : record.parts) {
    Json json = ToJson(part);
    for (const char* text_of_tests : {"ended_early", "executions", "durations"}) json.erase(text_of_tests);
    const std::string tests = TestsAsJson(part, record);
    printer.Element(json, {{"ended_early", JsonOrNull(part.ended_early.value_or(""), '[')}, {"tests", tests}});
  }
  printer.EndList();
}

void PrintAsJson(const RunRecord& record, const std::vector<FlakyWithinRun>& flaky,
                 const std::optional<JudgedRun>& judged, std::ostream& out) {
  JsonPrinter printer(out);
  printer.Member("run", ToJson(record.run));
  printer.BeginList("flaky");
  for (const FlakyWithinRun& test : flaky) {
    printer.Element({{"program", test.program},
                     {"test_file", test.test_file},
                     {"test_name", test.test_name},
                     {"failed_attempts", test.failed},
                     {"passed_attempts", test.passed}});
  }
  printer.EndList();
  PrintPartsAsJson(record, printer);
  printer.BeginList("failures");
  for (const Failure& failure : record.failures) {
    Json json = ToJson(failure);
    json["outside_tests"] = IsOutsideTests(failure);
    const JudgedFailure* const fault = judged ? judged->Of(failure) : nullptr;
    json["fault"] = fault == nullptr ? Json() : FaultJson(*fault);
    printer.Element(json);
  }
  printer.EndList();
}

}  // namespace

void ShowRun(Session& session, Store& store, const RunChoice& choice, const JudgeRequest& request) {
  const std::optional<RunRecord> found = ReadRun(store, session, choice);
  if (!found) return;
  const RunRecord& record = *found;
  const std::vector<FlakyWithinRun> flaky = FindFlakyWithin(record);
  std::optional<JudgedRun> judged;
  const auto is_of_test = [](const Failure& failure) { return !IsOutsideTests(failure); };
  if (std::ranges::any_of(record.failures, is_of_test)) judged.emplace(session, store, record, request);
  if (choice.json) return PrintAsJson(record, flaky, judged, session.out);
  PrintRun(record, session);
  if (!record.parts.empty()) PrintParts(record.parts, session);
  if (const auto ends = EarlyEndsOf(record.parts); !ends.empty()) PrintEarlyEnds(ends, session);
  if (!flaky.empty()) PrintFlaky(flaky, session);
  PrintFailures(record.failures, /*outside=*/false, judged, session);
  PrintFailures(record.failures, /*outside=*/true, judged, session);
}

}  // namespace flaky
