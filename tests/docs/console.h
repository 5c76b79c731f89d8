#ifndef FLAKY_TESTS_DOCS_CONSOLE_H_
#define FLAKY_TESTS_DOCS_CONSOLE_H_

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

namespace flaky {

std::string ReadFile(const std::filesystem::path& path);

// Runs the commands of a document's blocks marked `console`, one after the other in one shell, in the folder of a small
// project `shop` with the example's test program, a home of its own and none of the user's settings; and expects each
// to succeed and to print what the document says. What differs from run to run (ids, times, durations, rates, digests,
// the home folder) is compared by its form. `stand_ins`: what the document calls by the first name is the second here.
void ExpectDocumentIsTrue(const std::string& document,
                          const std::vector<std::pair<std::string, std::string>>& stand_ins = {},
                          const std::string& before = "");

}  // namespace flaky

#endif  // FLAKY_TESTS_DOCS_CONSOLE_H_
