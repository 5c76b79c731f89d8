// SPDX-License-Identifier: MIT
#ifndef FLAKY_TRANSFER_JSONL_WRITER_H_
#define FLAKY_TRANSFER_JSONL_WRITER_H_

#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "history/digest.h"
#include "stores/store.h"
#include "transfer/jsonl_format.h"
#include "transfer/roster_window.h"

namespace flaky {

// Writes runs in the format of docs/reference/jsonl.md, in constant memory.
class JsonlWriter {
 public:
  struct Origin {
    std::string program;  // "flaky 1.2.3"
    std::string source;   // of the runs, without secrets
    Timestamp written_at;
  };

  // `out` receives the bytes, in pieces. Its exceptions pass through each function. Writes the header.
  JsonlWriter(const Origin& origin, std::function<void(std::string_view)> out);

  // Throws StoreError (kInvalid), which names the run, if the format cannot hold it: a text is not UTF-8 or has a NUL,
  // a row is larger than kMaxJsonlLine, or a roster is missing or damaged. Do not call any function after that.
  void Write(std::span<const RunRecord> records);

  // Writes the footer. Called once, after the last Write.
  void Finish();

  // Cover everything that was written.
  const Totals& totals() const { return totals_; }
  const Digest& digest() const { return digest_; }

 private:
  void WriteRecord(const RunRecord& record);
  // Writes the lines of the part's roster that the reader will not remember.
  void WriteRoster(const RunRecord& record, const std::string& roster_id);
  void WriteRosterLine(const RunRecord& record, RosterPtr roster, std::vector<std::string> lists);
  void EndLine(size_t begin, const std::string& run_id);
  void Flush(size_t at_least);

  const std::string source_;
  std::function<void(std::string_view)> out_;
  std::string buffer_;
  RosterWindow rosters_;
  Totals totals_;
  Digest digest_;
};

}  // namespace flaky

#endif  // FLAKY_TRANSFER_JSONL_WRITER_H_
