// SPDX-License-Identifier: MIT
#ifndef FLAKY_STORES_TURSO_HRANA_CURSOR_H_
#define FLAKY_STORES_TURSO_HRANA_CURSOR_H_

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "stores/turso/hrana_error.h"
#include "stores/turso/hrana_value.h"

namespace flaky::turso {

// The longest line of a cursor's answer. A row has at most 5,000,000 bytes, and blobs are in base64.
inline constexpr size_t kLongestLine = 8 << 20;

// Called with the index of a statement and one of its rows, whose texts live until it returns.
using TakeRow = std::function<void(size_t statement, std::span<HranaValue> row)>;

// Parses the answer to CursorBody (hrana_request.h) while it arrives. Holds one line of it at a time.
class HranaCursor {
 public:
  // `widths`: how many columns each statement selects, between BEGIN and COMMIT.
  HranaCursor(std::vector<size_t> widths, TakeRow take);
  ~HranaCursor();
  HranaCursor(const HranaCursor&) = delete;
  HranaCursor& operator=(const HranaCursor&) = delete;

  // Takes the next bytes. Throws MalformedAnswer, and what `take` throws.
  void Take(std::string_view bytes);

  // Returns true if each statement, and COMMIT, has ended or one has failed. Otherwise the answer was cut off, which
  // HTTP does not show.
  bool IsWhole() const;
  // Returns the first error. The statements after it did not run.
  const std::optional<HranaError>& error() const { return error_; }
  const std::string& baton() const { return baton_; }  // of a stream that is still open; may be empty

 private:
  struct State;

  void TakeLine();

  const std::vector<size_t> widths_;  // of all steps
  const TakeRow take_;
  std::string line_;
  std::optional<HranaError> error_;
  std::string baton_;
  bool started_ = false;  // the first line, which has the baton, was read
  size_t step_ = 0;       // the current one, or the next
  bool in_step_ = false;
  std::unique_ptr<State> state_;
};

}  // namespace flaky::turso

#endif  // FLAKY_STORES_TURSO_HRANA_CURSOR_H_
