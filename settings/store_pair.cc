#include "settings/store_pair.h"

#include <filesystem>
#include <system_error>

#include "settings/settings.h"
#include "stores/schemes.h"

namespace flaky {

bool AreSameStore(const Location& one, const Location& other) {
  if (one.scheme != other.scheme || one.prefix != other.prefix) return false;
  std::error_code ignored;
  return one.address.Reveal() == other.address.Reveal() ||
         (SchemeOf(one.scheme).is_file &&
          std::filesystem::equivalent(one.address.Reveal(), other.address.Reveal(), ignored));
}

void RefuseSameStore(const StoreOptions& options, const Location& source, const Location& target) {
  if (AreSameStore(source, target)) {
    throw SettingError(options.command + ": both stores are " + source.display_name +
                       ": name two different ones with " + options.source + " and " + options.target);
  }
}

}  // namespace flaky
