#ifndef FLAKY_STORES_TURSO_HRANA_REQUEST_H_
#define FLAKY_STORES_TURSO_HRANA_REQUEST_H_

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "stores/turso/hrana_value.h"

// What is sent to a libSQL server, as texts. Knows no connection.
namespace flaky::turso {

// A statement and its parameters' values, in turn.
class HranaStatement {
 public:
  explicit HranaStatement(std::string_view sql);

  // Precondition: storable (history/text.h).
  HranaStatement& Text(std::string_view value);
  HranaStatement& TextOrNull(const std::optional<std::string>& value) { return value ? Text(*value) : Null(); }
  HranaStatement& Integer(int64_t value);
  HranaStatement& Blob(std::string_view bytes);
  HranaStatement& Null();
  // A value that came from the server, as it is; a kRawText as a blob. Precondition: it is not infinite.
  HranaStatement& Value(const HranaValue& value);

  // As JSON.
  void AppendTo(std::string& body) const;
  size_t size() const { return json_.size(); }

 private:
  void Separate();

  std::string json_;  // without what closes it
  bool has_values_ = false;
};

// Bodies of requests. To `/v2/pipeline`: reading statements, several of them in one snapshot.
std::string ReadingBody(std::span<const HranaStatement> statements);
// To `/v2/pipeline`: a write transaction; each statement runs only if all before it did, and it commits or leaves
// nothing behind. Before it, without waiting for the server's one lock, come the checks: where one of those fails, that
// is all.
std::string TransactionBody(std::span<const HranaStatement> checks, std::span<const HranaStatement> statements);
// To `/v3/cursor`: as ReadingBody, answered row by row without a limit. The answer's baton has to be closed.
std::string CursorBody(std::span<const HranaStatement> statements);
// To `/v2/pipeline`.
std::string CloseBody(std::string_view baton);

}  // namespace flaky::turso

#endif  // FLAKY_STORES_TURSO_HRANA_REQUEST_H_
