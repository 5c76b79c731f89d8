// SPDX-License-Identifier: MIT
#include "formats/results_file.h"

#include <simdjson.h>

#include "formats/rereadable.h"
#include "formats/results_parser.h"
#include "transfer/line_reader.h"

namespace flaky {
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
constexpr std::string_view kBlanks = " \t\r";

std::string_view WithoutBlanks(std::string_view line) {
  const size_t begin = line.find_first_not_of(kBlanks);
  if (begin == line.npos) return {};
  return line.substr(begin, line.find_last_not_of(kBlanks) - begin + 1);
}

}  // namespace

class ResultsFile::Impl {
 public:
  Impl(const std::string& path, size_t max_line_bytes) : file_(path), max_line_bytes_(max_line_bytes) { Rewind(); }

  void Rewind() {
    Close();
    at_end_ = false;
    digest_ = {};
    unknown_.clear();
  }

  std::optional<ResultsLine> Next() {
    if (at_end_) return std::nullopt;
    if (!lines_) {
      lines_.emplace(file_.Open(), file_.name(), LastLine::kMayLackNewline, max_line_bytes_,
                     simdjson::SIMDJSON_PADDING);
    }
    while (const std::optional<std::string_view> raw = lines_->Next()) {
      std::string_view text = *raw;
      if (lines_->number() == 1 && text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
      text = WithoutBlanks(text);
      if (text.empty()) continue;
      digest_ += DigestOf(text);
      return Parse(text);
    }
    Close();
    at_end_ = true;
    return std::nullopt;
  }

  const std::string& name() const { return file_.name(); }
  int64_t number() const { return lines_ ? lines_->number() : 0; }
  const Digest& digest() const { return digest_; }
  const std::map<std::string, UnknownField>& unknown() const { return unknown_; }

 private:
  // Keeps no buffer and, of most files, no descriptor: there may be very many of them.
  void Close() {
    lines_.reset();
    parser_ = simdjson::dom::parser();
  }

  ResultsLine Parse(std::string_view text) {
    if (!text.starts_with('{')) lines_->Refuse("is not a JSON object; expected one for each part of a run");
    simdjson::dom::element json;
    // The reader keeps the padding after the line.
    if (const auto error = parser_.parse(text.data(), text.size(), false).get(json)) {
      lines_->Refuse(std::string("is not a JSON object in one line of UTF-8: ") + simdjson::error_message(error));
    }
    try {
      return ParseResultsLine(json, [&](const std::string& what) { NoteUnknown(what); });
    } catch (const BadResultsLine& bad) {
      lines_->Refuse(bad.what);
    }
  }

  void NoteUnknown(const std::string& what) {
    if (unknown_.size() >= kMostUnknown && !unknown_.contains(what)) return;
    UnknownField& field = unknown_.try_emplace(what, UnknownField{lines_->number(), 0}).first->second;
    ++field.count;
  }

  // An object whose names are data may have any number of fields.
  static constexpr size_t kMostUnknown = 100;

  const Rereadable file_;
  const size_t max_line_bytes_;
  std::optional<LineReader> lines_;
  bool at_end_ = false;
  simdjson::dom::parser parser_;
  Digest digest_;
  std::map<std::string, UnknownField> unknown_;
};

ResultsFile::ResultsFile(const std::string& path, size_t max_line_bytes)
    : impl_(std::make_unique<Impl>(path, max_line_bytes)) {}
ResultsFile::~ResultsFile() = default;
ResultsFile::ResultsFile(ResultsFile&&) noexcept = default;
const std::string& ResultsFile::name() const { return impl_->name(); }
std::optional<ResultsLine> ResultsFile::Next() { return impl_->Next(); }
int64_t ResultsFile::number() const { return impl_->number(); }
void ResultsFile::Rewind() { impl_->Rewind(); }
const Digest& ResultsFile::digest() const { return impl_->digest(); }
const std::map<std::string, UnknownField>& ResultsFile::unknown() const { return impl_->unknown(); }

}  // namespace flaky
