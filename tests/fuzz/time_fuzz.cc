// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cstring>

#include "history/time.h"
#include "tests/fuzz/fuzz.h"

namespace flaky::fuzz {
namespace {

void CheckTime(Timestamp time) {
  Require(time >= Timestamp::kMin && time <= Timestamp::kMax, "a time is in the years 0000 to 9999");
  const std::string text = time.ToString();
  Require(Timestamp::Parse(text) == time, "a time is the same after writing and reading it");
  Require(text.starts_with(time.Date()), "the date begins the time");
}

}  // namespace

// Times as text; two lines are compared. Then the first bytes are a time as a number.
void CheckInput(std::string_view input) {
  const std::string_view first = input.substr(0, input.find('\n'));
  const std::string_view second = input.substr(std::min(first.size() + 1, input.size()));
  const std::optional<Timestamp> earlier = Timestamp::Parse(first), later = Timestamp::Parse(second);
  if (earlier) CheckTime(*earlier);
  if (later) CheckTime(*later);
  if (earlier && later && earlier->ToString().size() == later->ToString().size()) {
    Require((*earlier < *later) == (earlier->ToString() < later->ToString()), "texts sort in order of time");
  }

  int64_t micros = 0;
  if (input.size() < sizeof micros) return;
  std::memcpy(&micros, input.data(), sizeof micros);
  CheckTime({std::clamp(micros, Timestamp::kMin.micros, Timestamp::kMax.micros)});
}

}  // namespace flaky::fuzz
