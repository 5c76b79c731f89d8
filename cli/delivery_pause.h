#ifndef FLAKY_CLI_DELIVERY_PAUSE_H_
#define FLAKY_CLI_DELIVERY_PAUSE_H_

#include <chrono>
#include <string>

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

}  // namespace flaky

#endif  // FLAKY_CLI_DELIVERY_PAUSE_H_
