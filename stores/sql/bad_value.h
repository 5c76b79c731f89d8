#ifndef FLAKY_STORES_SQL_BAD_VALUE_H_
#define FLAKY_STORES_SQL_BAD_VALUE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "history/time.h"
#include "stores/conversion.h"

// Values in a database that the field they belong to cannot hold, because another tool left them there: what they are
// read as, in every SQL store alike (docs/reference/conversion.md).
namespace flaky {

inline constexpr std::string_view kWantText = "a text";
inline constexpr std::string_view kWantTime = "a time (YYYY-MM-DDTHH:MM:SS.mmmZ)";

// A text between quotes: short, and harmless on a terminal.
std::string ShownText(std::string_view text);

// A value as it stands in a column that may hold any.
struct StoredValue {
  enum class Type { kNull, kInteger, kReal, kText, kBlob };
  Type type = Type::kNull;
  int64_t integer = 0;
  double real = 0;
  std::string_view bytes;  // of a text or a blob
};

// What a required time is where none can be read.
inline constexpr Timestamp kNoTime{0};

// The time of a text or of a blob that spells one.
std::optional<Timestamp> TimeOf(const StoredValue& value);

// Makes fields of values that are none of their type, and tells of each. Readers of rows come here with whatever they
// do not expect; what they expect is none of its business.
class ValueConverter {
 public:
  // `table`: "runs". `told`: what is added to; null: nobody wants to know. It must outlive the object.
  ValueConverter(std::string_view table, std::vector<Conversion>* told) : table_(table), told_(told) {}

  // A number's text as SQLite writes it, a blob's bytes, an empty text for NULL.
  std::string Text(std::string_view column, const StoredValue& value) const;
  // A text that no store takes, as MakeStorable has it; told as Conversion::Kind::kText.
  std::string RawText(std::string_view column, std::string_view bytes) const;
  // Of these, NULL is absent and nothing to be told; nor is a truth that is 0 or 1.
  std::optional<int64_t> Number(std::string_view column, const StoredValue& value) const;
  std::optional<bool> Bool(std::string_view column, const StoredValue& value) const;
  std::optional<Timestamp> Time(std::string_view column, const StoredValue& value) const;
  Timestamp RequiredTime(std::string_view column, const StoredValue& value) const;

 private:
  void Tell(std::string_view column, const StoredValue& value, const std::string& became) const;

  std::string_view table_;
  std::vector<Conversion>* told_;
};

// Tells that a part's roster is not there, or holds what does not belong to its id.
void TellRosterLeftOut(std::vector<Conversion>* told, std::string_view roster_id);

// Throws StoreError (kInvalid) for an id of another type, of a run or of a failure: nothing could refer to such a row.
// `table`: as it is called in the database; `condition`: SQL that finds the row.
[[noreturn]] void RefuseId(const std::string& store, const std::string& table, std::string_view column,
                           std::string_view condition);

}  // namespace flaky

#endif  // FLAKY_STORES_SQL_BAD_VALUE_H_
