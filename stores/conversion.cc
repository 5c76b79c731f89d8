#include "stores/conversion.h"

#include <algorithm>
#include <utility>

#include "history/text.h"

namespace flaky {
namespace {

constexpr size_t kShownBytes = 60;

}  // namespace

void AddConversion(std::vector<Conversion>& conversions, Conversion more) {
  const auto same = std::ranges::find_if(
      conversions, [&](const Conversion& known) { return known.kind == more.kind && known.column == more.column; });
  if (same == conversions.end()) {
    conversions.push_back(std::move(more));
  } else {
    same->amount += more.amount;
  }
}

std::string ShownText(std::string_view text) {
  std::string shown = CutTo(MakeStorable(text), kShownBytes);
  for (char& c : shown) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
  }
  return "'" + shown + "'";
}

}  // namespace flaky
