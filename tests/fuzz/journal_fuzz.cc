// SPDX-License-Identifier: MIT
#include <algorithm>

#include "history/digest.h"
#include "history/text.h"
#include "spool/journal_parser.h"
#include "spool/record_of.h"
#include "spool/spool_files.h"
#include "tests/fuzz/fuzz.h"

namespace flaky::fuzz {
namespace {

// Parses the journal in pieces of one size.
Journal ParseInPieces(std::string_view bytes, size_t piece) {
  FailureBudget budget;
  JournalParser parser(budget);
  while (!bytes.empty() && parser.Add(bytes.substr(0, piece))) bytes.remove_prefix(std::min(piece, bytes.size()));
  return parser.Finish();
}

RunRecord Recorded(const std::vector<Journal>& journals) {
  return RecordOf("run", "part", journals, {.project = "fuzz", .root = "/src"});
}

}  // namespace

// The journals of one part.
void CheckInput(std::string_view input) {
  std::vector<Journal> journals;
  for (const std::string_view bytes : PartsOf(input)) {
    try {
      journals.push_back(ParseJournal(bytes));
    } catch (const JournalError&) {
      continue;
    }
    const Journal& whole = journals.back();
    Require(IsId(whole.journal_id) && IsId(whole.process_run_id), "ids are hexadecimal");
    Require(IsStorable(whole.cwd) && IsStorable(whole.last_test), "texts are storable");
    const size_t piece = 1 + bytes.size() % 61;
    Require(DigestOf(Recorded({whole})) == DigestOf(Recorded({ParseInPieces(bytes, piece)})),
            "a journal in pieces is the same journal");
    EndsWithEndLine(bytes);
  }
  if (journals.empty()) return;
  const RunRecord record = Recorded(journals);
  RequireSound(record);
  std::ranges::reverse(journals);
  Require(DigestOf(Recorded(journals)) == DigestOf(record), "the order of the journals does not matter");
}

}  // namespace flaky::fuzz
