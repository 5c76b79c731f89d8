// SPDX-License-Identifier: MIT
#ifndef FLAKY_TRANSFER_JSONL_LINES_H_
#define FLAKY_TRANSFER_JSONL_LINES_H_

#include <simdjson.h>

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "history/fields.h"
#include "history/text.h"
#include "stores/conversion.h"

// The lines of docs/reference/jsonl.md as plain objects, and functions that read their fields from JSON.
namespace flaky::jsonl {

namespace dom = simdjson::dom;
using Names = std::set<std::string_view>;

// What is wrong with a line. The phrase follows the line's number in the message.
struct BadLine {
  std::string what;
  int64_t number = 0;  // of the line; 0: the last one that was read
};

inline std::string Quoted(std::string_view text) { return ShownText(text); }

[[noreturn]] inline void RefuseField(std::string_view name, std::string_view wanted) {
  throw BadLine{"has a field " + Quoted(name) + ", which is not " + std::string(wanted)};
}

inline void Take(std::string_view name, dom::element value, std::string& field) {
  std::string_view text;
  if (value.get(text)) RefuseField(name, "a text");
  if (!IsStorable(text)) RefuseField(name, "a text that a store can hold: UTF-8 without NUL");
  field = text;
}
inline void Take(std::string_view name, dom::element value, int64_t& field) {
  if (value.get(field)) RefuseField(name, "a whole number of 64 bits");
}
inline void Take(std::string_view name, dom::element value, bool& field) {
  if (value.get(field)) RefuseField(name, "true or false");
}
inline void Take(std::string_view name, dom::element value, Timestamp& field) {
  std::string_view text;
  const auto time = value.get(text) ? std::nullopt : Timestamp::Parse(text);
  if (!time) RefuseField(name, "a time (YYYY-MM-DDTHH:MM:SS.mmmZ)");
  field = *time;
}

// A visitor that fills each field from the object, and counts the fields that the object has.
struct FieldsFrom {
  const dom::object& object;
  size_t taken = 0;

  template <typename T>
  void operator()(std::string_view name, std::optional<T>& field) {
    dom::element value;
    if (object.at_key(name).get(value)) return;
    ++taken;
    if (value.is_null()) return;
    Take(name, value, field.emplace());
  }
  template <typename T>
  void operator()(std::string_view name, T& field) {
    std::optional<T> found;
    (*this)(name, found);
    if (!found) throw BadLine{"has no " + std::string(name)};
    field = std::move(*found);
  }
};

// A visitor that collects the names of the fields.
struct NamesOf {
  Names& names;
  template <typename T>
  void operator()(std::string_view name, const T&) {
    names.insert(name);
  }
};

// The kinds of lines, each as a plain object with the list of its fields.
struct Header {
  std::string format, version;
  std::optional<std::string> program, written_at, source;
};
struct RunLine {
  Run run;
  std::optional<std::string> digest;
};
struct PartLine {
  std::string run_id;
  Part part;
};
struct FailureLine {
  std::string run_id;
  Failure failure;
};
struct Footer {
  int64_t runs = 0, parts = 0, failures = 0;
  std::optional<std::string> digest;
};

inline void Visit(Header& line, auto& visit) {
  visit("format", line.format);
  visit("version", line.version);
  visit("program", line.program);
  visit("written_at", line.written_at);
  visit("source", line.source);
}
inline void Visit(RunLine& line, auto& visit) {
  VisitRun(line.run, visit);
  visit("digest", line.digest);
}
inline void Visit(PartLine& line, auto& visit) {
  visit("run_id", line.run_id);
  VisitPart(line.part, visit);
}
inline void Visit(FailureLine& line, auto& visit) {
  visit("run_id", line.run_id);
  VisitFailure(line.failure, visit);
}
inline void Visit(Roster& line, auto& visit) {
  visit("roster_id", line.roster_id);
  visit("tests", line.tests);
}
inline void Visit(Footer& line, auto& visit) {
  visit("runs", line.runs);
  visit("parts", line.parts);
  visit("failures", line.failures);
  visit("digest", line.digest);
}

}  // namespace flaky::jsonl

#endif  // FLAKY_TRANSFER_JSONL_LINES_H_
