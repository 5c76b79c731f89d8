// SPDX-License-Identifier: MIT
#ifndef FLAKY_STORES_RESOLUTION_H_
#define FLAKY_STORES_RESOLUTION_H_

#include "history/run.h"
#include "stores/store.h"

namespace flaky {

// What Store::Write does with a record whose run is stored already.
struct Resolution {
  WriteResult result;
  RunRecord record;  // if Changes(): what is to be stored from now on; else empty

  bool Changes() const {
    return result.outcome == WriteResult::Outcome::kCompleted || result.outcome == WriteResult::Outcome::kReplaced;
  }
};

// Decides for every store, so that all stores merge and replace alike.
Resolution Resolve(const RunRecord& known, const RunRecord& incoming, OnExisting on_existing);

}  // namespace flaky

#endif  // FLAKY_STORES_RESOLUTION_H_
