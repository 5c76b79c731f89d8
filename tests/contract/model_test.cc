// Random writes and reads, on all stores of this build and on the one in memory: for records written in any order and
// split, and for any query, all stores return the same. Repeat a failed round with the FLAKY_TEST_SEED in its message
// and FLAKY_TEST_ROUNDS=1.

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <string_view>
#include <tuple>

#include "stores/memory/memory_store.h"
#include "tests/contract/contract.h"
#include "tests/contract/random_history.h"
#include "tests/support/fresh_store.h"
#include "tests/support/soak.h"

namespace flaky {
namespace {

constexpr int kSteps = 60;

// One history, opened twice: the reader has seen earlier states than the writer.
struct Subject {
  std::string name;
  std::function<std::unique_ptr<Store>(OpenMode)> open;
  std::unique_ptr<Store> writer = open(OpenMode::kWrite);
  std::unique_ptr<Store> reader = open(OpenMode::kRead);
};

std::string Hex(std::string_view text) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string hex;
  for (const unsigned char byte : text) {
    if (byte > 0x20 && byte < 0x7f && byte != '<') {
      hex += static_cast<char>(byte);
    } else {
      hex += {'<', kDigits[byte >> 4], kDigits[byte & 15], '>'};
    }
  }
  return hex;
}

// A run with the digest of its record.
std::string Brief(const RunRecord& record) { return Hex(record.run.run_id) + " " + DigestOf(record).ToString(); }

std::vector<std::string> Brief(const std::vector<RunRecord>& records) {
  std::vector<std::string> lines;
  for (const RunRecord& record : records) lines.push_back(Brief(record));
  return lines;
}

// Everything that a store reports about a failure, except its id.
std::string Brief(const FailureView& view) {
  Failure failure;
  failure.test_file = view.test_file;
  failure.test_name = view.test_name;
  failure.failure_kind = view.failure_kind;
  failure.error_message = view.error_message;
  failure.error_stack = view.error_stack;
  failure.failed_at = view.failed_at;
  return Hex(view.run_id) + (view.run_ended ? " ended " : " running ") +
         (view.run_failed_tests ? std::to_string(*view.run_failed_tests) : "unknown") + " " +
         view.failed_at.ToString() + " " + DigestOf(failure).ToString();
}

// For two long lists, shows only the first difference.
template <typename Answer>
testing::AssertionResult IsSame(const Answer& found, const Answer& expected) {
  if (found == expected) return testing::AssertionSuccess();
  if constexpr (requires { found.size(); }) {
    const auto [a, b] = std::ranges::mismatch(found, expected);
    const auto text = [](const auto& at, const auto& end) {
      return at == end ? "the end" : testing::PrintToString(*at);
    };
    return testing::AssertionFailure() << found.size() << " against " << expected.size() << ", first different at "
                                       << std::distance(found.begin(), a) << ": " << text(a, found.end()) << " against "
                                       << text(b, expected.end());
  } else {
    return testing::AssertionFailure() << testing::PrintToString(found) << " against "
                                       << testing::PrintToString(expected);
  }
}

std::string Describe(const RunFilter& filter) {
  std::string text;
  if (filter.project) text += " of project '" + Hex(filter.project->value_or("(none)")) + "'";
  if (filter.since) text += " since " + std::to_string(filter.since->micros);
  if (filter.until) text += " until " + std::to_string(filter.until->micros);
  return text;
}

std::string Describe(const PageRequest& request) {
  std::string text = Describe(request.filter);
  if (request.after) {
    text += " after " + request.after->started_at.ToString() + " '" + Hex(request.after->run_id) + "'";
  }
  return text + (request.direction == Direction::kOldestFirst ? " oldest first" : " newest first") + ", by " +
         std::to_string(request.max_records) + " or " + std::to_string(request.max_bytes) + " bytes";
}

// How many records written to the store in memory had each outcome.
using Outcomes = std::map<WriteResult::Outcome, long long>;

class Round {
 public:
  // `seen` counts the outcomes of the records.
  Round(uint64_t seed, Outcomes& seen) : history_(seed), random_(history_.random()), seen_(seen) {
    const auto memory = MakeMemoryHistory();
    subjects_.push_back({"memory", [memory](OpenMode mode) { return OpenMemory(memory, mode); }});
    for (const StoreKind& kind : StoreKinds()) {
      const FreshStore fresh = kind.make();
      subjects_.push_back({kind.name, [fresh](OpenMode mode) { return fresh.Open(mode); }});
    }
  }

