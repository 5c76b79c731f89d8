#include "stores/bad_value.h"

#include "history/text.h"
#include "stores/error.h"

namespace flaky {
namespace {

constexpr size_t kShownBytes = 60;

}  // namespace

std::string ShownText(std::string_view text) {
  std::string shown = CutTo(MakeStorable(text), kShownBytes);
  for (char& c : shown) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
  }
  return "'" + shown + "'";
}

void RefuseValue(const std::string& store, std::string_view run_id, std::string_view column, const std::string& shown,
                 std::string_view wanted) {
  throw StoreError(ErrorKind::kInvalid, store, "read run '" + std::string(run_id) + "'", "",
                   "its column '" + std::string(column) + "' holds " + shown + ", which is not " + std::string(wanted));
}

}  // namespace flaky
