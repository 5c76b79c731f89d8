// SPDX-License-Identifier: MIT
#ifndef FLAKY_SPOOL_STRAY_JOURNALS_H_
#define FLAKY_SPOOL_STRAY_JOURNALS_H_

#include <filesystem>
#include <string>

#include "spool/process.h"

namespace flaky {

// What makes a journal part of a `flaky run`.
struct RunOfStrays {
  ProcessId process;  // of the `flaky run`
  std::string run_id;
  std::string project;
};

// Moves journals into the spool of a `flaky run`, and into its run: those of the test programs under it that did not
// get its environment (`env -i`), and so left them in `from`. Leaves those alone that are still being written. A
// journal that cannot be moved stays in `from`.
void TakeStrays(const std::filesystem::path& from, const RunOfStrays& run, const std::filesystem::path& spool);

}  // namespace flaky

#endif  // FLAKY_SPOOL_STRAY_JOURNALS_H_
