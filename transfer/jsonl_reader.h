// SPDX-License-Identifier: MIT
#ifndef FLAKY_TRANSFER_JSONL_READER_H_
#define FLAKY_TRANSFER_JSONL_READER_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "transfer/jsonl_format.h"
#include "transfer/source.h"

namespace flaky {

// Reads the runs of a file in the format of docs/reference/jsonl.md, which may be compressed. Holds one run and one
// line at a time, and the rosters to which parts may refer.
//
// A run is returned only after all of it was read and matches its digest, if it has one. For any problem with the file,
// including an end that is missing or does not match, it throws StoreError, which names the file, the line and the
// reason. The kind is kInvalid, or kSchemaTooNew for a newer major version. The runs that were returned before the
// error are correct, but not all.
//
// A run id may occur again in a later batch. The target merges the two, as it does with any two deliveries.
class JsonlReader : public Source {
 public:
  // `file`: a path, or `-` for standard input. Reads the header. Throws StoreError.
  explicit JsonlReader(const std::string& file, size_t max_line_bytes = kMaxJsonlLine);
  ~JsonlReader() override;

  const std::string& name() const override;
  std::optional<Totals> Expected() override { return std::nullopt; }
  std::optional<Batch> Next(const BatchLimits& limits) override;

  // Returns what a file of a newer minor version contained that this program does not know ("field 'colour' of a run"),
  // and how often. None of it is in the records. Digests cover it, so they are not compared for such a file.
  const std::map<std::string, int64_t>& unknown() const;

  // Return the version that the file names, and whether it is a newer minor version.
  const std::string& version() const;
  bool newer() const;

  // Cover all runs that were read completely.
  const Totals& totals() const;
  const Digest& digest() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace flaky

#endif  // FLAKY_TRANSFER_JSONL_READER_H_
