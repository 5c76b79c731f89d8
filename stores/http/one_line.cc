// SPDX-License-Identifier: MIT
#include "stores/http/one_line.h"

#include "history/masked.h"
#include "history/text.h"

namespace flaky::http {
namespace {

constexpr size_t kMostBytes = 300;
constexpr size_t kMostSearched = 16 << 10;

}  // namespace

std::string FitForOneLine(std::string_view text) {
  std::string line;
  // Before the text is cut: half a secret would not be recognised.
  const std::string shown = WithoutKnownSecrets(text.substr(0, kMostSearched));
  for (const char c : MakeStorable(shown.substr(0, kMostBytes + 4))) {
    const bool control = static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
    if (!control) {
      line += c;
    } else if (!line.empty() && line.back() != ' ') {
      line += ' ';
    }
  }
  if (line.size() > kMostBytes) {
    size_t end = kMostBytes;
    while (end > 0 && (static_cast<unsigned char>(line[end]) & 0xC0) == 0x80) --end;
    line.resize(end);
    line += "…";
  }
  while (!line.empty() && (line.back() == ' ' || line.back() == '.')) line.pop_back();
  return line;
}

}  // namespace flaky::http
