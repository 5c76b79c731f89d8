// SPDX-License-Identifier: MIT
#include "settings/store_identity.h"

#include <filesystem>
#include <system_error>

#include "history/digest.h"
#include "settings/locations.h"
#include "stores/redacted.h"
#include "stores/schemes.h"

namespace flaky {
namespace {

// What libpq takes for the parts that an address does not have.
constexpr const char* kLibpqVariables[] = {"PGHOST", "PGHOSTADDR", "PGPORT",        "PGDATABASE",
                                           "PGUSER", "PGSERVICE",  "PGSERVICEFILE", "PGOPTIONS"};

// Returns the path without links, as far as it exists.
std::string WithoutLinks(const std::string& path) {
  std::error_code error;
  const std::filesystem::path real = std::filesystem::weakly_canonical(path, error);
  return error ? path : real.string();
}

}  // namespace

std::string StoreIdentity(const Location& location) {
  const SchemeInfo& scheme = SchemeOf(location.scheme);
  std::string all = location.scheme + '\n' + location.prefix + '\n';
  if (scheme.uses_libpq) {
    for (const char* variable : kLibpqVariables) {
      if (const char* value = GetEnvironment(variable)) (all += variable).append("=").append(value) += '\n';
    }
  }
  const std::string place = PlaceIn(scheme, location.address.Reveal());
  return DigestOf(all + '\n' + (scheme.is_file ? WithoutLinks(place) : place)).ToString();
}

}  // namespace flaky
