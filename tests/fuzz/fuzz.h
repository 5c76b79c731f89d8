// SPDX-License-Identifier: MIT
#ifndef FLAKY_TESTS_FUZZ_FUZZ_H_
#define FLAKY_TESTS_FUZZ_FUZZ_H_

#include <string>
#include <string_view>
#include <vector>

#include "history/run.h"
#include "transfer/unique_fd.h"

// What the harnesses share. A harness `x_fuzz.cc` defines CheckInput. It catches only the exceptions that the header of
// the code under test documents; any other one ends the program, and so does a property that does not hold.
// CONTRIBUTING.md says how to run them.
namespace flaky::fuzz {

// Runs the code under test with an input, which may be any bytes, and checks what comes out.
void CheckInput(std::string_view input);

// Ends the program, with the property's text, unless it holds.
void Require(bool holds, std::string_view property);

// Returns the parts of an input between lines that consist of a `%`.
std::vector<std::string_view> PartsOf(std::string_view input);

// Requires that the text has no control characters, so that it can be part of a sentence.
void RequireOneLine(std::string_view text);

// Requires that all texts of the record are storable (history/text.h).
void RequireStorable(const RunRecord& record);

// Requires that a store accepts the record, that merging it with itself changes nothing, and that it is the same after
// it was written as JSON lines and read again.
void RequireSound(const RunRecord& record);

// An input as a file, in memory.
class InputFile {
 public:
  explicit InputFile(std::string_view content);
  // The file belongs to this user, and other users cannot read it.
  const std::string& path() const { return path_; }

 private:
  UniqueFd descriptor_;
  std::string path_;
};

}  // namespace flaky::fuzz

#endif  // FLAKY_TESTS_FUZZ_FUZZ_H_
