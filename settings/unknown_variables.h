// SPDX-License-Identifier: MIT
#ifndef FLAKY_SETTINGS_UNKNOWN_VARIABLES_H_
#define FLAKY_SETTINGS_UNKNOWN_VARIABLES_H_

#include <string>
#include <vector>

namespace flaky {

// A variable of the process's environment that looks like a setting but is unknown. Its value is never read, because it
// may be a secret.
struct UnknownVariable {
  std::string name;
  std::string meant;  // the setting that it was probably meant to be; empty: no name is similar
};
std::vector<UnknownVariable> UnknownVariables();

}  // namespace flaky

#endif  // FLAKY_SETTINGS_UNKNOWN_VARIABLES_H_
