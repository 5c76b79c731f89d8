// SPDX-License-Identifier: MIT
#include "formats/results_format.h"

#include <algorithm>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "formats/results_file.h"
#include "formats/results_records.h"
#include "history/merge.h"
#include "history/text.h"
#include "stores/error.h"
#include "transfer/batch.h"
#include "transfer/roster_window.h"

namespace flaky {
namespace {

constexpr size_t kPiece = 256 << 10;

// Counts the lines, so that the reader and the writer of a file get the same.
class ContentCounter {
 public:
  void Add(const ResultsLine& line) {
    if (content_.totals.parts == 0 || line.run_id != last_run_) ++content_.totals.runs;
    last_run_ = line.run_id;
    ++content_.totals.parts;
    content_.totals.failures += std::ranges::count_if(line.results, &Result::IsFailure);
  }
  void AddDigest(const Digest& digest) { content_.digest += digest; }
  const FileContent& content() const { return content_; }

 private:
  std::string last_run_;
  FileContent content_;
};

class ResultsReader : public FormatReader {
 public:
  ResultsReader(const std::vector<std::string>& files, ReadOptions options) : options_(std::move(options)) {
    for (const std::string& file : files) Check(files_.emplace_back(file));
    name_ = files_.front().name();
    if (files_.size() > 1) name_ += " and " + std::to_string(files_.size() - 1) + " more";
    for (ResultsFile& file : files_) file.Rewind();
  }

  const std::string& name() const override { return name_; }
  // How many runs the lines belong to is not known.
  std::optional<Totals> Expected() override { return std::nullopt; }
  std::optional<Batch> Next(const BatchLimits& limits) override;
  FileContent content() const override { return counter_.content(); }
  std::vector<Remark> remarks() const override;

 private:
  void Check(ResultsFile& file) {
    while (const std::optional<ResultsLine> line = file.Next()) {
      counter_.Add(*line);
      if (options_.stop && options_.stop()) return;
    }
    counter_.AddDigest(file.digest());
  }

  std::optional<RunRecord> ReadRecord() {
    while (at_ < files_.size()) {
      std::optional<ResultsLine> line = files_[at_].Next();
      if (line) {
        if (!line->project) line->project = options_.project;
        without_project_ += line->project ? 0 : 1;
        RunRecord record = RecordOf(*line, not_kept_);
        next_bytes_ = TextBytes(record);
        for (RosterPtr& roster : record.rosters) Share(roster);
        return record;
      }
      checked_ += files_[at_++].digest();
    }
    if (checked_ == counter_.content().digest) return std::nullopt;
    throw StoreError(ErrorKind::kInvalid, name_, "read it", "", "it changed while it was read; import it again");
  }

  // Most lines have the rosters and lists of a line before, which are then held once.
  void Share(RosterPtr& roster) {
    if (RosterPtr known = rosters_.Find(roster->roster_id)) {
      roster = std::move(known);
    } else {
      next_bytes_ += roster->tests.size();
      rosters_.Add(roster, {});
    }
  }

