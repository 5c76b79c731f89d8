// SPDX-License-Identifier: MIT
#ifndef FLAKY_DELIVERY_CI_FACTS_H_
#define FLAKY_DELIVERY_CI_FACTS_H_

#include <functional>
#include <optional>
#include <string>

namespace flaky {

// What the environment of a CI job says of itself. Absent: the provider does not tell.
struct CiFacts {
  std::string provider;               // "GitHub Actions"
  std::optional<std::string> sha;     // of the commit that the job checked out
  std::optional<std::string> branch;  // for a pull request the one it comes from
  std::optional<std::string> url;     // of the job's or build's page; without credentials
};

// Absent outside of CI. `get` is as std::getenv.
std::optional<CiFacts> ReadCi(const std::function<const char*(const char*)>& get);

}  // namespace flaky

#endif  // FLAKY_DELIVERY_CI_FACTS_H_
