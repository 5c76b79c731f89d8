// SPDX-License-Identifier: MIT
#include "history/escaped.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>

#include "history/text.h"

namespace flaky {
namespace {

struct Range {
  char32_t first, last;
};

// In ascending order. The last two characters of each plane are not listed.
constexpr auto kEscaped = std::to_array<Range>({{0x00, 0x1F},          // C0 controls
                                                {0x7F, 0x9F},          // DEL and C1 controls
                                                {0xAD, 0xAD},          // soft hyphen
                                                {0x034F, 0x034F},      // combining grapheme joiner
                                                {0x061C, 0x061C},      // Arabic letter mark
                                                {0x070F, 0x070F},      // Syriac abbreviation mark
                                                {0x115F, 0x1160},      // Hangul fillers
                                                {0x17B4, 0x17B5},      // Khmer inherent vowels
                                                {0x180B, 0x180F},      // Mongolian selectors and separator
                                                {0x200B, 0x200F},      // zero width, marks of direction
                                                {0x2028, 0x202E},      // separators, overrides of direction
                                                {0x2060, 0x206F},      // joiners, isolates
                                                {0x2800, 0x2800},      // blank braille pattern
                                                {0x3164, 0x3164},      // Hangul filler
                                                {0xFDD0, 0xFDEF},      // noncharacters
                                                {0xFE00, 0xFE0F},      // variation selectors
                                                {0xFEFF, 0xFEFF},      // byte order mark
                                                {0xFFA0, 0xFFA0},      // half-width Hangul filler
                                                {0xFFF0, 0xFFFB},      // unassigned, interlinear annotation
                                                {0x13430, 0x1343F},    // controls of hieroglyphs
                                                {0x1BCA0, 0x1BCA3},    // controls of shorthand
                                                {0x1D159, 0x1D159},    // null note head
                                                {0x1D173, 0x1D17A},    // controls of music
                                                {0xE0000, 0xE0FFF}});  // tags, variation selectors

bool IsEscaped(char32_t code) {
  if ((code & 0xFFFE) == 0xFFFE) return true;  // a noncharacter
  const auto range = std::ranges::lower_bound(kEscaped, code, {}, &Range::last);
  return range != kEscaped.end() && range->first <= code;
}

// The commands of GitHub's runner, and of the runners that follow it.
constexpr auto kWorkflowCommands = std::to_array<std::string_view>(
    {"add-mask", "add-matcher", "add-path", "debug", "echo", "endgroup", "error", "group", "internal-set-repo-path",
     "notice", "remove-matcher", "save-state", "set-env", "set-output", "stop-commands", "warning"});

bool BeginsWithWorkflowCommand(std::string_view text) {
  const std::string_view name = text.substr(0, text.find_first_of(" :"));
  const auto is_name = [&](std::string_view command) {
    const auto is_same = [](char a, char b) { return a == (b >= 'A' && b <= 'Z' ? b - 'A' + 'a' : b); };
    return std::ranges::equal(command, name, is_same);
  };
  return std::ranges::any_of(kWorkflowCommands, is_name);
}

bool EndsName(char c) {
  return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_' || c == '>';
}

// Returns true if the character at `at` must be escaped to break the beginning of a command. `begin`: what is before
// it does not stay as it is.
bool MakesCommand(std::string_view text, size_t begin, size_t at) {
  const std::string_view rest = text.substr(at + 1);
  const bool is_second = at > begin && text[at - 1] == text[at];
  switch (text[at]) {
    case ':':
      if (is_second) return at < 2 || !EndsName(text[at - 2]) || BeginsWithWorkflowCommand(rest);
      // The program may print another one after it.
      return rest.empty() && text.find_first_not_of(' ') == at;
    case '#': {
      const size_t end = rest.find_first_not_of('#');
      return is_second && end != std::string_view::npos && rest[end] != ' ';
    }
    default:
      return rest.starts_with("DartMeasurement") || rest.starts_with("CTest");
  }
}

enum class Form { kText, kJson };

// Bytes at which a character begins that may have to be escaped.
constexpr std::array<bool, 256> StopsOf(Form form) {
  std::array<bool, 256> stops{};
  for (unsigned byte = 0; byte < stops.size(); ++byte) {
    stops[byte] = byte >= 0x7F || byte == ':' || byte == '#' || byte == '<' || (form == Form::kText && byte < 0x20);
  }
  return stops;
}
constexpr std::array<bool, 256> kTextStops = StopsOf(Form::kText), kJsonStops = StopsOf(Form::kJson);

std::string Formatted(const char* format, char32_t number) {
  std::array<char, 16> text{};
  std::snprintf(text.data(), text.size(), format, static_cast<unsigned>(number));
  return text.data();
}

std::string TextEscape(char32_t code) {
  if (code == '\n') return "\\n";
  if (code == '\r') return "\\r";
  if (code == '\t') return "\\t";
  if (code < 0x80) return Formatted("\\x%02x", code);
  return Formatted(code > 0xFFFF ? "\\U%08x" : "\\u%04x", code);
}

std::string JsonEscape(char32_t code) {
  if (code <= 0xFFFF) return Formatted("\\u%04x", code);
  return Formatted("\\u%04x", 0xD800 + ((code - 0x10000) >> 10)) + Formatted("\\u%04x", 0xDC00 + (code & 0x3FF));
}

template <Form kForm>
void AppendEscaped(std::string& out, std::string_view text) {
  constexpr const std::array<bool, 256>& kStops = kForm == Form::kText ? kTextStops : kJsonStops;
  size_t begin = 0;  // of what stays as it is
  for (size_t at = 0; at < text.size();) {
    const auto byte = static_cast<unsigned char>(text[at]);
    if (!kStops[byte]) {
      ++at;
      continue;
    }
    const Character character = FirstCharacter(text.substr(at));
    const bool is_mark = byte == ':' || byte == '#' || byte == '<';
    if (character.valid && (is_mark ? !MakesCommand(text, begin, at) : !IsEscaped(character.code))) {
      at += character.length;
      continue;
    }
    out += text.substr(begin, at - begin);
    if (kForm == Form::kJson) {
      out += JsonEscape(character.valid ? character.code : 0xFFFD);
    } else {
      out += character.valid ? TextEscape(character.code) : Formatted("\\x%02x", byte);
    }
    at += character.length;
    begin = at;
  }
  out += text.substr(begin);
}

}  // namespace

std::string Escaped(std::string_view text) {
  std::string escaped;
  escaped.reserve(text.size());
  AppendEscaped<Form::kText>(escaped, text);
  return escaped;
}

std::string EscapedJson(std::string_view json) {
  std::string escaped;
  escaped.reserve(json.size());
  AppendEscaped<Form::kJson>(escaped, json);
  return escaped;
}

void AppendEscapedJson(std::string& out, std::string_view text) {
  if (std::ranges::none_of(text, [](char c) { return kJsonStops[static_cast<unsigned char>(c)]; })) {
    AppendJson(out, text);
    return;
  }
  std::string json;
  AppendJson(json, text);
  AppendEscaped<Form::kJson>(out, json);
}

Character FirstCharacter(std::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(0);
  if (lead < 0x80) return {lead, 1, true};
  const size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4 || text.size() < length) return {};
  char32_t code = lead & (0x7F >> length);
  for (size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return {};
    code = (code << 6) | (byte(i) & 0x3F);
  }
  constexpr std::array<char32_t, 5> kSmallest = {0, 0, 0x80, 0x800, 0x10000};
  if (code < kSmallest[length] || code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF)) return {};
  return {code, length, true};
}

}  // namespace flaky
