// SPDX-License-Identifier: MIT
#ifndef FLAKY_STORES_POSTGRES_SCRIPT_H_
#define FLAKY_STORES_POSTGRES_SCRIPT_H_

#include <string>
#include <string_view>

#include "stores/location.h"

namespace flaky::postgres {

// Runs a script of ours in the location's database, under a lock against other processes that run one. The script
// begins and ends its transactions itself. Throws StoreError: kAuth if the role may not do what the script does.
void RunScript(const Location& location, const std::string& script, std::string_view operation);

}  // namespace flaky::postgres

#endif  // FLAKY_STORES_POSTGRES_SCRIPT_H_
