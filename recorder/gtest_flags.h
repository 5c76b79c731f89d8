// SPDX-License-Identifier: MIT
#ifndef FLAKY_RECORDER_GTEST_FLAGS_H_
#define FLAKY_RECORDER_GTEST_FLAGS_H_

#include <gtest/gtest.h>

// The flags of GoogleTest that not every version has. There is no macro that tells the versions apart, so this uses the
// language: in GoogleTest's name space, its own flag hides the one in the global name space that says "absent".

namespace flaky_recorder_absent {
enum Flags { FLAGS_gtest_shard_index, FLAGS_gtest_total_shards };
}  // namespace flaky_recorder_absent

// With Abseil, flags are objects in the global name space. There, these count as absent.
#if !defined(GTEST_HAS_ABSL) || !GTEST_HAS_ABSL
using namespace flaky_recorder_absent;
namespace testing {
// GoogleTest 1.17 and later define it, and declare it nowhere.
extern __attribute__((weak)) bool FLAGS_gtest_fail_if_no_test_selected;
#else
namespace flaky_recorder_absent {
#endif

namespace flaky_recorder_flags {

constexpr long kAbsent = -2;
inline long ValueOf(::flaky_recorder_absent::Flags) { return kAbsent; }
inline long ValueOf(long value) { return value; }

inline bool FailsIfNoTestIsSelected() {
#if !defined(GTEST_HAS_ABSL) || !GTEST_HAS_ABSL
  return &FLAGS_gtest_fail_if_no_test_selected != nullptr && FLAGS_gtest_fail_if_no_test_selected;
#else
  return false;
#endif
}
// Each returns kAbsent if this version of GoogleTest has no such flag.
inline long ShardIndex() { return ValueOf(FLAGS_gtest_shard_index); }
inline long TotalShards() { return ValueOf(FLAGS_gtest_total_shards); }

}  // namespace flaky_recorder_flags

#if !defined(GTEST_HAS_ABSL) || !GTEST_HAS_ABSL
}  // namespace testing
namespace flaky_recorder_flags = ::testing::flaky_recorder_flags;
#else
}  // namespace flaky_recorder_absent
namespace flaky_recorder_flags = ::flaky_recorder_absent::flaky_recorder_flags;
#endif

#endif  // FLAKY_RECORDER_GTEST_FLAGS_H_
