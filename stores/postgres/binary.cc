// SPDX-License-Identifier: MIT
#include "stores/postgres/binary.h"

#include <charconv>
#include <limits>
#include <utility>

namespace flaky::postgres {
namespace {

// The types' numbers in `SELECT oid FROM pg_type`, in order of ColumnType. They never change.
struct Type {
  std::string_view name;
  uint32_t oid;
};
constexpr Type kTypes[] = {{"text", 25}, {"bigint", 20}, {"timestamptz", 1184}, {"boolean", 16}};

constexpr int64_t kEpoch = 946'684'800 * kMicrosPerSecond;  // PostgreSQL's: the beginning of 2000
constexpr int64_t kInfinity = std::numeric_limits<int64_t>::max();
constexpr int64_t kMinusInfinity = std::numeric_limits<int64_t>::min();

// Network byte order.
template <typename Unsigned>
void Append(std::string& out, Unsigned value) {
  for (int shift = std::numeric_limits<Unsigned>::digits - 8; shift >= 0; shift -= 8) {
    out += static_cast<char>((value >> shift) & 0xff);
  }
}

void Overwrite(std::string& out, size_t at, uint32_t value) {
  std::string bytes;
  Append(bytes, value);
  out.replace(at, bytes.size(), bytes);
}

int64_t Micros2000(Timestamp time) {
  if (time < Timestamp::kMin) return kMinusInfinity;
  if (time > Timestamp::kMax) return kInfinity;
  return time.micros - kEpoch;
}

// The header has the number of dimensions, whether there are NULLs and the type of the elements; then, for the one
// dimension, its size and the index of its first element.
constexpr size_t kNullsAt = 4;
constexpr size_t kSizeAt = 12;

}  // namespace

std::string_view SqlName(ColumnType type) { return kTypes[static_cast<size_t>(type)].name; }

std::string BinaryNumber(int64_t value) {
  std::string bytes;
  Append(bytes, static_cast<uint64_t>(value));
  return bytes;
}

std::string BinaryTime(Timestamp time) { return BinaryNumber(Micros2000(time)); }

std::optional<Timestamp> TimeOfHex(std::string_view hex) {
  uint64_t bits = 0;
  const auto [end, error] = std::from_chars(hex.data(), hex.data() + hex.size(), bits, 16);
  if (error != std::errc() || hex.size() != 16 || end != hex.data() + hex.size()) return std::nullopt;
  const auto micros = static_cast<int64_t>(bits);
  if (micros < Timestamp::kMin.micros - kEpoch || micros > Timestamp::kMax.micros - kEpoch) return std::nullopt;
  return Timestamp{micros + kEpoch};
}

BinaryArray::BinaryArray(ColumnType type) {
  Append(bytes_, uint32_t{1});
  Append(bytes_, uint32_t{0});
  Append(bytes_, kTypes[static_cast<size_t>(type)].oid);
  Append(bytes_, uint32_t{0});
  Append(bytes_, uint32_t{1});
}

void BinaryArray::AddText(std::string_view text) {
  ++size_;
  Append(bytes_, static_cast<uint32_t>(text.size()));
  bytes_ += text;
}

void BinaryArray::AddNumber(int64_t number) {
  ++size_;
  Append(bytes_, uint32_t{sizeof number});
  Append(bytes_, static_cast<uint64_t>(number));
}

void BinaryArray::AddTime(Timestamp time) { AddNumber(Micros2000(time)); }

void BinaryArray::AddBool(bool value) {
  ++size_;
  Append(bytes_, uint32_t{1});
  bytes_ += value ? '\1' : '\0';
}

void BinaryArray::AddNull() {
  ++size_;
  has_null_ = true;
  Append(bytes_, std::numeric_limits<uint32_t>::max());
}

std::string BinaryArray::Take() {
  Overwrite(bytes_, kNullsAt, has_null_ ? 1 : 0);
  Overwrite(bytes_, kSizeAt, static_cast<uint32_t>(size_));
  return std::move(bytes_);
}

}  // namespace flaky::postgres
