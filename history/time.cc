// SPDX-License-Identifier: MIT
#include "history/time.h"

#include <chrono>
#include <cstddef>

namespace flaky {
namespace {

using std::chrono::day;
using std::chrono::days;
using std::chrono::month;
using std::chrono::sys_days;
using std::chrono::year;
using std::chrono::year_month_day;

// Parses a text from left to right. After the first mismatch, ok() stays false.
class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}

  bool ok() const { return ok_; }
  bool at_end() const { return text_.empty(); }
  bool NextIsDigit() const { return !text_.empty() && text_.front() >= '0' && text_.front() <= '9'; }

  bool Take(char c) {
    if (text_.empty() || text_.front() != c) return false;
    text_.remove_prefix(1);
    return true;
  }
  void Expect(char c) { ok_ &= Take(c); }

  int Number(int digits, int min, int max) {
    int value = 0;
    for (int i = 0; i < digits; ++i) {
      if (!NextIsDigit()) {
        ok_ = false;
        return min;
      }
      value = value * 10 + (text_.front() - '0');
      text_.remove_prefix(1);
    }
    ok_ &= value >= min && value <= max;
    return value;
  }

 private:
  std::string_view text_;
  bool ok_ = true;
};

int64_t FractionMicros(Reader& reader) {
  int64_t micros = 0;
  int digits = 0;
  for (; reader.NextIsDigit(); ++digits) {
    const int digit = reader.Number(1, 0, 9);
    if (digits < 6) micros = micros * 10 + digit;
  }
  for (int i = digits; i < 6; ++i) micros *= 10;
  if (digits < 1 || digits > 9) reader.Expect('\0');
  return micros;
}

// Returns how far the text's zone is ahead of UTC, in seconds.
int64_t ZoneSeconds(Reader& reader) {
  if (reader.at_end() || reader.Take('Z')) return 0;
  const int sign = reader.Take('-') ? -1 : 1;
  if (sign > 0) reader.Expect('+');
  const int hours = reader.Number(2, 0, 23);
  reader.Take(':');
  const int minutes = reader.at_end() ? 0 : reader.Number(2, 0, 59);
  return int64_t{sign} * (hours * 3600 + minutes * 60);
}

int64_t FloorDiv(int64_t value, int64_t by) { return value / by - (value % by < 0 ? 1 : 0); }

// Faster than library functions: copying a history formats millions of times.
char* AppendDigits(char* out, int value, int digits) {
  for (int i = digits; i-- > 0; value /= 10) out[i] = static_cast<char>('0' + value % 10);
  return out + digits;
}

constexpr size_t kDateLength = 10;

char* AppendDate(char* out, int64_t micros) {
  const year_month_day date(sys_days(days(FloorDiv(micros, kMicrosPerDay))));
  out = AppendDigits(out, static_cast<int>(date.year()), 4);
  *out++ = '-';
  out = AppendDigits(out, static_cast<int>(static_cast<unsigned>(date.month())), 2);
  *out++ = '-';
  return AppendDigits(out, static_cast<int>(static_cast<unsigned>(date.day())), 2);
}

}  // namespace

std::optional<Timestamp> Timestamp::Parse(std::string_view text) {
  Reader reader(text);
  const int y = reader.Number(4, 0, 9999);
  reader.Expect('-');
  const int m = reader.Number(2, 1, 12);
  reader.Expect('-');
  const int d = reader.Number(2, 1, 31);
  if (!reader.Take('T')) reader.Expect(' ');
  const int hours = reader.Number(2, 0, 23);
  reader.Expect(':');
  const int minutes = reader.Number(2, 0, 59);
  reader.Expect(':');
  const int seconds = reader.Number(2, 0, 59);
  const int64_t micros = reader.Take('.') ? FractionMicros(reader) : 0;
  const int64_t ahead = ZoneSeconds(reader);

  const year_month_day date{year(y), month(static_cast<unsigned>(m)), day(static_cast<unsigned>(d))};
  if (!reader.ok() || !reader.at_end() || !date.ok()) return std::nullopt;
  const int64_t midnight = sys_days(date).time_since_epoch().count() * kMicrosPerDay;
  const Timestamp result{midnight + (hours * 3600 + minutes * 60 + seconds - ahead) * kMicrosPerSecond + micros};
  if (result < kMin || result > kMax) return std::nullopt;
  return result;
}

Timestamp Timestamp::Now() {
  const auto since_epoch = std::chrono::system_clock::now().time_since_epoch();
  return {std::chrono::duration_cast<std::chrono::microseconds>(since_epoch).count()};
}

std::string Timestamp::Date() const {
  char text[kDateLength];
  AppendDate(text, micros);
  return std::string(text, sizeof text);
}

std::string Timestamp::ToString() const {
  const int64_t in_day = micros - FloorDiv(micros, kMicrosPerDay) * kMicrosPerDay;
  const auto seconds = static_cast<int>(in_day / kMicrosPerSecond);
  const auto fraction = static_cast<int>(in_day % kMicrosPerSecond);
  char text[kDateLength + sizeof "THH:MM:SS.mmmmmmZ"];
  char* out = AppendDate(text, micros);
  *out++ = 'T';
  out = AppendDigits(out, seconds / 3600, 2);
  *out++ = ':';
  out = AppendDigits(out, seconds / 60 % 60, 2);
  *out++ = ':';
  out = AppendDigits(out, seconds % 60, 2);
  *out++ = '.';
  out = fraction % 1000 == 0 ? AppendDigits(out, fraction / 1000, 3) : AppendDigits(out, fraction, 6);
  *out++ = 'Z';
  return std::string(text, out);
}

}  // namespace flaky
