// SPDX-License-Identifier: MIT
#include "formats/history_format.h"

#include <utility>

#include "transfer/jsonl_reader.h"

namespace flaky {
namespace {

class HistoryReader : public FormatReader {
 public:
  explicit HistoryReader(const std::string& file) : reader_(file) {}

  const std::string& name() const override { return reader_.name(); }
  std::optional<Totals> Expected() override { return reader_.Expected(); }
  std::optional<Batch> Next(const BatchLimits& limits) override { return reader_.Next(limits); }
  FileContent content() const override { return {reader_.totals(), reader_.digest()}; }

  // Returns what a newer flaky's file had that is not in the store now.
  std::vector<Remark> remarks() const override {
    if (!reader_.newer()) return {};
    std::vector<Remark> remarks;
    remarks.push_back({"it has version " + reader_.version() + " of the format, which is newer than this flaky's " +
                       std::to_string(kJsonlMajor) + '.' + std::to_string(kJsonlMinor) +
                       ": its counts were compared, but its digests could not be"});
    for (const auto& [what, count] : reader_.unknown()) {
      remarks.push_back({"skipped, because this version of flaky does not know it: " + what + " (" +
                             std::to_string(count) + (count == 1 ? " time)" : " times)"),
                         true});
    }
    return remarks;
  }

 private:
  JsonlReader reader_;
};

class HistoryWriter : public FormatWriter {
 public:
  HistoryWriter(const JsonlWriter::Origin& origin, Out out) : writer_(origin, std::move(out)) {}

  void Write(std::span<const RunRecord> records) override { writer_.Write(records); }
  void Finish() override { writer_.Finish(); }
  FileContent content() const override { return {writer_.totals(), writer_.digest()}; }
  std::vector<Remark> remarks() const override { return {}; }

 private:
  JsonlWriter writer_;
};

}  // namespace

bool IsHistory(std::string_view begin) {
  const std::string_view line = begin.substr(0, begin.find('\n'));
  return line.starts_with('{') && line.find("\"" + std::string(kJsonlFormat) + "\"") != line.npos;
}

std::unique_ptr<FormatReader> ReadHistory(const std::vector<std::string>& files, const ReadOptions&) {
  return std::make_unique<HistoryReader>(files.front());
}

std::unique_ptr<FormatWriter> WriteHistory(const JsonlWriter::Origin& origin, Out out) {
  return std::make_unique<HistoryWriter>(origin, std::move(out));
}

}  // namespace flaky
