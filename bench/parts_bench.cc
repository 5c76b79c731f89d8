// SPDX-License-Identifier: MIT

// Measures the functions that copies, deliveries and judgements consist of. One iteration is one record or one journal.

#include <benchmark/benchmark.h>

#include <string>
#include <vector>

#include "history/digest.h"
#include "history/merge.h"
#include "history/part_tests.h"
#include "history/text.h"
#include "spool/journal_parser.h"
#include "tests/support/generate_history.h"

namespace flaky {
namespace {

std::vector<RunRecord> SomeRecords() {
  HistoryShape shape;
  shape.runs = 200;
  return GenerateHistory(shape);
}

void DigestRecord(benchmark::State& state) {
  const std::vector<RunRecord> records = SomeRecords();
  size_t at = 0;
  for (auto _ : state) benchmark::DoNotOptimize(DigestOf(records[at++ % records.size()]));
}
BENCHMARK(DigestRecord);

void MergeAPartMore(benchmark::State& state) {
  const RunRecord known = SomeRecords().front();
  RunRecord incoming = known;
  incoming.parts.clear();
  incoming.failures.clear();
  Part part;
  part.part_id = "another";
  part.account = known.run.account;
  incoming.parts.push_back(part);
  for (auto _ : state) benchmark::DoNotOptimize(MergeRecords(known, incoming));
}
BENCHMARK(MergeAPartMore);

void RosterOf2000Tests(benchmark::State& state) {
  ProgramTests tests;
  for (int i = 0; i < 2000; ++i) tests["Suite" + std::to_string(i % 50) + ".Test" + std::to_string(i)] = {{1, 0}, i};
  const PartTests programs = {{"engine_test", tests}};
  Part part;
  for (auto _ : state) benchmark::DoNotOptimize(SetPartTests(part, programs));
}
BENCHMARK(RosterOf2000Tests);

void StorableText(benchmark::State& state) {
  const std::string text(static_cast<size_t>(state.range(0)), 'x');
  for (auto _ : state) benchmark::DoNotOptimize(IsStorable(text));
  state.SetBytesProcessed(state.iterations() * state.range(0));
}
BENCHMARK(StorableText)->Arg(2000)->Arg(65'536);

void ParseJournalOfTests(benchmark::State& state) {
  std::string journal =
      R"({"flaky_journal":1,"journal_id":"0123456789abcdef0123456789abcdef","process_run_id":"0123456789abcdef0123456789abcdef",)"
      R"("pid":1,"pid_seen":"1","boot_id":"b","host":"h","pid_ns":"1","started_us":1700000000000000,"cwd":"/","args":["t"]})"
      "\n";
  for (int64_t i = 0; i < state.range(0); ++i) {
    journal += "[\"Suite" + std::to_string(i % 50) + ".Test" + std::to_string(i) + "\"," + std::to_string(i) + "," +
               std::to_string(i * 10) + ",\"passed\",5]\n";
  }
  for (auto _ : state) benchmark::DoNotOptimize(ParseJournal(journal));
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(journal.size()));
}
BENCHMARK(ParseJournalOfTests)->Arg(1)->Arg(10'000);

}  // namespace
}  // namespace flaky
