// SPDX-License-Identifier: MIT
#ifndef FLAKY_STORES_TURSO_HRANA_ANSWER_H_
#define FLAKY_STORES_TURSO_HRANA_ANSWER_H_

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "stores/turso/hrana_error.h"
#include "stores/turso/hrana_value.h"

// Parses a libSQL server's answers to the requests of hrana_request.h. Independent of any connection.
namespace flaky::turso {

// The result of one statement.
struct HranaResult {
  std::optional<HranaError> error;
  size_t width = 0;
  std::vector<HranaValue> values;  // rows of `width`

  size_t rows() const { return width == 0 ? 0 : values.size() / width; }
  std::span<const HranaValue> row(size_t index) const { return std::span(values).subspan(index * width, width); }
};

// The answer to statements that read: one result per statement. The texts live as long as a copy of the answer.
struct HranaAnswer {
  std::vector<HranaResult> results;
  std::string baton;  // of a stream that is still open; may be empty
  std::shared_ptr<const void> texts;
};
HranaAnswer ParseReading(std::string body, size_t statements);

struct HranaOutcome {
  bool committed = false;
  bool check_failed = false;
  size_t failed =
      0;  // the failed statement's index; the number of statements: COMMIT failed. BEGIN counts as the first
  HranaError error;
};
HranaOutcome ParseTransaction(std::string body, size_t checks, size_t statements);

}  // namespace flaky::turso

#endif  // FLAKY_STORES_TURSO_HRANA_ANSWER_H_
