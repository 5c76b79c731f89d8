#ifndef FLAKY_TRANSFER_NEW_FILE_H_
#define FLAKY_TRANSFER_NEW_FILE_H_

#include <string>
#include <string_view>

#include "transfer/unique_fd.h"

namespace flaky {

// A file that has its name only once it is whole. It is written beside it as `NAME.part`, for this user alone (0600),
// and takes the name in one step; what had the name before stays until then. A `NAME.part` that a killed process left
// is used again, one that another process is writing is not.
class NewFile {
 public:
  // Throws StoreError: what opening comes to, and kInvalid where `path` is something else than a file or another
  // process is writing it.
  explicit NewFile(const std::string& path);
  // Without Publish, removes what was written.
  ~NewFile();
  NewFile(const NewFile&) = delete;
  NewFile& operator=(const NewFile&) = delete;

  const std::string& part_path() const { return part_path_; }

  // Throw StoreError.
  void Write(std::string_view bytes);
  void Publish();  // durable when it returns; called once, after the last Write

 private:
  std::string path_;
  std::string part_path_;
  UniqueFd file_;
  bool published_ = false;
};

}  // namespace flaky

#endif  // FLAKY_TRANSFER_NEW_FILE_H_
