// SPDX-License-Identifier: MIT
#ifndef FLAKY_RECORDER_JOURNAL_LINES_H_
#define FLAKY_RECORDER_JOURNAL_LINES_H_

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "fixed_text.h"
#include "json_text.h"

// The text of a journal's lines after the header (docs/reference/journal.md). Each function writes what its name says
// to `out` and returns the end. A line's first byte is left out, because it is stored last.
#pragma GCC visibility push(hidden)
namespace flaky_recorder {

enum class PartKind { kFailure, kSkip };

// The place and message of a failed assertion or of a skip. `file` may be null.
struct PartText {
  PartKind kind;
  const char* file;
  int line;
  std::string_view message;
};

// The number of bytes that the numbers and the punctuation of any line may need.
inline constexpr std::size_t kLineFrame = 128;

inline char* AppendIteration(char* out, int number, const std::int64_t* shuffle_seed, bool counted) {
  out = AppendNumber(Append(out, "\"iteration\":"), number);
  if (counted) out = Append(out, ",\"counted\":true");
  if (shuffle_seed != nullptr) out = AppendNumber(Append(out, ",\"shuffle_seed\":"), *shuffle_seed);
  return Append(out, "}\n");
}

inline char* AppendSourceFile(char* out, std::string_view file) {
  return Append(AppendEscaped(Append(out, "\"file\":\""), file), "\"}\n");
}

inline char* AppendAfter(char* out, std::string_view suite, std::string_view name) {
  out = AppendEscaped(Append(out, "\"after\":\""), suite);
  *out++ = '.';
  return Append(AppendEscaped(out, name), "\"}\n");
}

// The most bytes of a parameter that are written.
inline constexpr std::size_t kLongestParameter = 256;

// `parameter`: without data() if the test has none.
inline char* AppendTestStart(char* out, std::string_view suite, std::string_view name, int line, std::int64_t start_us,
                             std::string_view parameter) {
  *out++ = '"';
  out = AppendEscaped(out, suite);
  *out++ = '.';
  out = AppendEscaped(out, name);
  *out++ = '"';
  *out++ = ',';
  out = AppendNumber(out, line);
  *out++ = ',';
  out = AppendNumber(out, start_us);
  if (parameter.data() == nullptr) return out;
  const std::string_view shown = CutText(parameter, kLongestParameter);
  out = AppendEscaped(Append(out, ",{\"parameter\":\""), shown);
  return Append(out, shown.size() < parameter.size() ? "\xE2\x80\xA6\"}" : "\"}");  // U+2026: "…"
}

// How a process ended while a test was open.
struct ExitInTest {
  int status;
  bool by_test;  // the test itself called exit(); if not, it had been left before, or another thread ended the process
};

inline char* AppendTestEnd(char* out, std::string_view outcome, std::int64_t duration_us, const ExitInTest* exit) {
  *out++ = '"';
  out = Append(out, outcome);
  *out++ = '"';
  *out++ = ',';
  out = AppendNumber(out, duration_us);
  if (exit != nullptr) {
    out = AppendNumber(Append(out, ","), exit->status);
    if (!exit->by_test) out = Append(out, ",\"open\"");
  }
  return Append(out, "]\n");
}

// Writes a failure's object up to and including its message. The caller closes the message's string and the object.
inline char* AppendFailure(char* out, PartKind kind, std::int64_t at_us, std::string_view source, int line,
                           std::string_view message) {
  out = AppendNumber(Append(out, "{\"at_us\":"), at_us);
  if (!source.empty()) out = Append(AppendEscaped(Append(out, ",\"file\":\""), source), "\"");
  if (line >= 0) out = AppendNumber(Append(out, ",\"line\":"), line);
  return AppendEscaped(Append(out, kind == PartKind::kSkip ? ",\"skip_message\":\"" : ",\"message\":\""), message);
}

inline char* AppendCutNote(char* out, std::size_t bytes) {
  out = AppendNumber(Append(out, "\\n[flaky: "), static_cast<std::int64_t>(bytes));
  return Append(out, " more bytes were cut]");
}

inline char* AppendLost(char* out, std::string_view why) {
  return Append(Append(Append(out, "\"lost\":\""), why), "\"}\n");
}

inline char* AppendEnd(char* out, std::int64_t end_us, bool passed) {
  out = AppendNumber(Append(out, "\"end_us\":"), end_us);
  return Append(out, passed ? ",\"passed\":true}\n" : ",\"passed\":false}\n");
}

}  // namespace flaky_recorder
#pragma GCC visibility pop

#endif  // FLAKY_RECORDER_JOURNAL_LINES_H_
