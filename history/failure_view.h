// SPDX-License-Identifier: MIT
#ifndef FLAKY_HISTORY_FAILURE_VIEW_H_
#define FLAKY_HISTORY_FAILURE_VIEW_H_

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "history/time.h"

namespace flaky {

// Names a row of a store's failures. The key begins with the run, by which a store may distribute its rows.
struct FailureId {
  std::string run_id;
  int64_t id = 0;  // as FailureView::id

  auto operator<=>(const FailureId&) const = default;
};

// A failure with the facts about its run that the analysis needs. Stores pass it to visitors, and analysis/ takes it.
// The texts are valid only during the call that passes it.
struct FailureView {
  int64_t id = 0;  // assigned by this store; another store has another id
  std::string_view run_id;
  std::string_view test_file;
  std::string_view test_name;
  std::string_view failure_kind;
  std::optional<std::string_view> error_message;
  std::optional<std::string_view> error_stack;
  Timestamp failed_at;
  bool run_ended = false;
  std::optional<int64_t> run_failed_tests;
};

}  // namespace flaky

#endif  // FLAKY_HISTORY_FAILURE_VIEW_H_
