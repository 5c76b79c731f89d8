// SPDX-License-Identifier: MIT
#ifndef FLAKY_SETTINGS_SUGGESTIONS_H_
#define FLAKY_SETTINGS_SUGGESTIONS_H_

#include <span>
#include <string>
#include <string_view>

namespace flaky {

// The candidate that `word` is probably a misspelling of: the nearest one by insertions, deletions, substitutions and
// swaps of neighbours, if these are at most a third of its length. Empty when none is that near.
std::string Suggestion(std::string_view word, std::span<const std::string> candidates);

// `; did you mean `check`?`, or nothing.
std::string DidYouMean(std::string_view word, std::span<const std::string> candidates);

}  // namespace flaky

#endif  // FLAKY_SETTINGS_SUGGESTIONS_H_
