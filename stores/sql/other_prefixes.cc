#include "stores/sql/other_prefixes.h"

#include <algorithm>
#include <set>

#include "stores/location.h"
#include "stores/sql/tables.h"

namespace flaky {
namespace {

// Tables that flaky did not make may have any name.
bool MayBePrefix(std::string_view prefix) {
  try {
    CheckPrefix(prefix, "");
  } catch (const StoreError&) {
    return false;
  }
  return true;
}

}  // namespace

void FindOtherPrefixes(StoreHealth& health, std::span<const std::string> tables, std::string_view prefix) {
  constexpr std::string_view kLedger = "schema";
  const std::set<std::string_view> names(tables.begin(), tables.end());
  for (const std::string_view name : names) {
    if (!name.ends_with(kLedger)) continue;
    const std::string other(name.substr(0, name.size() - kLedger.size()));
    const bool whole = std::ranges::all_of(
        TableShapes(), [&](const TableShape& shape) { return names.contains(other + std::string(shape.name)); });
    if (whole && other != prefix && MayBePrefix(other)) health.other_prefixes.push_back(other);
  }
}

}  // namespace flaky
