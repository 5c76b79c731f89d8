// SPDX-License-Identifier: MIT
#ifndef FLAKY_DELIVERY_OWN_STORES_H_
#define FLAKY_DELIVERY_OWN_STORES_H_

#include <filesystem>
#include <map>
#include <string>

#include "delivery/run_context.h"
#include "settings/locations.h"
#include "spool/journal.h"

namespace flaky {

// Decides which journals a delivery may take. A journal goes only to the stores that the settings in force in its own
// folder select: the environment, that folder's project file and the user's file, in this order. So two projects that
// share a spool never mix (docs/adr/0019-a-run-goes-to-its-projects-store.md).
class OwnStores {
 public:
  // `resolved`: the settings of the delivery; it must outlive the object.
  explicit OwnStores(const ResolvedSettings& resolved) : resolved_(resolved) {}

  // Returns true if the journal is for the stores of this delivery. If the settings in its folder are invalid, it waits
  // until they are corrected, unless the environment names the store.
  bool Take(const Journal& journal) { return TakeFrom(FolderOf(journal)); }

  // Returns the folder whose settings count for the journal.
  std::filesystem::path FolderOf(const Journal& journal) { return places_.Of(journal); }

 private:
  bool TakeFrom(const std::filesystem::path& folder);
  bool Compare(const std::filesystem::path& project_file) const;

  const ResolvedSettings& resolved_;
  Places places_;
  std::map<std::filesystem::path, bool> by_folder_, by_file_;
};

}  // namespace flaky

#endif  // FLAKY_DELIVERY_OWN_STORES_H_
