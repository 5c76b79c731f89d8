// SPDX-License-Identifier: MIT
#ifndef FLAKY_TESTS_STORES_OWN_VARIABLE_H_
#define FLAKY_TESTS_STORES_OWN_VARIABLE_H_

#include <cstdlib>
#include <optional>
#include <string>
#include <utility>

namespace flaky {

// Sets a variable of this process's environment until the end of the scope.
class OwnVariable {
 public:
  OwnVariable(std::string name, const std::string& value) : name_(std::move(name)) {
    if (const char* const old = std::getenv(name_.c_str())) old_ = old;
    setenv(name_.c_str(), value.c_str(), 1);
  }
  ~OwnVariable() { old_ ? setenv(name_.c_str(), old_->c_str(), 1) : unsetenv(name_.c_str()); }
  OwnVariable(const OwnVariable&) = delete;
  OwnVariable& operator=(const OwnVariable&) = delete;

 private:
  std::string name_;
  std::optional<std::string> old_;
};

}  // namespace flaky

#endif  // FLAKY_TESTS_STORES_OWN_VARIABLE_H_
