// SPDX-License-Identifier: MIT
#ifndef FLAKY_STORES_TURSO_CONNECTION_H_
#define FLAKY_STORES_TURSO_CONNECTION_H_

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "stores/error.h"
#include "stores/http/client.h"
#include "stores/location.h"
#include "stores/sql/sqlite_dialect.h"
#include "stores/turso/hrana_answer.h"
#include "stores/turso/hrana_cursor.h"
#include "stores/turso/hrana_request.h"
#include "stores/turso/url.h"

namespace flaky::turso {

// The longest answer to ReadRows: one run with all that belongs to it, in Hrana's encoding.
inline constexpr size_t kLongestRun = 128 << 20;

// Returns true if the answer would have been longer than the server's limit.
bool IsTooLarge(const HranaError& error);
bool IsConstraint(const HranaError& error);

// Thrown if the server can't answer because a text among the results isn't valid UTF-8.
struct TextIsNoUtf8 : StoreError {
  using StoreError::StoreError;
};

// One libSQL server with one history, and the edge at which the server's errors become StoreErrors. Nothing is kept on
// the server between two calls.
class Connection {
 public:
  Connection(const Location& location, const http::Options& options);

  const std::string& name() const { return name_; }
  const SqliteTables& tables() const { return tables_; }

  // All of these throw StoreError if the server doesn't answer as the protocol says. `operation` names the failed
  // operation in the error: "write runs".
  //
  // Runs statements that read, all in one snapshot. The caller handles statements that failed.
  // If the answer is longer than http::kLongestAnswer, each has the error for which IsTooLarge is true.
  HranaAnswer TryRead(std::span<const HranaStatement> statements, std::string_view operation);
  // The same, answered row by row as the rows arrive, up to kLongestRun. Throws if a statement fails. `take` must not
  // use this connection.
  void ReadRows(std::span<const HranaStatement> statements, std::string_view operation, const TakeRow& take);
  // Runs one statement that reads. Throws if it fails.
  HranaAnswer Read(const HranaStatement& statement, std::string_view operation);
  // The same for a statement that always returns a row.
  HranaAnswer ReadOne(const HranaStatement& statement, std::string_view operation);
  // Runs a write transaction, which is begun only if the checks don't fail, and is applied as a whole or not at all. If
  // there is no answer, the caller can't know which.
  HranaOutcome Transact(std::span<const HranaStatement> checks, std::span<const HranaStatement> statements,
                        std::string_view operation);

  // Returns true if this is known to be a replica of another server: its newest rows may be missing. Never throws, and
  // takes little time.
  bool IsReplica() const;

  // Throws the StoreError for a failed statement.
  [[noreturn]] void Throw(const HranaError& error, std::string_view operation) const;
  // Throws for the first failed statement of the answer, if there is one.
  void ThrowIfFailed(const HranaAnswer& answer, std::string_view operation) const;
  [[noreturn]] void Fail(ErrorKind kind, std::string_view operation, const std::string& detail) const;
  // Throws for an answer that isn't that of a libSQL server.
  [[noreturn]] void FailMalformed(std::string_view operation) const;
  // Returns the value of a column that always is a text.
  std::string_view TextOf(const HranaValue& value, std::string_view operation) const;

 private:
  std::string Post(const std::string& body, std::string_view operation);
  std::string Send(http::Request& request, std::string_view path, const std::string& body, std::string_view operation);
  [[noreturn]] void Refused(const http::Response& response, std::string_view operation) const;

  std::string name_;
  SqliteTables tables_;
  Address address_;
  http::Client client_;
  std::vector<std::string> headers_;
};

}  // namespace flaky::turso

#endif  // FLAKY_STORES_TURSO_CONNECTION_H_
