#ifndef FLAKY_STORES_SQL_BAD_VALUE_H_
#define FLAKY_STORES_SQL_BAD_VALUE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "history/time.h"
#include "stores/conversion.h"

// Values that another tool left in a database and that their field cannot hold: how every SQL store reads them
// (docs/reference/conversion.md).
namespace flaky {

// A value of a column that may hold any type.
struct StoredValue {
  enum class Type { kNull, kInteger, kReal, kText, kBlob };
  Type type = Type::kNull;
  int64_t integer = 0;
  double real = 0;
  std::string_view bytes;  // of a text or a blob
};

// What a required time is read as if it is not a time.
inline constexpr Timestamp kNoTime{0};

// Returns the time that a text or blob spells, or nullopt.
std::optional<Timestamp> TimeOf(const StoredValue& value);

// Converts values of unexpected types to fields, and reports each. Readers of rows call it for values that they do not
// expect.
class ValueConverter {
 public:
  // `table`: "runs". `conversions`: receives a note for each converted value and must outlive the object; may be null.
  ValueConverter(std::string_view table, std::vector<Conversion>* conversions)
      : table_(table), conversions_(conversions) {}

  // Returns a number's text as SQLite writes it, a blob's bytes, or an empty text for NULL.
  std::string Text(std::string_view column, const StoredValue& value) const;
  // Returns MakeStorable of a text that no store takes, and reports it as Conversion::Kind::kText.
  std::string RawText(std::string_view column, std::string_view bytes) const;
  // These return nullopt for NULL, which is not reported; neither is a bool that is 0 or 1.
  std::optional<int64_t> Number(std::string_view column, const StoredValue& value) const;
  std::optional<bool> Bool(std::string_view column, const StoredValue& value) const;
  std::optional<Timestamp> Time(std::string_view column, const StoredValue& value) const;
  Timestamp RequiredTime(std::string_view column, const StoredValue& value) const;

 private:
  void Report(std::string_view column, const StoredValue& value, const std::string& became) const;

  std::string_view table_;
  std::vector<Conversion>* conversions_;
};

// Reports that a part's roster is missing, or that its content does not match its id. `conversions` may be null.
void ReportRosterLeftOut(std::vector<Conversion>* conversions, std::string_view roster_id);

// Throws StoreError (kInvalid) for a run or failure whose id has an unexpected type, so that nothing could refer to it.
// `table`: its name in the database; `condition`: SQL that finds the row.
[[noreturn]] void RefuseId(const std::string& store, const std::string& table, std::string_view column,
                           std::string_view condition);

}  // namespace flaky

#endif  // FLAKY_STORES_SQL_BAD_VALUE_H_
