// SPDX-License-Identifier: MIT
#include "delivery/delivery_pause.h"

#include <unistd.h>

#include <ctime>
#include <utility>

#include "spool/spool_files.h"

namespace flaky {
namespace {

constexpr char kNote[] = "unreachable";

}  // namespace

bool IsDeliveryPaused(const std::string& spool, const std::string& store) {
  const UniqueFd folder = OpenFolder(spool);
  if (!folder) return false;
  const auto note = OpenFileAt(folder, kNote);
  if (!note) return false;
  const std::time_t age = std::time(nullptr) - note->status.st_mtime;
  // A clock that was set back must not make it last.
  if (age < 0 || age >= kDeliveryPause.count()) return false;
  return ReadAt(note->descriptor, 0, store.size() + 1) == store;
}

void PauseDelivery(const std::string& spool, const std::string& store) {
  if (const UniqueFd folder = OpenFolder(spool)) WriteNoteAt(folder, kNote, store);
}

void ResumeDelivery(const std::string& spool) {
  if (const UniqueFd folder = OpenFolder(spool)) unlinkat(folder.get(), kNote, 0);
}

PauseWhileSilent::PauseWhileSilent(std::string spool, std::string store, std::chrono::milliseconds patience)
    : spool_(std::move(spool)), store_(std::move(store)) {
  if (patience.count() <= 0) return;
  waiter_ = std::jthread([this, patience](const std::stop_token& stop) {
    std::unique_lock hold(mutex_);
    ended_.wait_for(hold, stop, patience, [] { return false; });
    if (stop.stop_requested()) return;
    PauseDelivery(spool_, store_);
    noted_ = true;
  });
}

PauseWhileSilent::~PauseWhileSilent() {
  if (!waiter_.joinable()) return;
  waiter_.request_stop();
  waiter_.join();
  if (noted_) ResumeDelivery(spool_);
}

}  // namespace flaky
