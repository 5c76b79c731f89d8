#ifndef FLAKY_STORES_POSTGRES_SCRIPT_H_
#define FLAKY_STORES_POSTGRES_SCRIPT_H_

#include <string>
#include <string_view>

#include "stores/location.h"

namespace flaky::postgres {

// Runs a script of ours in the location's database, one at a time whoever else does. It begins and ends its own
// transactions. Throws StoreError: kAuth where the role may not do what it does.
void RunScript(const Location& location, const std::string& script, std::string_view operation);

}  // namespace flaky::postgres

#endif  // FLAKY_STORES_POSTGRES_SCRIPT_H_
