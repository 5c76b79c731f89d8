// SPDX-License-Identifier: MIT
#include "cli/output/interrupt.h"

#include <atomic>
#include <csignal>
#include <iterator>

namespace flaky {
namespace {

std::atomic<bool> seen = false;
bool seen_by_last = false;
static_assert(std::atomic<bool>::is_always_lock_free, "a signal handler writes it");
constexpr int kSignals[] = {SIGINT, SIGTERM};
struct sigaction previous[std::size(kSignals)];

}  // namespace

InterruptGuard::InterruptGuard() {
  seen = false;
  seen_by_last = false;
  struct sigaction action = {};
  action.sa_handler = [](int) { seen = true; };
  action.sa_flags = static_cast<int>(SA_RESETHAND) | SA_RESTART;
  for (size_t i = 0; i < std::size(kSignals); ++i) sigaction(kSignals[i], &action, &previous[i]);
}

InterruptGuard::~InterruptGuard() {
  for (size_t i = 0; i < std::size(kSignals); ++i) sigaction(kSignals[i], &previous[i], nullptr);
  seen_by_last = seen.exchange(false);
}

bool InterruptGuard::Seen() { return seen; }

bool InterruptGuard::SeenByLast() { return seen_by_last; }

}  // namespace flaky
