// SPDX-License-Identifier: MIT
#ifndef FLAKY_STORES_TURSO_HRANA_REQUEST_H_
#define FLAKY_STORES_TURSO_HRANA_REQUEST_H_

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "stores/turso/hrana_value.h"

// Builds the requests to a libSQL server. Independent of any connection.
namespace flaky::turso {

// A statement and the values of its parameters, in order.
class HranaStatement {
 public:
  explicit HranaStatement(std::string_view sql);

  // Precondition: storable (history/text.h).
  HranaStatement& Text(std::string_view value);
  HranaStatement& TextOrNull(const std::optional<std::string>& value) { return value ? Text(*value) : Null(); }
  HranaStatement& Integer(int64_t value);
  HranaStatement& Blob(std::string_view bytes);
  HranaStatement& Null();
  // A value as the server returned it; a kRawText becomes a blob. Precondition: it isn't infinite.
  HranaStatement& Value(const HranaValue& value);

  // Sets how many columns it selects. An answer with another number is malformed.
  HranaStatement& Selects(size_t columns) {
    columns_ = columns;
    return *this;
  }
  size_t columns() const { return columns_; }

  // Appends the statement as JSON.
  void AppendTo(std::string& body) const;
  size_t size() const { return json_.size(); }

 private:
  void Separate();

  std::string json_;  // without the closing brackets
  bool has_values_ = false;
  size_t columns_ = 0;
};

// Returns the body of a request to `/v2/pipeline`: statements that read; if there are several, in one snapshot.
std::string ReadingBody(std::span<const HranaStatement> statements);
// Returns the body of a request to `/v2/pipeline`: a write transaction. Each statement runs only if all before it
// succeeded, and the transaction commits or changes nothing. The checks run before it, without waiting for the server's
// one lock. If one of them fails, nothing else runs.
std::string TransactionBody(std::span<const HranaStatement> checks, std::span<const HranaStatement> statements);
// Returns the body of a request to `/v3/cursor`: like ReadingBody, but answered row by row and without a limit. The
// baton of the answer must be closed.
std::string CursorBody(std::span<const HranaStatement> statements);
// Returns the body of a request to `/v2/pipeline` that closes a baton.
std::string CloseBody(std::string_view baton);

}  // namespace flaky::turso

#endif  // FLAKY_STORES_TURSO_HRANA_REQUEST_H_
