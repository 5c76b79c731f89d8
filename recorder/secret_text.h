// SPDX-License-Identifier: MIT
#ifndef FLAKY_RECORDER_SECRET_TEXT_H_
#define FLAKY_RECORDER_SECRET_TEXT_H_

#include <cstddef>
#include <string_view>

// Finds secrets in the text of people and programs: passwords, tokens, keys. The `flaky` program uses this file, too
// (history/masked.h), so that both agree on what a secret looks like. It prefers to hide too much.
#pragma GCC visibility push(hidden)
namespace flaky_recorder {

inline constexpr std::string_view kMask = "***";

constexpr bool IsLowerCase(char c) { return c >= 'a' && c <= 'z'; }
constexpr bool IsUpperCase(char c) { return c >= 'A' && c <= 'Z'; }
constexpr bool IsDigit(char c) { return c >= '0' && c <= '9'; }
constexpr bool IsLetterOrDigit(char c) { return IsLowerCase(c) || IsUpperCase(c) || IsDigit(c); }
constexpr bool IsBlank(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }
constexpr char InLowerCase(char c) { return IsUpperCase(c) ? static_cast<char>(c - 'A' + 'a') : c; }

constexpr int HexValue(char c) {
  if (IsDigit(c)) return c - '0';
  const char low = InLowerCase(c);
  return low >= 'a' && low <= 'f' ? low - 'a' + 10 : -1;
}

// The words of a name such as `DB_PASSWORD`, `dbPassword` or `db-passwor%64`, in lower case.
class NameWords {
 public:
  explicit NameWords(std::string_view name) {
    for (std::size_t at = 0; at < name.size(); ++at) {
      char c = name[at];
      if (c == '%' && at + 2 < name.size() && HexValue(name[at + 1]) >= 0 && HexValue(name[at + 2]) >= 0) {
        c = static_cast<char>(HexValue(name[at + 1]) * 16 + HexValue(name[at + 2]));
        at += 2;
      }
      const bool begins_word = IsUpperCase(c) && at > 0 && IsLowerCase(name[at - 1]);
      if (begins_word || !IsLetterOrDigit(c)) Put('-');
      if (IsLetterOrDigit(c)) Put(InLowerCase(c));
    }
  }

  bool too_long() const { return too_long_; }

  bool Have(std::string_view wanted) const {
    for (std::string_view rest(words_, size_); !rest.empty();) {
      const std::string_view word = rest.substr(0, rest.find('-'));
      if (word == wanted) return true;
      rest.remove_prefix(word.size() < rest.size() ? word.size() + 1 : rest.size());
    }
    return false;
  }

  // Returns true if the letters contain this, whatever separates them.
  bool Contain(std::string_view wanted) const {
    for (std::size_t begin = 0; begin < size_; ++begin) {
      std::size_t at = begin, matched = 0;
      for (; at < size_ && matched < wanted.size(); ++at) {
        if (words_[at] == '-') continue;
        if (words_[at] != wanted[matched]) break;
        ++matched;
      }
      if (matched == wanted.size()) return true;
    }
    return false;
  }

 private:
  void Put(char c) {
    too_long_ |= size_ == sizeof words_;
    if (!too_long_) words_[size_++] = c;
  }

