// SPDX-License-Identifier: MIT
#ifndef FLAKY_TESTS_FUZZ_CANNED_CLIENT_H_
#define FLAKY_TESTS_FUZZ_CANNED_CLIENT_H_

#include <string_view>
#include <vector>

// Replaces http::Client (stores/http/client.h) when a harness is linked, so that the stores that speak HTTP get their
// answers from the input.
namespace flaky::fuzz {

// The token with which the harnesses open their stores.
inline constexpr char kToken[] = "T0kenOfTheFuzzer";

// The next requests get these answers, in order. An answer is `STATUS BODY`; without a status it is 200. The request
// after the last answer fails, as if the connection had been lost. The texts must outlive the requests.
void SetAnswers(std::vector<std::string_view> answers);

}  // namespace flaky::fuzz

#endif  // FLAKY_TESTS_FUZZ_CANNED_CLIENT_H_
