// SPDX-License-Identifier: MIT
#include "transfer/jsonl_reader.h"

#include <simdjson.h>

#include <charconv>
#include <optional>
#include <set>
#include <stdexcept>
#include <unordered_set>
#include <utility>

#include "history/fields.h"
#include "history/roster.h"
#include "history/text.h"
#include "stores/error.h"
#include "transfer/first_version_rosters.h"
#include "transfer/jsonl_lines.h"
#include "transfer/line_reader.h"
#include "transfer/roster_window.h"

namespace flaky {
namespace {

using namespace jsonl;

struct Version {
  int64_t major = 0;
  int64_t minor = 0;
};

std::optional<Version> ParseVersion(std::string_view text) {
  Version version;
  const char* const end = text.data() + text.size();
  const auto major = std::from_chars(text.data(), end, version.major);
  if (major.ec != std::errc() || major.ptr == end || *major.ptr != '.') return std::nullopt;
  const auto minor = std::from_chars(major.ptr + 1, end, version.minor);
  if (minor.ec != std::errc() || minor.ptr != end || version.major < 1 || version.minor < 0) return std::nullopt;
  return version;
}

}  // namespace

class JsonlReader::Impl {
 public:
  Impl(const std::string& file, size_t max_line_bytes) : lines_(file, max_line_bytes, simdjson::SIMDJSON_PADDING) {
    Guarded([&] { ReadHeader(); });
  }

  std::optional<Batch> Next(const BatchLimits& limits) {
    Batch batch;
    std::unordered_set<std::string> ids;
    size_t bytes = 0;
    while (batch.records.size() < limits.records && bytes < limits.bytes) {
      if (!next_) Guarded([&] { next_ = ReadRecord(); });
      // Within one batch, each run id occurs once.
      if (!next_ || !ids.insert(next_->run.run_id).second) break;
      bytes += TextBytes(*next_);
      batch.records.push_back(std::move(*std::exchange(next_, std::nullopt)));
    }
    if (batch.records.empty()) return std::nullopt;
    has_returned_any_ = true;
    return batch;
  }

  const LineReader& lines() const { return lines_; }
  const std::map<std::string, int64_t>& unknown() const { return unknown_; }
  const std::string& version() const { return version_; }
  bool newer() const { return newer_; }
  const Totals& totals() const { return totals_; }
  const Digest& digest() const { return digest_; }

 private:
  // Adds the place to an error, and what the error means for the runs that were read before.
  template <typename Function>
  void Guarded(Function function) {
    try {
      try {
        function();
      } catch (const BadLine& bad) {
        lines_.Refuse(bad.number > 0 ? bad.number : lines_.number(), bad.what);
      }
    } catch (const StoreError& error) {
      if (!has_returned_any_ || error.kind() != ErrorKind::kInvalid) throw;
      throw StoreError(ErrorKind::kInvalid, "", "", "",
                       std::string(error.what()) +
                           "; the history is incomplete: runs before that line are correct and may have been imported, "
                           "runs after it were not");
    }
  }

  // Returns the object on the next line; nullopt at the end of the file.
  std::optional<dom::object> NextObject() {
    const auto line = lines_.Next();
    if (!line) return std::nullopt;
    dom::element value;
    const auto error = parser_.parse(line->data(), line->size(), false).get(value);
    if (error == simdjson::UTF8_ERROR) throw BadLine{"is not UTF-8"};
    if (error == simdjson::MEMALLOC) throw std::bad_alloc();
    dom::object object;
    if (error || value.get(object)) throw BadLine{"is not a JSON object"};
    return object;
  }

  static std::string TypeOf(const dom::object& object) {
    std::string type;
    FieldsFrom{object}("type", type);
    return type;
  }

  // Fills `line` with the object's fields. Unknown fields are refused, or counted if the file has a newer version.
  template <typename Line>
  void Fill(const dom::object& object, std::string_view type, Line& line) {
    FieldsFrom fields{object};
    Visit(line, fields);
    if (fields.taken + 1 == object.size()) return;  // all fields are known: these and the type
    static const Names kKnown = [] {
      Names names{"type"};
      Line any{};
      NamesOf collect{names};
      Visit(any, collect);
      return names;
    }();
    Names seen;
    for (const dom::key_value_pair& field : object) {
      if (!seen.insert(field.key).second) throw BadLine{"has the field " + Quoted(field.key) + " twice"};
      if (!kKnown.contains(field.key)) NoteUnknown("field " + Quoted(field.key) + " of a " + std::string(type));
    }
  }

