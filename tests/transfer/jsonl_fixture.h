// SPDX-License-Identifier: MIT
#ifndef FLAKY_TESTS_TRANSFER_JSONL_FIXTURE_H_
#define FLAKY_TESTS_TRANSFER_JSONL_FIXTURE_H_

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/support/journal_text.h"
#include "tests/support/record_builder.h"
#include "tests/support/temp_folder.h"
#include "transfer/compression.h"
#include "transfer/jsonl_reader.h"
#include "transfer/jsonl_writer.h"

namespace flaky {

inline std::string Written(const std::vector<RunRecord>& records, Compression compression = Compression::kNone) {
  std::string bytes;
  const auto encoder = MakeEncoder(compression, [&](std::string_view more) { bytes += more; });
  JsonlWriter writer({"flaky 9.9.9", "sqlite:/x/h.db", At(0)}, [&](std::string_view more) { encoder->Write(more); });
  for (const RunRecord& record : records) writer.Write({&record, 1});
  writer.Finish();
  encoder->Finish();
  return bytes;
}

inline std::vector<std::string> LinesOf(const std::string& text) {
  std::vector<std::string> lines;
  for (size_t at = 0; at < text.size();) {
    const size_t end = text.find('\n', at);
    lines.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return lines;
}

inline std::string Joined(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += line + '\n';
  return text;
}

class JsonlTest : public testing::Test {
 protected:
  std::string Put(const std::string& bytes) const {
    std::filesystem::remove(folder_.File("h.jsonl"));  // some file systems wait for the disk when a file is overwritten
    WriteWholeFile(folder_.File("h.jsonl"), bytes);
    return folder_.File("h.jsonl");
  }
  std::vector<RunRecord> ReadAll(const std::string& bytes) const {
    JsonlReader reader(Put(bytes));
    std::vector<RunRecord> records;
    while (std::optional<Batch> batch = reader.Next({})) {
      for (RunRecord& record : batch->records) records.push_back(std::move(record));
    }
    return records;
  }
  // Returns the error for a file that is refused; empty if it is read.
  std::string Refusal(const std::string& bytes, ErrorKind kind = ErrorKind::kInvalid) const {
    try {
      ReadAll(bytes);
    } catch (const StoreError& error) {
      EXPECT_EQ(error.kind(), kind) << error.what();
      EXPECT_THAT(error.what(), testing::HasSubstr(folder_.File("h.jsonl")));
      return error.what();
    }
    return "";
  }

  TempFolder folder_;
};

}  // namespace flaky

#endif  // FLAKY_TESTS_TRANSFER_JSONL_FIXTURE_H_
