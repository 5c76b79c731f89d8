// SPDX-License-Identifier: MIT
#ifndef FLAKY_TESTS_FUZZ_SERVER_STORE_H_
#define FLAKY_TESTS_FUZZ_SERVER_STORE_H_

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "history/failure_view.h"
#include "history/masked.h"
#include "history/text.h"
#include "stores/error.h"
#include "stores/query.h"
#include "tests/fuzz/canned_client.h"
#include "tests/fuzz/fuzz.h"

namespace flaky::fuzz {

// Asks the reader of a store that speaks HTTP, with the answers of the input. The first character of the input says
// what to ask for. A server may answer anything: the reader gives sound values, or throws StoreError.
template <typename Reader>
void Ask(Reader& reader, char question) {
  const std::vector<std::string> ids = {"r1", "r2"};
  const auto read = [&](Detail detail) {
    PageRequest request{.detail = detail, .max_records = 3};
    for (int pages = 0; pages < 3; ++pages) {
      const Page page = reader.Read(request);
      for (const RunRecord& record : page.records) RequireStorable(record);
      if (!page.next) return;
      request.after = page.next;
    }
  };
  const auto visit = [&](const FailureView& view) {
    Require(IsStorable(view.run_id) && IsStorable(view.test_name) && IsStorable(view.test_file), "texts are storable");
  };
  switch (question) {
    case 'w':
      return read(Detail::kFull);
    case 'r':
      return read(Detail::kRunsOnly);
    case 'i':
      for (const RunRecord& record : reader.Fetch(ids)) RequireStorable(record);
      return;
    case 'f':
      for (const std::string& id : reader.FindRuns("r", 3)) Require(IsStorable(id), "ids are storable");
      return;
    case 'v':
      return reader.VisitFailures({}, visit);
    case 'c':
      reader.Count({});
      return;
    default:
      return;
  }
}

// Runs `ask(question)` for the input.
template <typename Function>
void WithAnswers(std::string_view input, Function&& ask) {
  std::vector<std::string_view> answers = PartsOf(input);
  const char question = input.empty() ? '\0' : input.front();
  answers.front().remove_prefix(std::min<size_t>(1, answers.front().size()));
  SetAnswers(answers);
  ForgetKnownSecrets();
  KeepOutOfMessages(kToken);
  try {
    ask(question);
  } catch (const StoreError& error) {
    RequireOneLine(error.what());
    Require(std::string_view(error.what()).find(kToken) == std::string_view::npos, "a message shows no token");
  }
}

}  // namespace flaky::fuzz

#endif  // FLAKY_TESTS_FUZZ_SERVER_STORE_H_
