// SPDX-License-Identifier: MIT
#include "analysis/new_patterns.h"

#include <algorithm>
#include <limits>
#include <map>
#include <set>
#include <utility>

namespace flaky {
namespace {

constexpr Timestamp kNever = {std::numeric_limits<int64_t>::min()};

// The latest text so far. Of two texts with the same time, it is the greater one, so that the order of arrival does not
// matter.
struct LatestText {
  Timestamp at = kNever;
  std::optional<std::string> text;
  std::vector<FailureId> announced;  // failures of that time whose texts have not been added yet

  void Offer(Timestamp when, std::optional<std::string_view> offered) {
    if (!offered || when < at || (when == at && text && *offered <= *text)) return;
    at = when;
    text.emplace(*offered);
  }
  void Announce(std::optional<std::string_view> placeholder, const FailureView& failure) {
    if (!placeholder || failure.failed_at < at) return;
    if (failure.failed_at > at) announced.clear();
    at = failure.failed_at;
    announced.push_back({std::string(failure.run_id), failure.id});
  }
};

struct Tally {
  int64_t recent = 0;
  std::set<std::string, std::less<>> kinds;
  LatestText message;
  LatestText stack;
  Timestamp last_failed_at = kNever;
};

struct TestKey {
  std::string file;
  std::string name;
};
using TestKeyView = std::pair<std::string_view, std::string_view>;

struct TestKeyLess {
  using is_transparent = void;
  static TestKeyView View(const TestKey& key) { return {key.file, key.name}; }
  static TestKeyView View(const TestKeyView& view) { return view; }
  bool operator()(const auto& a, const auto& b) const { return View(a) < View(b); }
};

}  // namespace

class NewPatternFinder::Impl {
 public:
  explicit Impl(const NewPatternRule& rule)
      : threshold_(rule.threshold), horizon_(rule.Horizon()), border_(rule.now - rule.window_days * kMicrosPerDay) {}

  void Add(const FailureView& failure) {
    if (Tally* tally = Count(failure)) OfferTexts(*tally, failure);
  }

  void AddWithoutTexts(const FailureView& failure) {
    Tally* tally = Count(failure);
    if (tally == nullptr) return;
    tally->message.Announce(failure.error_message, failure);
    tally->stack.Announce(failure.error_stack, failure);
  }

  std::vector<FailureId> TextsWanted() const {
    std::set<FailureId> ids;
    for (const auto& [key, tally] : tallies_) {
      if (!IsReported(tally)) continue;
      ids.insert(tally->message.announced.begin(), tally->message.announced.end());
      ids.insert(tally->stack.announced.begin(), tally->stack.announced.end());
    }
    return {ids.begin(), ids.end()};
  }

  void AddTexts(const FailureView& failure) {
    if (auto& tally = TallyOf({failure.test_file, failure.test_name})) OfferTexts(*tally, failure);
  }

  std::vector<NewPattern> Find() const {
    std::vector<NewPattern> found;
    for (const auto& [key, tally] : tallies_) {
      if (!IsReported(tally)) continue;
      found.push_back({.test_file = key.file,
                       .test_name = key.name,
                       .recent = tally->recent,
                       .kinds = {tally->kinds.begin(), tally->kinds.end()},
                       .last_message = tally->message.text,
                       .last_stack = tally->stack.text,
                       .last_failed_at = tally->last_failed_at});
    }
    std::stable_sort(found.begin(), found.end(),
                     [](const NewPattern& a, const NewPattern& b) { return a.recent > b.recent; });
    return found;
  }

 private:
  // Returns null if the failure does not matter, or if its test has a prior failure.
  Tally* Count(const FailureView& failure) {
    if (!failure.run_ended || !failure.run_failed_tests) return nullptr;
    if (*failure.run_failed_tests >= NewPatternRule::kTooManyFailedTests) return nullptr;
    if (failure.failed_at <= horizon_) return nullptr;

    std::optional<Tally>& tally = TallyOf({failure.test_file, failure.test_name});
    if (failure.failed_at <= border_) tally.reset();
    if (!tally) return nullptr;
    ++tally->recent;
    if (!tally->kinds.contains(failure.failure_kind)) tally->kinds.emplace(failure.failure_kind);
    tally->last_failed_at = std::max(tally->last_failed_at, failure.failed_at);
    return &*tally;
  }

  static void OfferTexts(Tally& tally, const FailureView& failure) {
    tally.message.Offer(failure.failed_at, failure.error_message);
    tally.stack.Offer(failure.failed_at, failure.error_stack);
  }

  bool IsReported(const std::optional<Tally>& tally) const { return tally && tally->recent >= threshold_; }

  std::optional<Tally>& TallyOf(const TestKeyView& test) {
    auto place = tallies_.lower_bound(test);
    if (place == tallies_.end() || TestKeyLess::View(place->first) != test) {
      place = tallies_.emplace_hint(place, TestKey{std::string(test.first), std::string(test.second)}, Tally());
    }
    return place->second;
  }

  int64_t threshold_;
  Timestamp horizon_;
  Timestamp border_;  // the last time of the prior window; the recent window begins after it
  // Absent if the test has a prior failure: then none of its failures matters.
  std::map<TestKey, std::optional<Tally>, TestKeyLess> tallies_;
};

NewPatternFinder::NewPatternFinder(const NewPatternRule& rule) : impl_(std::make_unique<Impl>(rule)) {}
NewPatternFinder::~NewPatternFinder() = default;
void NewPatternFinder::Add(const FailureView& failure) { impl_->Add(failure); }
void NewPatternFinder::AddWithoutTexts(const FailureView& failure) { impl_->AddWithoutTexts(failure); }
std::vector<FailureId> NewPatternFinder::TextsWanted() const { return impl_->TextsWanted(); }
void NewPatternFinder::AddTexts(const FailureView& failure) { impl_->AddTexts(failure); }
std::vector<NewPattern> NewPatternFinder::Find() const { return impl_->Find(); }

}  // namespace flaky
