#include "stores/open.h"

#include <string_view>

#ifdef FLAKY_STORE_SQLITE
#include "stores/sqlite/sqlite_store.h"
#endif

namespace flaky {
namespace {

using OpenFunction = std::unique_ptr<Store> (*)(const Location&, OpenMode);

struct Scheme {
  std::string_view name;
  std::string_view address_form;
  OpenFunction open;  // null: this build does not have it
};

#ifdef FLAKY_STORE_SQLITE
constexpr OpenFunction kSqlite = [](const Location& location, OpenMode mode) { return OpenSqlite(location, mode); };
#else
constexpr OpenFunction kSqlite = nullptr;
#endif

// The one table of stores.
constexpr Scheme kSchemes[] = {
    {"sqlite", "sqlite:PATH", kSqlite},  {"postgres", "postgres://USER@HOST/DATABASE", nullptr},
    {"turso", "libsql://HOST", nullptr}, {"supabase", "supabase:https://PROJECT.supabase.co", nullptr},
    {"jsonl", "jsonl:PATH", nullptr},
};

std::string BuiltSchemes() {
  std::string text;
  for (const Scheme& scheme : kSchemes) {
    if (scheme.open == nullptr) continue;
    if (!text.empty()) text += ", ";
    text += scheme.address_form;
  }
  return text.empty() ? "none" : text;
}

}  // namespace

std::unique_ptr<Store> OpenStore(const Location& location, OpenMode mode) {
  for (const Scheme& scheme : kSchemes) {
    if (scheme.name == location.scheme && scheme.open != nullptr) return scheme.open(location, mode);
  }
  throw StoreError(ErrorKind::kInvalid, location.shown, "open the store", "",
                   "this build does not have the store '" + location.scheme + "'; it has: " + BuiltSchemes());
}

const std::vector<SchemeInfo>& KnownSchemes() {
  static const std::vector<SchemeInfo> known = [] {
    std::vector<SchemeInfo> list;
    for (const Scheme& scheme : kSchemes) {
      list.push_back({std::string(scheme.name), scheme.open != nullptr, std::string(scheme.address_form)});
    }
    return list;
  }();
  return known;
}

}  // namespace flaky
