// SPDX-License-Identifier: MIT
#include "tests/fuzz/fuzz.h"

#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <type_traits>

#include "history/digest.h"
#include "history/fields.h"
#include "history/merge.h"
#include "history/text.h"
#include "stores/record_check.h"
#include "transfer/jsonl_reader.h"
#include "transfer/jsonl_writer.h"

namespace flaky::fuzz {
namespace {

// A visitor of fields (history/fields.h).
struct StorableFields {
  void operator()(std::string_view, const std::string& text) const { Require(IsStorable(text), "texts are storable"); }
  template <typename T>
  void operator()(std::string_view name, const std::optional<T>& value) const {
    if (value) (*this)(name, *value);
  }
  template <typename T>
  requires(!std::is_convertible_v<T, std::string>) void operator()(std::string_view, const T&) const {}
};

}  // namespace

void Require(bool holds, std::string_view property) {
  if (holds) return;
  std::fprintf(stderr, "This does not hold: %.*s\n", static_cast<int>(property.size()), property.data());
  std::abort();
}

std::vector<std::string_view> PartsOf(std::string_view input) {
  constexpr std::string_view kSeparator = "\n%\n";
  std::vector<std::string_view> parts;
  for (;;) {
    const size_t end = input.find(kSeparator);
    parts.push_back(input.substr(0, end));
    if (end == input.npos) return parts;
    input.remove_prefix(end + kSeparator.size());
  }
}

void RequireOneLine(std::string_view text) {
  const auto is_control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; };
  Require(std::ranges::none_of(text, is_control), "a message has no control characters");
}

void RequireStorable(const RunRecord& record) {
  constexpr StorableFields kFields;
  VisitRun(record.run, kFields);
  for (const Part& part : record.parts) VisitPart(part, kFields);
  for (const Failure& failure : record.failures) VisitFailure(failure, kFields);
  for (const RosterPtr& roster : record.rosters) kFields("tests", roster->tests);
}

void RequireSound(const RunRecord& record) {
  RequireStorable(record);
  const std::string store = "fuzz";
  RecordCheck(store).Check(record);
  Require(MergeRecords(record, record).outcome == MergeOutcome::kEqual, "a record equals itself");

  std::string lines;
  JsonlWriter writer({"fuzz", "fuzz", {}}, [&](std::string_view bytes) { lines += bytes; });
  writer.Write({&record, 1});
  writer.Finish();
  const InputFile file(lines);
  JsonlReader reader(file.path());
  const std::optional<Batch> batch = reader.Next({});
  Require(batch && batch->records.size() == 1, "a record that was written can be read");
  Require(DigestOf(batch->records.front()) == DigestOf(record), "a record is the same after writing and reading it");
  Require(!reader.Next({}) && reader.digest() == writer.digest(), "a file has what was written");
}

InputFile::InputFile(std::string_view content)
    : descriptor_(::memfd_create("fuzz", MFD_CLOEXEC)), path_("/proc/self/fd/" + std::to_string(descriptor_.get())) {
  Require(::fchmod(descriptor_.get(), 0600) == 0, "the input becomes a file");
  while (!content.empty()) {
    const ssize_t written = ::write(descriptor_.get(), content.data(), content.size());
    Require(written > 0, "the input becomes a file");
    content.remove_prefix(static_cast<size_t>(written));
  }
}

}  // namespace flaky::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  flaky::fuzz::CheckInput({reinterpret_cast<const char*>(data), size});
  return 0;
}
