#include "settings/store_pair.h"

#include <filesystem>
#include <optional>
#include <system_error>

#include "stores/schemes.h"

namespace flaky {

Location SourceOf(const Settings& settings, const StoreOptions& options, const std::string& text) {
  if (!text.empty()) return NamedLocation(settings, text, options.source, Side::kSource);
  if (std::optional<Location> source = SourceLocation(settings)) return *source;
  throw SettingError(options.command + ": no old store is named: give " + options.source +
                     " LOCATION or set FLAKY_TESTS_SOURCE_STORE and its companions");
}

Location TargetOf(const Settings& settings, const StoreOptions& options, const std::string& text) {
  return text.empty() ? HistoryLocation(settings) : NamedLocation(settings, text, options.target, Side::kHistory);
}

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