  void NoteUnknown(const std::string& what) {
    constexpr size_t kMaxNames = 1000;
    if (!newer_) throw BadLine{"has an unknown " + what + ", which is not part of version " + version_};
    const auto known = unknown_.find(what);
    ++(known != unknown_.end() || unknown_.size() < kMaxNames ? unknown_[what] : unknown_["others"]);
  }

  void ReadHeader() {
    constexpr char kNotAHistory[] = "is not the header of a history that flaky exported (docs/reference/jsonl.md)";
    std::optional<dom::object> object;
    std::string format;
    try {
      object = NextObject();
      if (!object || TypeOf(*object) != "header") throw BadLine{kNotAHistory};
      FieldsFrom{*object}("format", format);
    } catch (const BadLine&) {
      throw BadLine{kNotAHistory};
    }
    if (format != kJsonlFormat) throw BadLine{kNotAHistory};
    FieldsFrom{*object}("version", version_);
    const auto version = ParseVersion(version_);
    if (!version) throw BadLine{"has an invalid version " + Quoted(version_) + "; expected MAJOR.MINOR"};
    if (version->major > kJsonlMajor) {
      throw StoreError(ErrorKind::kSchemaTooNew, lines_.name(), "read it", "",
                       "it was written in version " + version_ +
                           " of the format by a newer flaky; this one reads up to " + std::to_string(kJsonlMajor) +
                           '.' + std::to_string(kJsonlMinor) + ": install the newer flaky");
    }
    is_first_version_ = version->major == 1;
    newer_ = !is_first_version_ && version->minor > kJsonlMinor;
    Header header;
    Fill(*object, "header", header);
  }

  std::optional<RunRecord> ReadRecord() {
    while (!at_end_) {
      const std::optional<dom::object> object = NextObject();
      if (!object) throw BadLine{"is missing: the file ends without a footer, so it was truncated"};
      const std::string type = TypeOf(*object);
      if (type == "run") {
        std::optional<RunRecord> ended = EndRun();
        BeginRun(*object);
        if (ended) return ended;
      } else if (type == "part") {
        AddPart(*object);
      } else if (type == "failure") {
        AddFailure(*object);
      } else if (type == "roster") {
        AddRoster(*object);
      } else if (type == "footer") {
        std::optional<RunRecord> ended = EndRun();
        ReadFooter(*object);
        return ended;
      } else {
        NoteUnknown("line of type " + Quoted(type));
      }
    }
    return std::nullopt;
  }

  void BeginRun(const dom::object& object) {
    RunLine line;
    Fill(object, "run", line);
    DemandId("run_id", line.run.run_id);
    run_.emplace();
    run_->run = std::move(line.run);
    run_digest_ = std::move(line.digest);
    run_line_ = lines_.number();
    part_ids_.clear();
    parts_of_failures_.clear();
  }

  // An empty id names nothing, and no history has one.
  static void DemandId(std::string_view name, const std::string& id) {
    if (id.empty()) throw BadLine{"has an empty " + std::string(name)};
  }

  // Returns the current run, all of whose lines have been read.
  std::optional<RunRecord> EndRun() {
    if (!run_) return std::nullopt;
    for (const auto& [part_id, line] : parts_of_failures_) {
      if (part_ids_.contains(part_id)) continue;
      throw BadLine{"names the part " + Quoted(part_id) + ", which is not among the lines of its run", line};
    }
    const Digest digest = DigestOf(*run_);
    if (Disagree(run_digest_, digest)) {
      throw BadLine{"ends the run " + Quoted(run_->run.run_id) + " of line " + std::to_string(run_line_) +
                    ", which does not match its digest: it was changed or damaged"};
    }
    ++totals_.runs;
    totals_.parts += static_cast<int64_t>(run_->parts.size());
    totals_.failures += static_cast<int64_t>(run_->failures.size());
    digest_ += digest;
    return std::exchange(run_, std::nullopt);
  }

  // The digest of a newer version covers fields that this program does not know, and that of version 1 covers rosters
  // that this program writes in another form.
  bool Disagree(const std::optional<std::string>& said, const Digest& digest) const {
    return !newer_ && !is_first_version_ && said && *said != digest.ToString();
  }

  void CheckRun(std::string_view run_id) const {
    if (run_ && run_->run.run_id == run_id) return;
    throw BadLine{"belongs to run " + Quoted(run_id) + ", but is not among the lines of that run"};
  }

