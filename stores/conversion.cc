#include "stores/conversion.h"

#include <algorithm>
#include <utility>

namespace flaky {

void AddConversion(std::vector<Conversion>& conversions, Conversion more) {
  const auto same = std::ranges::find_if(
      conversions, [&](const Conversion& known) { return known.kind == more.kind && known.column == more.column; });
  if (same == conversions.end()) {
    conversions.push_back(std::move(more));
  } else {
    same->amount += more.amount;
  }
}

}  // namespace flaky
