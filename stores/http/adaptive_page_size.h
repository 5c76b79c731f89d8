// SPDX-License-Identifier: MIT
#ifndef FLAKY_STORES_HTTP_ADAPTIVE_PAGE_SIZE_H_
#define FLAKY_STORES_HTTP_ADAPTIVE_PAGE_SIZE_H_

#include <algorithm>
#include <cstddef>

namespace flaky::http {

// Adapts the page size to a server whose limit for an answer is unknown: few rows at first, then more while the server
// returns them, limited by the average size of the rows so far.
class AdaptivePageSize {
 public:
  explicit AdaptivePageSize(size_t first) : most_(first) {}

  // Returns how many rows to ask for: 1 to `max_items`, with about `max_bytes`.
  size_t Next(size_t max_items, size_t max_bytes) const {
    size_t items = std::min(max_items, most_);
    if (bytes_each_ > 0) items = std::min(items, static_cast<size_t>(static_cast<double>(max_bytes) / bytes_each_) + 1);
    return std::max<size_t>(items, 1);
  }

  // Reports that the server returned `items` rows when it was asked for `asked`.
  void Got(size_t asked, size_t items, size_t bytes) {
    if (items == 0) return;
    const double each = static_cast<double>(bytes) / static_cast<double>(items);
    bytes_each_ = bytes_each_ == 0 ? each : (bytes_each_ + each) / 2;
    if (asked >= most_) most_ += refused_ ? most_ / 8 + 1 : most_;
  }

  // Reports that the server refused to return `asked` rows. Returns how many to ask for instead.
  size_t Refused(size_t asked) {
    refused_ = true;
    most_ = std::max<size_t>(asked / 2, 1);
    return most_;
  }

 private:
  size_t most_;
  double bytes_each_ = 0;
  bool refused_ = false;
};

}  // namespace flaky::http

#endif  // FLAKY_STORES_HTTP_ADAPTIVE_PAGE_SIZE_H_
