// SPDX-License-Identifier: MIT
#include "transfer/jsonl_writer.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "history/escaped.h"
#include "history/fields.h"
#include "history/roster.h"
#include "history/text.h"
#include "stores/error.h"
#include "stores/record_check.h"

namespace flaky {
namespace {

constexpr size_t kPiece = 256 << 10;

// Thrown for a text that the format cannot hold.
struct BadText {
  std::string_view name;
};

// A visitor that appends the fields that are not absent.
struct FieldsInto {
  std::string& line;

  void operator()(std::string_view name, const std::string& value) {
    Name(name);
    if (!IsStorable(value)) throw BadText{name};
    AppendEscapedJson(line, value);
  }
  void operator()(std::string_view name, int64_t value) {
    Name(name);
    char digits[24];
    line.append(digits, std::to_chars(digits, digits + sizeof digits, value).ptr);
  }
  void operator()(std::string_view name, bool value) {
    Name(name);
    line += value ? "true" : "false";
  }
  void operator()(std::string_view name, Timestamp value) {
    Name(name);
    line += '"' + value.ToString() + '"';
  }
  template <typename T>
  void operator()(std::string_view name, const std::optional<T>& value) {
    if (value) (*this)(name, *value);
  }

 private:
  void Name(std::string_view name) { line.append(",\"").append(name).append("\":"); }
};

FieldsInto Begin(std::string& line, std::string_view type) {
  line.append("{\"type\":\"").append(type).push_back('"');
  return {line};
}

// Precondition: the record has it; RecordCheck found it.
RosterPtr RosterOf(const RunRecord& record, const std::string& roster_id) {
  return *std::ranges::find(record.rosters, roster_id, [](const RosterPtr& one) { return one->roster_id; });
}

}  // namespace

JsonlWriter::JsonlWriter(const Origin& origin, std::function<void(std::string_view)> out)
    : source_(origin.source), out_(std::move(out)) {
  FieldsInto fields = Begin(buffer_, "header");
  fields("format", std::string(kJsonlFormat));
  fields("version", std::to_string(kJsonlMajor) + '.' + std::to_string(kJsonlMinor));
  fields("program", MakeStorable(origin.program));
  fields("written_at", origin.written_at);
  fields("source", MakeStorable(origin.source));
  buffer_ += "}\n";
}

void JsonlWriter::Write(std::span<const RunRecord> records) {
  RecordCheck check(source_);
  for (const RunRecord& record : records) {
    check.Check(record);
    try {
      WriteRecord(record);
    } catch (const BadText& bad) {
      throw StoreError(ErrorKind::kInvalid, source_, "write run '" + MakeStorable(record.run.run_id) + "'", "",
                       "its column '" + std::string(bad.name) + "' contains a NUL or bytes that are not UTF-8");
    }
    Flush(kPiece);
  }
}

void JsonlWriter::Finish() {
  FieldsInto fields = Begin(buffer_, "footer");
  fields("runs", totals_.runs);
  fields("parts", totals_.parts);
  fields("failures", totals_.failures);
  fields("digest", digest_.ToString());
  buffer_ += "}\n";
  Flush(0);
}

void JsonlWriter::WriteRecord(const RunRecord& record) {
  const std::string& run_id = record.run.run_id;
  const Digest digest = DigestOf(record);
  size_t begin = buffer_.size();
  FieldsInto run = Begin(buffer_, "run");
  VisitRun(record.run, run);
  run("digest", digest.ToString());
  EndLine(begin, run_id);
  for (const Part& part : record.parts) {
    if (part.roster_id) WriteRoster(record, *part.roster_id);
    begin = buffer_.size();
    FieldsInto fields = Begin(buffer_, "part");
    fields("run_id", run_id);
    VisitPart(part, fields);
    EndLine(begin, run_id);
  }
  for (const Failure& failure : record.failures) {
    begin = buffer_.size();
    FieldsInto fields = Begin(buffer_, "failure");
    fields("run_id", run_id);
    VisitFailure(failure, fields);
    EndLine(begin, run_id);
  }
  ++totals_.runs;
  totals_.parts += static_cast<int64_t>(record.parts.size());
  totals_.failures += static_cast<int64_t>(record.failures.size());
  digest_ += digest;
}

void JsonlWriter::WriteRoster(const RunRecord& record, const std::string& roster_id) {
  std::vector<RosterPtr> known;
  if (rosters_.Give(roster_id, known)) return;
  const RosterPtr roster = RosterOf(record, roster_id);
  const std::vector<std::string> lists = ListsOf(roster->tests);
  const auto is_known = [&](const std::string& list) { return rosters_.Find(list) != nullptr; };
  if (std::ranges::all_of(lists, is_known)) {
    WriteRosterLine(record, roster, lists);
    if (rosters_.Give(roster_id, known)) return;  // else a list was the oldest that the reader remembered
  }
  for (const std::string& list : lists) WriteRosterLine(record, RosterOf(record, list), {});
  WriteRosterLine(record, roster, lists);
}

void JsonlWriter::WriteRosterLine(const RunRecord& record, RosterPtr roster, std::vector<std::string> lists) {
  const size_t begin = buffer_.size();
  FieldsInto fields = Begin(buffer_, "roster");
  fields("roster_id", roster->roster_id);
  fields("tests", roster->tests);
  EndLine(begin, record.run.run_id);
  rosters_.Add(std::move(roster), std::move(lists));
}

void JsonlWriter::EndLine(size_t begin, const std::string& run_id) {
  buffer_ += "}";
  if (const size_t length = buffer_.size() - begin; length > kMaxJsonlLine) {
    throw StoreError(ErrorKind::kInvalid, source_, "write run '" + run_id + "'", "",
                     "one of its rows needs a line of " + std::to_string(length) + " bytes; the maximum is " +
                         std::to_string(kMaxJsonlLine));
  }
  buffer_ += '\n';
  Flush(kPiece);
}

void JsonlWriter::Flush(size_t at_least) {
  if (buffer_.size() < at_least) return;
  out_(buffer_);
  buffer_.clear();
}

}  // namespace flaky
