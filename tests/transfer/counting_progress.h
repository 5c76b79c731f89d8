#ifndef FLAKY_TESTS_TRANSFER_COUNTING_PROGRESS_H_
#define FLAKY_TESTS_TRANSFER_COUNTING_PROGRESS_H_

#include <gtest/gtest.h>

#include "transfer/progress.h"

namespace flaky {

// Counts the calls, keeps the last report, and checks that the number of runs never goes down.
struct CountingProgress : Progress {
  void Update(const CopyProgress& progress) override {
    EXPECT_GE(progress.runs, last.runs);
    last = progress;
    ++updates;
  }
  void Done(const CopyProgress& progress) override {
    last = progress;
    ++done;
  }

  CopyProgress last;
  int updates = 0, done = 0;
};

}  // namespace flaky

#endif  // FLAKY_TESTS_TRANSFER_COUNTING_PROGRESS_H_
