#ifndef FLAKY_STORES_TURSO_HRANA_H_
#define FLAKY_STORES_TURSO_HRANA_H_

#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

// Hrana over HTTP, the protocol of libSQL servers, as texts: what to send and what came back. Knows no connection.
// (https://github.com/tursodatabase/libsql/blob/main/docs/HRANA_3_SPEC.md)
namespace flaky {

struct HranaValue {
  enum class Type { kNull, kInteger, kFloat, kText, kBlob, kRawText };  // kRawText: one that is no UTF-8
  Type type = Type::kNull;
  int64_t integer = 0;
  double real = 0;        // of any infinity HUGE_VAL: JSON has none
  std::string_view text;  // of a blob its bytes
};

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

struct HranaError {
  std::string message;
  std::string code;
};

// Thrown for an answer that no server of this protocol gives.
struct MalformedAnswer : std::exception {
  const char* what() const noexcept override { return "the answer is not what a libSQL server gives"; }
};

// What one statement gave.
struct HranaResult {
  std::optional<HranaError> error;
  size_t width = 0;
  std::vector<HranaValue> values;  // rows of `width`

  size_t rows() const { return width == 0 ? 0 : values.size() / width; }
  std::span<const HranaValue> row(size_t index) const { return std::span(values).subspan(index * width, width); }
};

// The answer to a reading body: one result per statement. The texts live as long as a copy of it.
struct HranaAnswer {
  std::vector<HranaResult> results;
  std::string baton;  // of a stream that is still open; empty: none
  std::shared_ptr<const void> texts;
};
HranaAnswer ParseReading(std::string body, size_t statements);
HranaAnswer ParseCursor(std::string_view body, size_t statements);

struct HranaOutcome {
  bool committed = false;
  bool check_failed = false;
  size_t failed = 0;  // which of the statements; their number: COMMIT itself. BEGIN counts as the first.
  HranaError error;
};
HranaOutcome ParseTransaction(std::string body, size_t checks, size_t statements);

}  // namespace flaky

#endif  // FLAKY_STORES_TURSO_HRANA_H_
