// SPDX-License-Identifier: MIT
#ifndef FLAKY_HISTORY_SECRET_H_
#define FLAKY_HISTORY_SECRET_H_

#include <ostream>
#include <string>
#include <utility>

namespace flaky {

// A text that prints as `***`. Code that needs the text itself must call Reveal().
class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string text) : text_(std::move(text)) {}

  bool empty() const { return text_.empty(); }
  const std::string& Reveal() const { return text_; }

  bool operator==(const Secret&) const = default;
  friend std::ostream& operator<<(std::ostream& out, const Secret& secret) {
    return out << (secret.empty() ? "" : "***");
  }

 private:
  std::string text_;
};

}  // namespace flaky

#endif  // FLAKY_HISTORY_SECRET_H_
