// SPDX-License-Identifier: MIT
#ifndef FLAKY_FORMATS_REREADABLE_H_
#define FLAKY_FORMATS_REREADABLE_H_

#include <sys/types.h>

#include <string>

#include "transfer/unique_fd.h"

namespace flaky {

// A file that can be read several times. What can be read only once (a pipe, a terminal) is copied to a temporary file
// without a name, in TMPDIR or /tmp.
class Rereadable {
 public:
  // `path`: of the file; `-`: standard input. Throws StoreError.
  explicit Rereadable(const std::string& path);

  // Returns the path, or "standard input".
  const std::string& name() const { return name_; }

  // Returns a descriptor that reads from the beginning. It may share its position with the one before it.
  UniqueFd Open() const;

 private:
  std::string name_;
  UniqueFd file_;  // of a temporary file, or standard input; a file that has a name is opened again by its name
  off_t begin_ = 0;
};

}  // namespace flaky

#endif  // FLAKY_FORMATS_REREADABLE_H_