  void AddPart(const dom::object& object) {
    PartLine line;
    Fill(object, "part", line);
    CheckRun(line.run_id);
    DemandId("part_id", line.part.part_id);
    if (!part_ids_.insert(line.part.part_id).second) {
      throw BadLine{"repeats the part " + Quoted(line.part.part_id)};
    }
    if (line.part.roster_id) {
      const bool is_known = is_first_version_ ? first_version_.Give(line.part, run_->rosters)
                                              : rosters_.Give(*line.part.roster_id, run_->rosters);
      if (!is_known) {
        throw BadLine{"names the roster " + Quoted(*line.part.roster_id) +
                      ", which is not among the last roster lines before it"};
      }
    }
    run_->parts.push_back(std::move(line.part));
  }

  void AddFailure(const dom::object& object) {
    FailureLine line;
    Fill(object, "failure", line);
    CheckRun(line.run_id);
    if (line.failure.part_id) parts_of_failures_.try_emplace(*line.failure.part_id, lines_.number());
    run_->failures.push_back(std::move(line.failure));
  }

  void AddRoster(const dom::object& object) {
    auto roster = std::make_shared<Roster>();
    Fill(object, "roster", *roster);
    if (ContentId(roster->tests) != roster->roster_id) {
      throw BadLine{"has tests that do not match the roster's id: it was changed or damaged"};
    }
    try {
      if (is_first_version_) {
        first_version_.Add(*roster);
      } else {
        AddToWindow(std::move(roster));
      }
    } catch (const std::invalid_argument& error) {
      throw BadLine{std::string("has tests in an invalid form: ") + error.what()};
    }
  }

  void AddToWindow(RosterPtr roster) {
    std::vector<std::string> lists;
    if (IsRosterText(roster->tests)) {
      lists = ListsOf(roster->tests);
      std::vector<RosterPtr> found;
      for (const std::string& list : lists) {
        found.push_back(rosters_.Find(list));
        if (found.back() != nullptr) continue;
        throw BadLine{"names the list " + Quoted(list) + ", which is not among the last roster lines before it"};
      }
      CheckRoster(*roster, found);
    } else {
      ParseTestList(roster->tests);
    }
    rosters_.Add(std::move(roster), std::move(lists));
  }

  void ReadFooter(const dom::object& object) {
    Footer footer;
    Fill(object, "footer", footer);
    const auto check = [](const char* what, int64_t said, int64_t read) {
      if (said == read) return;
      throw BadLine{"counts " + std::to_string(said) + ' ' + what + ", but " + std::to_string(read) +
                    " were read: lines are missing or were added"};
    };
    check("runs", footer.runs, totals_.runs);
    check("parts", footer.parts, totals_.parts);
    check("failures", footer.failures, totals_.failures);
    if (Disagree(footer.digest, digest_)) {
      throw BadLine{"has the digest " + Quoted(*footer.digest) + ", but the digest of what was read is " +
                    digest_.ToString() + ": it was changed or damaged"};
    }
    if (lines_.Next()) throw BadLine{"follows the footer, which must be the last line"};
    at_end_ = true;
  }

  LineReader lines_;
  dom::parser parser_;
  std::string version_;
  bool newer_ = false;  // a minor version that this program does not know
  bool is_first_version_ = false;
  RosterWindow rosters_;
  FirstVersionRosters first_version_;

  std::optional<RunRecord> run_;  // whose lines are being read
  std::optional<std::string> run_digest_;
  int64_t run_line_ = 0;
  std::set<std::string, std::less<>> part_ids_;       // of run_
  std::map<std::string, int64_t> parts_of_failures_;  // of run_: the ids that failures name, with the first such line

  std::optional<RunRecord> next_;  // to be returned next
  bool has_returned_any_ = false;
  bool at_end_ = false;
  std::map<std::string, int64_t> unknown_;
  Totals totals_;
  Digest digest_;
};

JsonlReader::JsonlReader(const std::string& file, size_t max_line_bytes)
    : impl_(std::make_unique<Impl>(file, max_line_bytes)) {}
JsonlReader::~JsonlReader() = default;
const std::string& JsonlReader::name() const { return impl_->lines().name(); }
std::optional<Batch> JsonlReader::Next(const BatchLimits& limits) { return impl_->Next(limits); }
const std::map<std::string, int64_t>& JsonlReader::unknown() const { return impl_->unknown(); }
const std::string& JsonlReader::version() const { return impl_->version(); }
bool JsonlReader::newer() const { return impl_->newer(); }
const Totals& JsonlReader::totals() const { return impl_->totals(); }
const Digest& JsonlReader::digest() const { return impl_->digest(); }

}  // namespace flaky
