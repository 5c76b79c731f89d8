// SPDX-License-Identifier: MIT
#ifndef FLAKY_STORES_SQLITE_OPTIONS_H_
#define FLAKY_STORES_SQLITE_OPTIONS_H_

#include <chrono>

namespace flaky::sqlite {

struct Options {
  // How long a call waits for another process's lock before it fails with kTransient.
  std::chrono::milliseconds busy_timeout{10'000};
  // With kRead: doesn't touch even SQLite's companion files. Rows that are only in a log without its index are then
  // not read.
  bool untouched = false;
};

}  // namespace flaky::sqlite

#endif  // FLAKY_STORES_SQLITE_OPTIONS_H_
