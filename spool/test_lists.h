// SPDX-License-Identifier: MIT
#ifndef FLAKY_SPOOL_TEST_LISTS_H_
#define FLAKY_SPOOL_TEST_LISTS_H_

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "transfer/unique_fd.h"

namespace flaky {

// The lists of all tests of a program that test programs leave in `lists/` of a spool. A list's name is the XXH64 of
// its content. Nothing depends on a list: one that is missing, damaged or not ours counts as none.
class TestLists {
 public:
  // In order, without duplicates.
  using Names = std::shared_ptr<const std::vector<std::string>>;

  // Selects the spool. Until then there are no lists.
  void Open(const UniqueFd& spool);

  // Returns the names in a list; null if it does not exist. Names that could not be stored are left out.
  Names Find(const std::string& hash);

  // Removes the lists that were not used for a week and that `in_use` does not return. Looks for them once a day.
  void RemoveOld(const std::function<std::set<std::string>()>& in_use);

 private:
  Names Read(const std::string& hash);

  UniqueFd folder_;
  std::map<std::string, Names> known_;
  size_t known_bytes_ = 0;
};

}  // namespace flaky

#endif  // FLAKY_SPOOL_TEST_LISTS_H_
