// SPDX-License-Identifier: MIT
#include "history/digest.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <algorithm>
#include <bit>
#include <cstdio>
#include <cstring>
#include <string_view>
#include <vector>

#include "history/fields.h"

namespace flaky {
namespace {

static_assert(std::endian::native == std::endian::little, "the canonical bytes are little-endian");

// Appends fields in their canonical form.
class CanonicalBytes {
 public:
  void operator()(std::string_view name, const std::string& value) { Add(name, value); }
  void operator()(std::string_view name, const Timestamp& value) { Add(name, value.micros); }
  template <typename T>
  void operator()(std::string_view name, const std::optional<T>& value) {
    if (value) {
      (*this)(name, *value);
    } else if (!IsLater(name)) {
      AddText(name);
      bytes_.push_back('\0');
    }
  }
  void operator()(std::string_view name, const int64_t& value) { Add(name, value); }
  void operator()(std::string_view name, const bool& value) { Add(name, int64_t{value}); }
  void operator()(const Digest& digest) {
    AddNumber(digest.high);
    AddNumber(digest.low);
  }

  void Section(char name, size_t count) {
    bytes_.push_back(name);
    AddNumber(count);
  }

  Digest Hash() const { return DigestOf(std::string_view(bytes_)); }
  void Clear() { bytes_.clear(); }

 private:
  // Fields that were added later count only if they are present, so the digest of an older record stays the same.
  static bool IsLater(std::string_view name) { return name == "ended_early" || name == "missing_tests"; }

  void Add(std::string_view name, std::string_view value) {
    AddText(name);
    bytes_.push_back('\1');
    AddText(value);
  }
  void Add(std::string_view name, int64_t value) {
    AddText(name);
    bytes_.push_back('\1');
    AddNumber(sizeof value);
    AddNumber(static_cast<uint64_t>(value));
  }
  void AddText(std::string_view text) {
    AddNumber(text.size());
    bytes_.append(text);
  }
  void AddNumber(uint64_t number) {
    char raw[sizeof number];
    std::memcpy(raw, &number, sizeof number);
    bytes_.append(raw, sizeof raw);
  }

  std::string bytes_;
};

}  // namespace

Digest& Digest::operator+=(const Digest& other) {
  low += other.low;
  high += other.high + (low < other.low ? 1 : 0);
  return *this;
}

std::string Digest::ToString() const {
  char text[33];
  std::snprintf(text, sizeof text, "%016llx%016llx", static_cast<unsigned long long>(high),
                static_cast<unsigned long long>(low));
  return text;
}

Digest DigestOf(std::string_view bytes) {
  const XXH128_hash_t hash = XXH3_128bits(bytes.data(), bytes.size());
  return {hash.high64, hash.low64};
}

Digest DigestOf(const Failure& failure) {
  CanonicalBytes bytes;
  VisitFailure(failure, bytes);
  return bytes.Hash();
}

Digest DigestOf(const Part& part) {
  CanonicalBytes bytes;
  VisitPart(part, bytes);
  return bytes.Hash();
}

Digest DigestOf(const RunRecord& record) {
  CanonicalBytes failure_bytes;
  std::vector<Digest> failures;
  failures.reserve(record.failures.size());
  for (const Failure& failure : record.failures) {
    failure_bytes.Clear();
    VisitFailure(failure, failure_bytes);
    failures.push_back(failure_bytes.Hash());
  }
  std::sort(failures.begin(), failures.end());

  std::vector<const Part*> parts;
  parts.reserve(record.parts.size());
  for (const Part& part : record.parts) parts.push_back(&part);
  std::sort(parts.begin(), parts.end(), [](const Part* a, const Part* b) { return a->part_id < b->part_id; });

  CanonicalBytes bytes;
  VisitRun(record.run, bytes);
  bytes.Section('P', parts.size());
  for (const Part* part : parts) VisitPart(*part, bytes);
  bytes.Section('F', failures.size());
  for (const Digest& failure : failures) bytes(failure);
  return bytes.Hash();
}

}  // namespace flaky
