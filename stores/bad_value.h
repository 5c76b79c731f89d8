#ifndef FLAKY_STORES_BAD_VALUE_H_
#define FLAKY_STORES_BAD_VALUE_H_

#include <string>
#include <string_view>

// A value in a database that the field it belongs to cannot hold: every SQL store says so in the same words.
namespace flaky {

inline constexpr std::string_view kWantText = "a text";
inline constexpr std::string_view kWantInteger = "a whole number";
inline constexpr std::string_view kWantBool = "0 or 1";
inline constexpr std::string_view kWantTime = "a time (YYYY-MM-DDTHH:MM:SS.mmmZ)";

// A text between quotes: short, and harmless on a terminal.
std::string ShownText(std::string_view text);

// Throws StoreError (kInvalid) that names run and column. `shown`: the value; `wanted`: what it is not.
[[noreturn]] void RefuseValue(const std::string& store, std::string_view run_id, std::string_view column,
                              const std::string& shown, std::string_view wanted);

}  // namespace flaky

#endif  // FLAKY_STORES_BAD_VALUE_H_