  void Step() {
    switch (random_.Below(12)) {
      case 0:
        return Reopen();
      case 1:
        return WriteRefused();
      case 2:
      case 3:
        return ReadPages();
      case 4:
        return Fetch();
      case 5:
        return FindRuns();
      case 6:
        return Count();
      case 7:
        return VisitFailures();
      default:
        return Write();
    }
  }

  // Compares everything, as a newly opened reader finds it.
  void CompareAll() {
    for (Subject& subject : subjects_) subject.reader = subject.open(OpenMode::kRead);
    use_reader_ = true;
    Compare("everything", [&](Store& store) { return Brief(ReadAll(store, {})); });
    Compare("the count", [&](Store& store) { return Numbers(store.Count({})); });
    CompareRecords(AllIds());
  }

 private:
  Store& StoreOf(Subject& subject) { return use_reader_ ? *subject.reader : *subject.writer; }

  // Asks all stores the same. The answer of the one in memory is the expected one.
  template <typename Ask>
  void Compare(const std::string& what, Ask&& ask) {
    const auto expected = ask(StoreOf(subjects_.front()));
    for (size_t i = 1; i < subjects_.size(); ++i) {
      EXPECT_TRUE(IsSame(ask(StoreOf(subjects_[i])), expected)) << subjects_[i].name << ": " << what;
    }
  }

  void CompareRecords(const std::vector<std::string>& ids) {
    const std::vector<RunRecord> expected = StoreOf(subjects_.front()).Fetch(ids);
    for (size_t i = 1; i < subjects_.size(); ++i) {
      const std::vector<RunRecord> found = StoreOf(subjects_[i]).Fetch(ids);
      EXPECT_EQ(found.size(), expected.size()) << subjects_[i].name;
      for (const RunRecord& record : expected) {
        const auto same = [&](const RunRecord& other) { return other.run.run_id == record.run.run_id; };
        const auto at = std::ranges::find_if(found, same);
        if (at == found.end()) {
          ADD_FAILURE() << subjects_[i].name << ": run '" << Hex(record.run.run_id) << "' is not there";
        } else {
          EXPECT_TRUE(SameRecord(*at, record)) << subjects_[i].name;
        }
      }
    }
  }

  std::vector<std::string> AllIds() {
    return subjects_.front().writer->FindRuns("", std::numeric_limits<size_t>::max());
  }

  static std::tuple<int64_t, int64_t, int64_t> Numbers(const Totals& totals) {
    return {totals.runs, totals.parts, totals.failures};
  }

  void Write() {
    const std::vector<RunRecord> batch = history_.NextBatch();
    use_reader_ = false;
    Compare("what was written", [&](Store& store) {
      std::vector<std::pair<int, std::string>> outcomes;
      for (const WriteResult& result : store.Write(batch)) {
        outcomes.emplace_back(static_cast<int>(result.outcome), result.conflict);
        if (&store == subjects_.front().writer.get()) ++seen_[result.outcome];
      }
      return outcomes;
    });
    use_reader_ = random_.OneIn(2);
    CompareRecords(RunIdsOf(batch));
  }

  // A batch with one invalid record: none of it is written.
  void WriteRefused() {
    std::vector<RunRecord> batch = history_.NextBatch();
    Part part;
    part.part_id = "with a missing roster";
    part.account.started_at = Timestamp{0};
    part.roster_id = std::string(32, '0');
    random_.OneIn(2) ? batch.back().parts.push_back(part) : batch.front().parts.push_back(part);
    for (Subject& subject : subjects_) {
      const Totals before = subject.writer->Count({});
      try {
        subject.writer->Write(batch);
        ADD_FAILURE() << subject.name << " accepted it";
      } catch (const StoreError& error) {
        EXPECT_EQ(error.kind(), ErrorKind::kInvalid) << error.what();
      }
      EXPECT_EQ(Numbers(subject.writer->Count({})), Numbers(before)) << subject.name;
    }
  }

