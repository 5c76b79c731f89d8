#ifndef FLAKY_DELIVERY_DELIVERY_PAUSE_H_
#define FLAKY_DELIVERY_DELIVERY_PAUSE_H_

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>

// A store that does not answer costs each test program at its end the time to find that out. So after one has, those of
// the next minute leave their journals in the spool without asking, where a later delivery takes them along.
namespace flaky {

inline constexpr std::chrono::seconds kDeliveryPause{60};

// Whether the store of this name could not be reached within the last kDeliveryPause.
bool IsDeliveryPaused(const std::string& spool, const std::string& store);

// Notes in the spool that the store could not be reached just now. Where that cannot be noted, nobody is spared.
void PauseDelivery(const std::string& spool, const std::string& store);

// It can be reached again.
void ResumeDelivery(const std::string& spool);

// A store that neither answers nor refuses: whoever waits for this program may end it before it knows more. So when
// this has lived for `patience`, it notes what PauseDelivery does; its end takes that back. With no patience it does
// nothing.
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
