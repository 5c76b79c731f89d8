// SPDX-License-Identifier: MIT
#ifndef FLAKY_DELIVERY_CTEST_END_H_
#define FLAKY_DELIVERY_CTEST_END_H_

#include <sys/types.h>

#include <cstdint>
#include <string>

#include "spool/death_watch.h"

namespace flaky {

// The log of a ctest that runs tests: Testing/Temporary/LastTest.log in its folder.
struct CtestLog {
  std::string path;  // the name that it has in the end, without ".tmp"; empty: not found
  dev_t device = 0;
  ino_t inode = 0;
};

// Returns the log that the process has open. A ctest under another one inherits that one's log, under a lower number.
CtestLog OpenLogOf(int64_t ctest);

// Finds out whether a ctest ended in its own way or was interrupted. No process but its parent learns that, but while
// a ctest runs tests, it writes a log (Testing/Temporary/LastTest.log) under a temporary name, and gives the log its
// name when all tests have ended.
class CtestEnd {
 public:
  explicit CtestEnd(int64_t pid) : pid_(pid) {}

  // Looks for the log among the descriptors of the ctest. Call it at least once while the ctest runs.
  void Look();

  // Returns how the ctest ended. Call it after that.
  RunEnd Get() const;

 private:
  const int64_t pid_;
  CtestLog log_;
};

}  // namespace flaky

#endif  // FLAKY_DELIVERY_CTEST_END_H_
