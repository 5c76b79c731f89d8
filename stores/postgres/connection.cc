// SPDX-License-Identifier: MIT
#include "stores/postgres/connection.h"

#include "stores/postgres/conninfo.h"
#include "stores/postgres/errors.h"

namespace flaky::postgres {

Connection::Connection(const Location& location)
    : name_(location.display_name), prefix_(location.prefix), settings_(ConnectionSettings(location)) {
  if (location.address.empty()) {
    settings_note_ = " (no connection string is set, so the PG* variables and libpq's defaults decide)";
  }
}

pqxx::connection& Connection::Session() {
  if (session_) return *session_;
  try {
    session_ = std::make_unique<pqxx::connection>(settings_);
    Tame(*session_);
  } catch (const std::bad_alloc&) {
    throw;
  } catch (const std::exception& error) {
    session_.reset();
    const Fault fault = ConnectFaultOf(error);
    throw StoreError(fault.kind, name_, "connect", fault.sql_state, fault.message + settings_note_);
  }
  return *session_;
}

void Connection::DropIfLost() {
  if (session_ && !session_->is_open()) session_.reset();
}

void Connection::Fail(ErrorKind kind, std::string_view operation, const std::string& detail) const {
  throw StoreError(kind, name_, std::string(operation), "", detail);
}

void Connection::Translate(const std::exception& error, std::string_view operation) const {
  Fault fault = FaultOf(error);
  if (!session_ && fault.kind != ErrorKind::kTransient) fault.kind = ErrorKind::kTransient;
  const std::string lost = session_ ? "" : "the connection was lost: ";
  throw StoreError(fault.kind, name_, std::string(operation), fault.sql_state, lost + fault.message);
}

}  // namespace flaky::postgres
