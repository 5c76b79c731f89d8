// SPDX-License-Identifier: MIT
#include "stores/error.h"
#include "tests/fuzz/fuzz.h"
#include "transfer/jsonl_reader.h"

namespace flaky::fuzz {

// A file of JSON lines, possibly compressed.
void CheckInput(std::string_view input) {
  constexpr size_t kLongestLine = 1 << 20;
  const InputFile file(input);
  try {
    JsonlReader reader(file.path(), kLongestLine);
    const BatchLimits few{.records = 2};
    while (const std::optional<Batch> batch = reader.Next(few)) {
      Require(!batch->records.empty() && batch->records.size() <= few.records, "a batch has as many as asked for");
      for (const RunRecord& record : batch->records) RequireSound(record);
    }
  } catch (const StoreError& error) {
    Require(error.kind() == ErrorKind::kInvalid || error.kind() == ErrorKind::kSchemaTooNew,
            "a file that is refused is invalid or too new");
    Require(std::string_view(error.what()).find(file.path()) != std::string_view::npos, "an error names the file");
  }
}

}  // namespace flaky::fuzz
