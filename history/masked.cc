// SPDX-License-Identifier: MIT
#include "history/masked.h"

#include <algorithm>
#include <iterator>
#include <mutex>
#include <utility>

#include "recorder/secret_text.h"
#include "recorder/setting_text.h"

namespace flaky {
namespace {

// A shorter text is not kept out of messages: it is a word, or a part of one, in too many of them.
constexpr size_t kShortest = 6;
// PostgreSQL repeats only so much of a name.
constexpr size_t kCutName = 63;

constexpr std::string_view kWordsOfMessages[] = {
    "127.0.0.1", "bearer",    "database", "dbname",   "export",   "flaky_test", "history",
    "libsql",    "localhost", "migrate",  "password", "postgres", "postgresql", "public",
    "schema",    "secret",    "server",   "service",  "sqlite",   "sslmode",    "supabase"};

std::string PercentDecoded(std::string_view text) {
  std::string decoded;
  for (size_t at = 0; at < text.size(); ++at) {
    const int high = text[at] == '%' && at + 2 < text.size() ? flaky_recorder::HexValue(text[at + 1]) : -1;
    const int low = high >= 0 ? flaky_recorder::HexValue(text[at + 2]) : -1;
    decoded += low >= 0 ? static_cast<char>(high * 16 + low) : text[at];
    if (low >= 0) at += 2;
  }
  return decoded;
}

}  // namespace

class KnownSecrets {
 public:
  void Add(std::string_view secret) {
    if (secret.size() < kShortest || std::ranges::find(kWordsOfMessages, secret) != std::end(kWordsOfMessages)) return;
    const std::lock_guard hold(mutex_);
    if (std::ranges::find(secrets_, secret) != secrets_.end()) return;
    // The longest first: a part of it may be another one.
    const auto place =
        std::ranges::find_if(secrets_, [&](const std::string& known) { return known.size() < secret.size(); });
    secrets_.insert(place, std::string(secret));
  }

  void Clear() {
    const std::lock_guard hold(mutex_);
    secrets_.clear();
  }

  std::string TakenOutOf(std::string_view text) {
    std::string shown(text);
    const std::lock_guard hold(mutex_);
    for (const std::string& secret : secrets_) {
      for (size_t at = 0; (at = shown.find(secret, at)) != shown.npos;) {
        shown.replace(at, secret.size(), flaky_recorder::kMask);
        at += flaky_recorder::kMask.size();
      }
    }
    return shown;
  }

 private:
  std::mutex mutex_;
  std::vector<std::string> secrets_;
};

namespace {

std::shared_ptr<KnownSecrets>& OfThisProcess() {
  // Never destroyed: threads may fail until the process has ended.
  static auto* const secrets = new std::shared_ptr<KnownSecrets>(std::make_shared<KnownSecrets>());
  return *secrets;
}

}  // namespace

bool LooksSecret(std::string_view text) { return flaky_recorder::MaskedSize(text) < text.size(); }

std::string Masked(std::string_view text) {
  const size_t size = flaky_recorder::MaskedSize(text);
  std::string shown(text.substr(0, size));
  if (size < text.size()) shown += flaky_recorder::kMask;
  return shown;
}

std::vector<std::string> MaskedArguments(std::span<const std::string> arguments) {
  flaky_recorder::ArgumentMask mask;
  std::vector<std::string> masked;
  for (const std::string& argument : arguments) {
    const size_t size = mask.MaskedSizeOf(argument);
    masked.push_back(argument.substr(0, size));
    if (size < argument.size()) masked.back() += flaky_recorder::kMask;
  }
  return masked;
}

bool LooksLikeAddress(std::string_view text) { return flaky_recorder::LooksLikeAddress(text); }

std::string_view Unwrapped(std::string_view text) { return flaky_recorder::Unwrapped(text); }

std::string WithoutCredentials(std::string url) {
  const size_t scheme = url.find("://");
  if (scheme == std::string::npos) return url;
  const size_t host = scheme + 3;
  const size_t at = url.substr(0, url.find_first_of("/?#", host)).rfind('@');
  if (at != std::string::npos && at >= host) url.erase(host, at + 1 - host);
  return url;
}

void KeepOutOfMessages(std::string_view secret) {
  const auto add = [](std::string_view text) {
    KnownSecrets& known = *OfThisProcess();
    known.Add(text);
    if (text.size() > kCutName) known.Add(text.substr(0, kCutName));
  };
  for (const std::string& form : {std::string(secret), PercentDecoded(secret)}) {
    add(form);
    add(Unwrapped(form));
    for (std::string_view rest = form; !rest.empty();) {
      const std::string_view part = rest.substr(0, std::ranges::find_if(rest, flaky_recorder::IsBlank) - rest.begin());
      // Of other settings that follow a secret, only the secret ones count.
      const size_t equals = part.find('=');
      const bool named = equals != part.npos && flaky_recorder::NamesSecret(part.substr(0, equals));
      const std::string_view value = named ? part.substr(equals + 1) : equals == part.npos ? part : "";
      if (value.size() < form.size()) add(value);
      rest.remove_prefix(std::min(rest.size(), part.size() + 1));
    }
  }
}

void KeepPartsOutOfMessages(std::string_view text) {
  const std::string_view hidden = text.substr(flaky_recorder::MaskedSize(text));
  if (hidden.empty()) return;
  KeepOutOfMessages(hidden);
  const std::string_view user = hidden.substr(0, hidden.rfind('@'));
  if (user.size() == hidden.size()) return;
  KeepOutOfMessages(user);
  if (const size_t colon = user.find(':'); colon != user.npos) KeepOutOfMessages(user.substr(colon + 1));
}

std::string WithoutKnownSecrets(std::string_view text) { return OfThisProcess()->TakenOutOf(text); }

void ForgetKnownSecrets() { OfThisProcess()->Clear(); }

std::shared_ptr<KnownSecrets> ShareKnownSecrets() { return OfThisProcess(); }

void UseKnownSecrets(std::shared_ptr<KnownSecrets> secrets) { OfThisProcess() = std::move(secrets); }

}  // namespace flaky
