// SPDX-License-Identifier: MIT
#include "stores/postgres/errors.h"

#include <algorithm>

#include "history/masked.h"
#include "history/text.h"
#include "stores/postgres/pqxx_version.h"
#include "stores/sql/code_meaning.h"

namespace flaky::postgres {
namespace {

constexpr size_t kMaxMessage = 1000;  // a detail may show a whole row

// By the beginning of the SQLSTATE.
constexpr CodeMeaning kByState[] = {
    {"08", ErrorKind::kTransient},     // the connection
    {"40", ErrorKind::kTransient},     // serialization, deadlock
    {"53", ErrorKind::kTransient},     // too many connections, out of memory, disk full
    {"55P03", ErrorKind::kTransient},  // a lock not available in time
    {"57014", ErrorKind::kTransient},  // cancelled, for instance by a time-out of the server
    {"57P0", ErrorKind::kTransient},   // shutting down, crashed, starting
    {"28", ErrorKind::kAuth},
    {kInsufficientPrivilege, ErrorKind::kAuth},
    {kReadOnlyTransaction, ErrorKind::kMissing},  // a standby: the server to write to is another one
    {"3D000", ErrorKind::kMissing},               // database
    {"3F000", ErrorKind::kMissing},               // schema
    {kUndefinedTable, ErrorKind::kMissing},
    {"22", ErrorKind::kInvalid},  // a value
    {"23", ErrorKind::kInvalid},  // a constraint
    {"54", ErrorKind::kInvalid},  // a limit
};

struct KindOfText {
  std::string_view text;
  ErrorKind kind;
};

// By the text of libpq, the server or a pooler when connecting fails; the first match counts. Everything else is worth
// another try: an unreachable or overloaded server, a name that doesn't resolve.
constexpr KindOfText kWhenConnecting[] = {
    {"authentication failed", ErrorKind::kAuth},
    {"no password supplied", ErrorKind::kAuth},
    {"pg_hba.conf", ErrorKind::kAuth},
    {"is not permitted to log in", ErrorKind::kAuth},
    {"permission denied", ErrorKind::kAuth},
    {"no such user", ErrorKind::kAuth},
    {"Tenant or user not found", ErrorKind::kAuth},
    {"certificate verify failed", ErrorKind::kAuth},
    {"does not match host name", ErrorKind::kAuth},
    {"requires a valid client certificate", ErrorKind::kAuth},
    {"alert", ErrorKind::kAuth},  // TLS: the server refused our certificate or settings
    {"root certificate", ErrorKind::kInvalid},
    {"certificate file", ErrorKind::kInvalid},
    {"private key file", ErrorKind::kInvalid},
    {"but SSL was required", ErrorKind::kInvalid},
    {"role \"", ErrorKind::kAuth},  // … does not exist
    {"no such database", ErrorKind::kMissing},
    {"definition of service", ErrorKind::kInvalid},
    {"unrecognized configuration parameter", ErrorKind::kInvalid},
    {"unsupported startup parameter", ErrorKind::kInvalid},
    {"connection option", ErrorKind::kInvalid},
    {"invalid port number", ErrorKind::kInvalid},
    {"value: \"", ErrorKind::kInvalid},  // invalid sslmode value: "…"
    {"could not match", ErrorKind::kInvalid},
};

bool IsMissingDatabase(std::string_view message) {
  const size_t database = message.find("database \"");
  return database != message.npos && message.find("\" does not exist", database) != message.npos;
}

// Returns a message as one line. It has several: the error, then possibly the statement with a mark under it, which
// users don't need because they didn't write it, then DETAIL and HINT.
std::string OneLine(std::string_view message) {
  if (message.starts_with("ERROR:") || message.starts_with("FATAL:")) message.remove_prefix(6);
  std::string all;
  while (!message.empty()) {
    const std::string_view line = message.substr(0, message.find('\n'));
    message.remove_prefix(std::min(line.size() + 1, message.size()));
    if (line.starts_with("LINE ") || line.find_first_not_of(" ^") == line.npos) continue;
    if (!all.empty()) all += "; ";
    for (const char c : line.substr(std::min(line.find_first_not_of(" \t"), line.size()))) {
      const auto byte = static_cast<unsigned char>(c);
      const char shown = byte < 0x20 || byte == 0x7f ? ' ' : c;
      if (shown != ' ' || !all.ends_with(' ')) all += shown;
    }
  }
  return all.empty() ? "no message" : CutTo(MakeStorable(all), kMaxMessage);
}

}  // namespace

Fault FaultOf(const std::exception& error) {
  Fault fault{ErrorKind::kPermanent, SqlStateOf(error), OneLine(WithoutKnownSecrets(error.what()))};
  if (const CodeMeaning* meaning = MeaningOf(kByState, fault.sql_state)) {
    fault.kind = meaning->kind;
  } else if (dynamic_cast<const pqxx::broken_connection*>(&error) != nullptr ||
             dynamic_cast<const pqxx::in_doubt_error*>(&error) != nullptr) {
    fault.kind = ErrorKind::kTransient;
  }
  return fault;
}

Fault ConnectFaultOf(const std::exception& error) {
  Fault fault = FaultOf(error);
  if (!fault.sql_state.empty()) return fault;
  fault.kind = ErrorKind::kTransient;
  if (IsMissingDatabase(fault.message)) {
    fault.kind = ErrorKind::kMissing;
    return fault;
  }
  for (const auto& [text, kind] : kWhenConnecting) {
    if (fault.message.find(text) == std::string::npos) continue;
    fault.kind = kind;
    break;
  }
  return fault;
}

}  // namespace flaky::postgres
