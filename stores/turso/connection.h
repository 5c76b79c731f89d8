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
#include "stores/turso/hrana_request.h"
#include "stores/turso/turso_store.h"
#include "stores/turso/url.h"

namespace flaky {

// True if the server's answer would have been longer than the server gives.
bool IsTooLarge(const HranaError& error);
bool IsConstraint(const HranaError& error);

// A text among what was asked for is no UTF-8, for which the server has no answer.
struct TextIsNoUtf8 : StoreError {
  using StoreError::StoreError;
};

// One libSQL server as one history's place, and the edge at which its errors become StoreErrors. Nothing is kept on the
// server between two calls.
class TursoConnection {
 public:
  TursoConnection(const Location& location, const TursoOptions& options);

  const std::string& name() const { return name_; }
  const SqliteTables& tables() const { return tables_; }

  // All of these throw StoreError where the server does not answer as it should. `operation` says what was being done.
  //
  // Reading statements, all of one moment. Statements that failed are left to the caller.
  HranaAnswer TryRead(std::span<const HranaStatement> statements, std::string_view operation);
  // The same, row by row: for answers that are longer than the server gives otherwise.
  HranaAnswer TryReadLong(std::span<const HranaStatement> statements, std::string_view operation);
  // One statement that does not fail.
  HranaAnswer Read(const HranaStatement& statement, std::string_view operation);
  // A write transaction, begun if the checks do not fail: all of it or nothing. A caller that gets no answer does not
  // know which.
  HranaOutcome Transact(std::span<const HranaStatement> checks, std::span<const HranaStatement> statements,
                        std::string_view operation);

  // Throws what a failed statement is to a caller.
  [[noreturn]] void Throw(const HranaError& error, std::string_view operation) const;
  // Throws for the first of the answer's statements that failed, if any did.
  void ThrowIfFailed(const HranaAnswer& answer, std::string_view operation) const;
  [[noreturn]] void Fail(ErrorKind kind, std::string_view operation, const std::string& detail) const;

 private:
  std::string Post(std::string_view path, const std::string& body, std::string_view operation, size_t most_bytes);
  [[noreturn]] void Refused(const HttpResponse& response, std::string_view operation) const;

  std::string name_;
  SqliteTables tables_;
  TursoAddress address_;
  HttpClient client_;
  std::vector<std::string> headers_;
};

}  // namespace flaky

#endif  // FLAKY_STORES_TURSO_CONNECTION_H_
