// SPDX-License-Identifier: MIT
#ifndef FLAKY_FORMATS_FORMAT_H_
#define FLAKY_FORMATS_FORMAT_H_

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "history/digest.h"
#include "transfer/jsonl_writer.h"
#include "transfer/source.h"

// The file formats that the program reads and writes. To add one, write its reader and writer, and add a line to the
// table in format_table.cc.
namespace flaky {

// What a file holds: the counts, and a digest that has the same value when the file is written and when it is read.
struct FileContent {
  Totals totals;
  Digest digest;

  bool operator==(const FileContent&) const = default;
};

// Something that the user should know about a file that was read or written.
struct Remark {
  std::string text;
  bool is_loss = false;  // data of a history is missing on the other side
};

class FormatReader : public Source {
 public:
  // Covers what was read so far.
  virtual FileContent content() const = 0;
  // Returns what was not understood or not kept, after the last batch.
  virtual std::vector<Remark> remarks() const = 0;
};

class FormatWriter {
 public:
  virtual ~FormatWriter() = default;

  // Throws StoreError if the format cannot hold a record at all. Do not call any function after that.
  virtual void Write(std::span<const RunRecord> records) = 0;
  // Writes the end. Called once, after the last Write.
  virtual void Finish() = 0;

  virtual FileContent content() const = 0;
  // Returns what the format could not hold.
  virtual std::vector<Remark> remarks() const = 0;
};

struct ReadOptions {
  std::optional<std::string> project = {};  // of what names none
  // If it returns true, reading ends before anything is returned.
  std::function<bool()> stop = {};
};

using Out = std::function<void(std::string_view)>;

struct Format {
  std::string_view name;     // as for --format
  std::string_view meaning;  // one line, no full stop
  bool is_history = false;   // our own, which holds everything
  // Returns true if a file that begins like this is one of the format.
  bool (*is_begin)(std::string_view begin);
  // Reads one or more files. Throws StoreError. A format without an end that proves that a file is complete is checked
  // as a whole first, so that nothing of a damaged file is returned.
  std::unique_ptr<FormatReader> (*read)(const std::vector<std::string>& files, const ReadOptions& options);
  // `out` receives the bytes, in pieces. Its exceptions pass through each function.
  std::unique_ptr<FormatWriter> (*write)(const JsonlWriter::Origin& origin, Out out);
};

std::span<const Format> FormatTable();

// Returns the format of that name, or null.
const Format* FindFormat(std::string_view name);

// Returns our own format.
const Format& HistoryFormat();

// Returns the format of a file by its content, or null: also for what is not a regular file, and for a file that cannot
// be read.
const Format* FormatOfFile(const std::string& path);

}  // namespace flaky

#endif  // FLAKY_FORMATS_FORMAT_H_