  char words_[160];
  std::size_t size_ = 0;
  bool too_long_ = false;
};

// Returns true if the value of an option, a variable, a keyword or a header of this name is a secret.
inline bool NamesSecret(std::string_view name) {
  const NameWords words(name);
  if (words.too_long()) return true;
  for (const std::string_view word :
       {"pass", "pw", "pwd", "key", "auth", "pin", "psk", "jwt", "sas", "sig", "otp", "creds", "dsn"}) {
    if (words.Have(word)) return true;
  }
  for (const std::string_view part :
       {"password", "passwd", "passphrase", "secret", "token", "credential", "apikey", "accesskey", "privatekey",
        "accountkey", "bearer", "authorization", "cookie", "connectionstring"}) {
    if (words.Contain(part)) return true;
  }
  return false;
}

// What keys begin with, and how many more characters they have at least.
struct KeyForm {
  std::string_view begin;
  std::size_t rest;
};
inline constexpr KeyForm kKeyForms[] = {
    {"AKIA", 12},       {"ASIA", 12},       {"ghp_", 8},   {"gho_", 8},     {"ghu_", 8},      {"ghs_", 8},
    {"ghr_", 8},        {"github_pat_", 8}, {"glpat-", 8}, {"gldt-", 8},    {"xoxb-", 8},     {"xoxp-", 8},
    {"xoxa-", 8},       {"xoxr-", 8},       {"xoxs-", 8},  {"xapp-", 8},    {"sk-", 16},      {"sk_live_", 8},
    {"sk_test_", 8},    {"rk_live_", 8},    {"AIza", 16},  {"ya29.", 8},    {"eyJ", 10},      {"npm_", 16},
    {"pypi-", 16},      {"dop_v1_", 8},     {"SG.", 16},   {"hvs.", 8},     {"hf_", 16},      {"sb_secret_", 4},
    {"sbp_", 8},        {"shpat_", 8},      {"glsa_", 8},  {"lin_api_", 8}, {"dckr_pat_", 8}, {"AGE-SECRET-KEY-", 4},
    {"-----BEGIN ", 0},
};

constexpr bool IsOfKey(char c) {
  return IsLetterOrDigit(c) || c == '_' || c == '-' || c == '.' || c == '+' || c == '=';
}

inline bool BeginsKey(std::string_view text) {
  for (const KeyForm& form : kKeyForms) {
    if (text.substr(0, form.begin.size()) != form.begin) continue;
    std::size_t rest = 0;
    while (form.begin.size() + rest < text.size() && IsOfKey(text[form.begin.size() + rest])) ++rest;
    if (rest >= form.rest) return true;
  }
  return false;
}

// Returns true for letters and digits that look drawn by lot, such as the secret key of a cloud.
inline bool IsRandom(std::string_view run) {
  if (run.size() < 32) return false;
  std::size_t upper = 0, lower = 0, turns = 0;
  for (std::size_t at = 0; at < run.size(); ++at) {
    upper += IsUpperCase(run[at]);
    lower += IsLowerCase(run[at]);
    turns += at > 0 && IsDigit(run[at]) != IsDigit(run[at - 1]);
  }
  return upper >= 3 && lower >= 3 && turns >= 6;
}

// Returns the position of the value after `Bearer ` or `Basic `, or npos.
inline std::size_t AfterScheme(std::string_view text) {
  for (const std::string_view scheme : {"bearer ", "basic "}) {
    std::size_t at = 0;
    while (at < scheme.size() && at < text.size() && InLowerCase(text[at]) == scheme[at]) ++at;
    if (at == scheme.size() && at < text.size()) return at;
  }
  return std::string_view::npos;
}

// Returns the position of the credentials of `…://USER:PASSWORD@HOST`, `…://TOKEN@HOST` or `USER:PASSWORD@HOST`, or the
// text's size. An unencoded password may contain any character, so the last @ of a word counts.
inline std::size_t CredentialsIn(std::string_view text) {
  for (std::size_t begin = 0; begin < text.size();) {
    std::size_t end = begin;
    while (end < text.size() && !IsBlank(text[end])) ++end;
    const std::string_view word = text.substr(begin, end - begin);
    const std::size_t at = word.rfind('@');
    if (at != word.npos) {
      const std::string_view before = word.substr(0, at);
      if (const std::size_t url = before.find("://"); url != before.npos) return begin + url + 3;
      // A password may contain blanks, too: `://` in front of them counts.
      if (const std::size_t url = text.substr(0, begin + at).find("://"); url != text.npos) return url + 3;
      std::size_t user = before.find('=');
      user = user == before.npos ? 0 : user + 1;
      if (const std::size_t colon = before.find(':', user); colon != before.npos && colon + 1 < before.size())
        return begin + user;
    }
    begin = end + 1;
  }
  return text.size();
}

// Returns the position of the value of a secret name in `NAME=VALUE`, `NAME: VALUE`, `"NAME":"VALUE"` and lists of
// them; or the text's size.
inline std::size_t NamedSecretIn(std::string_view text) {
  const auto of_name = [](char c) { return IsLetterOrDigit(c) || c == '_' || c == '-' || c == '.' || c == '%'; };
  for (std::size_t begin = 0; begin < text.size(); ++begin) {
    if (!of_name(text[begin])) continue;
    std::size_t end = begin;
    while (end < text.size() && of_name(text[end])) ++end;
    std::size_t sign = end;
    while (sign < text.size() && (IsBlank(text[sign]) || text[sign] == '"' || text[sign] == '\'')) ++sign;
    const bool names = sign < text.size() && (text[sign] == '=' || (text[sign] == ':' && text.substr(sign, 2) != "::"));
    if (names && NamesSecret(text.substr(begin, end - begin))) return sign + 1;
    begin = end;
  }
  return text.size();
}

// Returns the position of a key or token that shows by its form what it is, or the text's size.
inline std::size_t KeyIn(std::string_view text, bool also_random) {
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (at > 0 && IsLetterOrDigit(text[at - 1])) continue;
    if (BeginsKey(text.substr(at))) return at;
    if (const std::size_t value = AfterScheme(text.substr(at)); value != text.npos) return at + value;
    std::size_t end = at;
    while (end < text.size() && (IsLetterOrDigit(text[end]) || text[end] == '+')) ++end;
    if (also_random && IsRandom(text.substr(at, end - at))) return at;
  }
  return text.size();
}

// Returns how many bytes of the text may be shown: all, unless it contains what looks like a secret. `MaskedSize` bytes
// and kMask are to be shown instead of it.
inline std::size_t MaskedSize(std::string_view text) {
  // The names of tests look like anything.
  const bool selects_tests = text.substr(0, 8) == "--gtest_" || text.substr(0, 7) == "-gtest_";
  std::size_t size = CredentialsIn(text);
  if (const std::size_t key = KeyIn(text, !selects_tests); key < size) size = key;
  if (const std::size_t value = selects_tests ? size : NamedSecretIn(text); value < size) size = value;
  return size;
}

// Decides for the arguments of a program, one after the other, how many bytes of each may be shown. The first one is
// the program's path, by which the history knows its tests: all of it is shown.
class ArgumentMask {
 public:
  std::size_t MaskedSizeOf(std::string_view argument) {
    if (is_program_) {
      is_program_ = false;
      return argument.size();
    }
    const std::string_view before = before_;
    before_ = argument;
    if (IsOption(before) && argument.substr(0, 2) != "--" && TakesSecret(before, argument)) return 0;
    return MaskedSize(argument);
  }

 private:
  static bool IsOption(std::string_view text) {
    return text.size() > 1 && text[0] == '-' && text.find('=') == text.npos && text.substr(0, 8) != "--gtest_";
  }
  static bool TakesSecret(std::string_view option, std::string_view value) {
    if (NamesSecret(option)) return true;
    if (value.find(':') == value.npos) return false;
    for (const std::string_view user : {"-u", "--user", "--proxy-user", "--userpwd", "--login"}) {
      if (option == user) return true;
    }
    return false;
  }

  bool is_program_ = true;
  std::string_view before_;
};

}  // namespace flaky_recorder
#pragma GCC visibility pop

#endif  // FLAKY_RECORDER_SECRET_TEXT_H_
