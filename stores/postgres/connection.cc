#include "stores/postgres/connection.h"

#include "stores/postgres/conninfo.h"
#include "stores/postgres/errors.h"

namespace flaky {

PostgresConnection::PostgresConnection(const Location& location)
    : name_(location.display_name), prefix_(location.prefix), settings_(ConnectionSettings(location)) {
  if (location.address.empty()) {
    who_decides_ = " (no connection string is set, so the PG* variables and libpq's defaults decide)";
  }
}

pqxx::connection& PostgresConnection::Session() {
  if (session_) return *session_;
  try {
    session_ = std::make_unique<pqxx::connection>(settings_);
    Tame(*session_);
  } catch (const std::bad_alloc&) {
    throw;
  } catch (const std::exception& error) {
    session_.reset();
    const PostgresFault fault = ConnectFaultOf(error);
    throw StoreError(fault.kind, name_, "connect", fault.sql_state, fault.message + who_decides_);
  }
  return *session_;
}

void PostgresConnection::DropIfLost() {
  if (session_ && !session_->is_open()) session_.reset();
}

void PostgresConnection::Fail(ErrorKind kind, std::string_view operation, const std::string& detail) const {
  throw StoreError(kind, name_, std::string(operation), "", detail);
}

void PostgresConnection::Translate(const std::exception& error, std::string_view operation) const {
  PostgresFault fault = FaultOf(error);
  if (!session_ && fault.kind != ErrorKind::kTransient) fault.kind = ErrorKind::kTransient;
  const std::string lost = session_ ? "" : "the connection was lost: ";
  throw StoreError(fault.kind, name_, std::string(operation), fault.sql_state, lost + fault.message);
}

}  // namespace flaky
