// SPDX-License-Identifier: MIT
#ifndef FLAKY_TRANSFER_NEW_FILE_H_
#define FLAKY_TRANSFER_NEW_FILE_H_

#include <string>
#include <string_view>

#include "transfer/unique_fd.h"

namespace flaky {

// A file that gets its name only when it is complete. It is written as `NAME.part` in the same folder, readable only
// for this user (0600), and then renamed in one step. Until then, an existing file of that name stays. A `NAME.part`
// that a killed process left is reused. A `NAME.part` that another process is writing is not.
class NewFile {
 public:
  // Throws StoreError if the file cannot be opened, with kInvalid if `path` is not a regular file or another process is
  // writing it.
  explicit NewFile(const std::string& path);
  // Removes what was written unless Publish succeeded.
  ~NewFile();
  NewFile(const NewFile&) = delete;
  NewFile& operator=(const NewFile&) = delete;

  const std::string& part_path() const { return part_path_; }

  // Both throw StoreError.
  void Write(std::string_view bytes);
  void Publish();  // the file is durable when it returns; called once, after the last Write

 private:
  std::string path_;
  std::string part_path_;
  UniqueFd file_;
  bool published_ = false;
};

}  // namespace flaky

#endif  // FLAKY_TRANSFER_NEW_FILE_H_
