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
  // In addition: doesn't look at the log at all. A log whose index a killed writer left half made would delay the
  // opening by 10 seconds.
  bool without_log = false;
};

}  // namespace flaky::sqlite

#endif  // FLAKY_STORES_SQLITE_OPTIONS_H_