  // As when one program ends and another begins, which sometimes is a copy.
  void Reopen() {
    const OpenMode mode = random_.Of({OpenMode::kWrite, OpenMode::kBulk});
    const bool finish = random_.OneIn(2);
    const bool reader_too = random_.OneIn(2);
    for (Subject& subject : subjects_) {
      if (finish) subject.writer->Finish();
      subject.writer.reset();
      subject.writer = subject.open(mode);
      if (reader_too) subject.reader = subject.open(OpenMode::kRead);
    }
  }

  void ReadPages() {
    const PageRequest request = history_.AnyPageRequest();
    Compare("the runs" + Describe(request), [&](Store& store) { return Brief(ReadAll(store, request)); });
  }

  void Fetch() {
    std::vector<std::string> ids;
    for (size_t count = random_.Below(8); count > 0; --count) ids.push_back(history_.AnyRunId());
    std::ranges::sort(ids);
    ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
    CompareRecords(ids);
  }

  void FindRuns() {
    const std::string prefix = history_.AnyPrefix();
    const size_t limit = random_.Of<size_t>({0, 1, 2, 5, 1000});
    Compare("the runs that begin with '" + Hex(prefix) + "'", [&](Store& store) {
      std::vector<std::string> found;
      for (const std::string& id : store.FindRuns(prefix, limit)) found.push_back(Hex(id));
      return found;
    });
  }

  void Count() {
    const RunFilter filter = history_.AnyRunFilter();
    Compare("the count" + Describe(filter), [&](Store& store) { return Numbers(store.Count(filter)); });
  }

  // Order and ids differ between stores, so all failures are compared first, and then each store with itself.
  void VisitFailures() {
    const FailureFilter filter = history_.AnyFailureFilter();
    const uint64_t choice = random_.Bits();
    Compare("the failures", [&](Store& store) {
      std::vector<std::string> all;
      std::vector<FailureKey> keys;
      store.VisitFailures(filter, [&](const FailureView& view) {
        all.push_back(Brief(view));
        keys.push_back({view.failed_at, view.id});
      });
      if (!all.empty()) {
        const size_t at = static_cast<size_t>(choice % all.size());
        FailureFilter rest = filter;
        rest.behind = keys[at];
        std::vector<std::string> later;
        store.VisitFailures(rest, [&](const FailureView& view) { later.push_back(Brief(view)); });
        EXPECT_EQ(later, std::vector(all.begin() + static_cast<std::ptrdiff_t>(at) + 1, all.end()))
            << store.name() << ": after number " << at;
      }
      std::ranges::sort(all);
      return all;
    });
  }

  RandomHistory history_;
  Random& random_;
  Outcomes& seen_;
  bool use_reader_ = false;
  std::vector<Subject> subjects_;
};

TEST(Model, AllStoresAgree) {
  const char* given = std::getenv("FLAKY_TEST_ROUNDS");
  const int64_t rounds = given != nullptr ? std::atoll(given) : SoakCount(6, 400);
  const uint64_t first = SoakSeed();
  Outcomes seen;
  for (int64_t i = 0; i < rounds; ++i) {
    const uint64_t seed = first + static_cast<uint64_t>(i);
    SCOPED_TRACE("FLAKY_TEST_SEED=" + std::to_string(seed));
    Round round(seed, seen);
    for (int step = 0; step < kSteps; ++step) {
      SCOPED_TRACE("step " + std::to_string(step));
      round.Step();
      if (HasFailure()) return;
    }
    round.CompareAll();
    if (HasFailure()) return;
  }
  using enum WriteResult::Outcome;
  std::printf("[ RECORDS  ] inserted %lld, unchanged %lld, completed %lld, in conflict %lld, in each store\n",
              seen[kInserted], seen[kUnchanged], seen[kCompleted], seen[kConflict]);
  if (rounds == 1) return;
  for (const WriteResult::Outcome outcome : {kInserted, kUnchanged, kCompleted, kConflict}) {
    EXPECT_GT(seen[outcome], 0) << "the generated histories are not varied enough";
  }
}

}  // namespace
}  // namespace flaky
