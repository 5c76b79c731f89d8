#ifndef FLAKY_TRANSFER_JSONL_READER_H_
#define FLAKY_TRANSFER_JSONL_READER_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "transfer/jsonl_format.h"
#include "transfer/source.h"

namespace flaky {

// The runs of a file in the form of docs/reference/jsonl.md, compressed or not. Holds one run and one line at a time,
// besides the rosters that the format lets parts refer to.
//
// A run is given out only once all of it was read and agrees with its digest, where it has one. Whatever is wrong with
// the file, the end that is missing or disagrees included, is thrown as StoreError kInvalid (kSchemaTooNew: a newer
// major version), which names the file, the line and the reason; what was given out before is sound, but not all.
//
// A run id may come again, in a later batch: the target joins the two as it does with any two deliveries.
class JsonlReader : public Source {
 public:
  // `file`: a path, or `-` for standard input. Reads the header. Throws StoreError.
  explicit JsonlReader(const std::string& file, size_t max_line_bytes = kMaxJsonlLine);
  ~JsonlReader() override;

  const std::string& name() const override;
  std::optional<Totals> Expected() override { return std::nullopt; }
  std::optional<Batch> Next(const BatchLimits& limits) override;

  // What a file of a newer minor version had that this program does not know, by what it is ("field 'colour' of a
  // run"), and how often. None of it is in the records; digests cover it and are not compared.
  const std::map<std::string, int64_t>& unknown() const;

  // The version that the file names, and whether it is a newer minor one.
  const std::string& version() const;
  bool newer() const;

  // Of all runs that were read to their end.
  const Totals& totals() const;
  const Digest& digest() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace flaky

#endif  // FLAKY_TRANSFER_JSONL_READER_H_