  const ReadOptions options_;
  std::string name_;
  std::vector<ResultsFile> files_;
  size_t at_ = 0;           // the file that is read
  ContentCounter counter_;  // of the first reading
  Digest checked_;          // of the second one
  LeftOutCounts not_kept_;
  int64_t without_project_ = 0;
  RosterWindow rosters_;
  std::optional<RunRecord> next_;  // to be returned next
  size_t next_bytes_ = 0;          // of it
};

std::optional<Batch> ResultsReader::Next(const BatchLimits& limits) {
  Batch batch;
  std::unordered_map<std::string, size_t> places;
  std::unordered_set<std::string> parts;
  size_t bytes = 0;
  const auto is_full = [&] { return batch.records.size() >= limits.records || bytes >= limits.bytes; };
  while (next_ || (next_ = ReadRecord())) {
    const auto place = places.find(next_->run.run_id);
    if (is_full() && (place == places.end() || bytes >= limits.bytes)) break;
    const bool is_new_part = parts.insert(next_->run.run_id + '\n' + next_->parts.front().part_id).second;
    if (place == places.end()) {
      places.emplace(next_->run.run_id, batch.records.size());
      batch.records.push_back(std::move(*next_));
    } else if (is_new_part) {
      AddParts(batch.records[place->second], std::move(*next_));
    } else {
      // The same part again: the next batch has it, and the target compares them.
      RunRecord& known = batch.records[place->second];
      SumParts(known);
      Merge merge = MergeRecords(known, *next_);
      if (merge.outcome == MergeOutcome::kConflict) break;
      if (merge.outcome == MergeOutcome::kCompleted) known = std::move(merge.merged);
    }
    bytes += next_bytes_;
    next_.reset();
  }
  if (batch.records.empty()) return std::nullopt;
  for (RunRecord& record : batch.records) SumParts(record);
  return batch;
}

std::vector<Remark> ResultsReader::remarks() const {
  std::vector<Remark> remarks;
  for (const ResultsFile& file : files_) {
    for (const auto& [what, found] : file.unknown()) {
      remarks.push_back({(files_.size() > 1 ? file.name() + ": " : "") + "the format has no " + what +
                         "; it was skipped (first in line " + std::to_string(found.first_line) +
                         (found.count == 1 ? ")" : ", " + std::to_string(found.count) + " times)")});
    }
  }
  if (!not_kept_.empty()) {
    remarks.push_back({"read, but not kept, because the tables have no column for it: " +
                       Join(not_kept_, ", ", [](const auto& field) {
                         return field.first + " (" + std::to_string(field.second) +
                                (field.second == 1 ? " line)" : " lines)");
                       })});
  }
  if (without_project_ > 0) {
    remarks.push_back({std::to_string(without_project_) + (without_project_ == 1 ? " line names" : " lines name") +
                       " no project: --project NAME gives them one"});
  }
  return remarks;
}

class ResultsWriter : public FormatWriter {
 public:
  explicit ResultsWriter(Out out) : out_(std::move(out)) {}

  void Write(std::span<const RunRecord> records) override {
    for (const RunRecord& record : records) {
      for (const ResultsLine& line : LinesOf(record, left_out_)) Write(line);
    }
  }
  void Finish() override { Flush(0); }
  FileContent content() const override { return counter_.content(); }
  std::vector<Remark> remarks() const override {
    std::vector<Remark> remarks;
    for (const auto& [what, count] : left_out_) {
      remarks.push_back({"the format cannot hold " + what + ": left out (" + std::to_string(count) +
                             (count == 1 ? " time)" : " times)"),
                         true});
    }
    return remarks;
  }

 private:
  void Write(const ResultsLine& line) {
    const size_t begin = buffer_.size();
    AppendLine(buffer_, line);
    const std::string_view written = std::string_view(buffer_).substr(begin);
    if (written.size() - 1 > kMaxResultsLine) {
      throw StoreError(ErrorKind::kInvalid, "results", "write run " + MakeStorable(line.run_id), "",
                       "its part " + MakeStorable(line.part_id.value_or("")) + " is longer than " +
                           std::to_string(kMaxResultsLine) + " bytes");
    }
    counter_.Add(line);
    counter_.AddDigest(DigestOf(written.substr(0, written.size() - 1)));
    Flush(kPiece);
  }
  void Flush(size_t at_least) {
    if (buffer_.size() <= at_least) return;
    out_(buffer_);
    buffer_.clear();
  }

  const Out out_;
  std::string buffer_;
  ContentCounter counter_;
  LeftOutCounts left_out_;
};

}  // namespace

bool IsResults(std::string_view begin) {
  const size_t first = begin.find_first_not_of("\xEF\xBB\xBF \t\r\n");
  return first != begin.npos && begin[first] == '{' && begin.find("\"run_id\"") != begin.npos;
}

std::unique_ptr<FormatReader> ReadResults(const std::vector<std::string>& files, const ReadOptions& options) {
  return std::make_unique<ResultsReader>(files, options);
}

std::unique_ptr<FormatWriter> WriteResults(const JsonlWriter::Origin&, Out out) {
  return std::make_unique<ResultsWriter>(std::move(out));
}

}  // namespace flaky
