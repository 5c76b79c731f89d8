// SPDX-License-Identifier: MIT
#ifndef FLAKY_DELIVERY_DELIVERY_PAUSE_H_
#define FLAKY_DELIVERY_DELIVERY_PAUSE_H_

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>

// If a store does not answer, each test program loses time at its end before it notices. So after one has noticed, the
// test programs of the next minute leave their journals in the spool without trying; a later delivery picks them up.
namespace flaky {

inline constexpr std::chrono::seconds kDeliveryPause{60};

// In all of these, `store` is a StoreIdentity (settings/store_identity.h).
//
// Returns whether the store was unreachable within the last kDeliveryPause.
bool IsDeliveryPaused(const std::string& spool, const std::string& store);

// Writes a note into the spool that the store is unreachable. If the note cannot be written, later programs will try
// again.
void PauseDelivery(const std::string& spool, const std::string& store);

// Removes the note: the store is reachable again.
void ResumeDelivery(const std::string& spool);

// For a store that neither answers nor refuses: the parent process may kill this one before the timeout. So after an
// object has existed for `patience`, it writes the note of PauseDelivery; its destructor removes the note. Without
// patience it does nothing.
class PauseWhileSilent {
 public:
  PauseWhileSilent(std::string spool, std::string store, std::chrono::milliseconds patience);
  ~PauseWhileSilent();
  PauseWhileSilent(const PauseWhileSilent&) = delete;
  PauseWhileSilent& operator=(const PauseWhileSilent&) = delete;

 private:
  const std::string spool_, store_;
  std::mutex mutex_;
  std::condition_variable_any ended_;
  bool noted_ = false;
  std::jthread waiter_;  // the last member, so that the others are there as long as it runs
};

}  // namespace flaky

#endif  // FLAKY_DELIVERY_DELIVERY_PAUSE_H_
