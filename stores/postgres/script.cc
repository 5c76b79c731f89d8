// SPDX-License-Identifier: MIT
#include "stores/postgres/script.h"

#include "history/digest.h"
#include "stores/postgres/binary.h"
#include "stores/postgres/columns.h"
#include "stores/postgres/connection.h"
#include "stores/postgres/errors.h"

namespace flaky::postgres {

void RunScript(const Location& location, const std::string& script, std::string_view operation) {
  Connection connection(location);
  connection.Guard(operation, [&](pqxx::connection& session) {
    pqxx::nontransaction transaction(session);
    const Digest key = DigestOf("flaky: a script for " + connection.prefix());
    Execute(transaction, "SELECT pg_advisory_lock($1::bigint)", {BinaryNumber(static_cast<int64_t>(key.low))});
    try {
      transaction.exec(script);
    } catch (const pqxx::sql_error& error) {
      const Fault fault = FaultOf(error);
      if (fault.sql_state != kInsufficientPrivilege) throw;
      throw StoreError(ErrorKind::kAuth, connection.name(), std::string(operation), fault.sql_state,
                       fault.message + "; the role '" + session.username() +
                           "' may not create or change the tables and functions; use the role that owns them");
    }
  });
}

}  // namespace flaky::postgres
