#include "cli/interrupt.h"

#include <csignal>
#include <iterator>

namespace flaky {
namespace {

volatile std::sig_atomic_t seen = 0;
constexpr int kSignals[] = {SIGINT, SIGTERM};
struct sigaction previous[std::size(kSignals)];

}  // namespace

InterruptGuard::InterruptGuard() {
  seen = 0;
  struct sigaction action = {};
  action.sa_handler = [](int) { seen = 1; };
  action.sa_flags = static_cast<int>(SA_RESETHAND) | SA_RESTART;
  for (size_t i = 0; i < std::size(kSignals); ++i) sigaction(kSignals[i], &action, &previous[i]);
}

InterruptGuard::~InterruptGuard() {
  for (size_t i = 0; i < std::size(kSignals); ++i) sigaction(kSignals[i], &previous[i], nullptr);
  seen = 0;
}

bool InterruptGuard::Seen() { return seen != 0; }

}  // namespace flaky
