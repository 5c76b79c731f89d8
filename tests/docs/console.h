#ifndef FLAKY_TESTS_DOCS_CONSOLE_H_
#define FLAKY_TESTS_DOCS_CONSOLE_H_

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

namespace flaky {

std::string ReadFile(const std::filesystem::path& path);

// Runs the commands of all blocks of a document that are marked `console`, one after the other in one shell. The shell
// starts in the folder of a small project `shop` that contains the example's test program, with an empty home and
// without the user's settings. Expects each command to succeed and to print what the document says. Values that change
// from run to run (ids, times, durations, rates, digests, the home folder) are compared only by their form.
// `stand_ins`: pairs of a name in the document and the value that replaces it here. `before`: commands that run first
// and must print nothing.
void ExpectDocumentIsTrue(const std::string& document,
                          const std::vector<std::pair<std::string, std::string>>& stand_ins = {},
                          const std::string& before = "");

}  // namespace flaky

#endif  // FLAKY_TESTS_DOCS_CONSOLE_H_
