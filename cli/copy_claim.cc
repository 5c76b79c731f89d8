#include "cli/copy_claim.h"

#include <optional>
#include <string_view>
#include <thread>
#include <utility>

#include "cli/output/escaped.h"
#include "cli/output/interrupt.h"
#include "cli/output/json_output.h"
#include "cli/output/log.h"
#include "spool/journal.h"

namespace flaky {
namespace {

using namespace std::chrono_literals;

constexpr std::chrono::milliseconds kLook = 500ms;

// Whoever holds a claim, as the store keeps it.
std::string HolderText() {
  const ProcessId process = ThisProcess();
  Json json = {{"host", process.host},       {"pid", process.pid},       {"pid_start", process.pid_start},
               {"boot_id", process.boot_id}, {"pid_ns", process.pid_ns}, {"since", Timestamp::Now().ToString()}};
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

struct Holder {
  ProcessId process;
  std::string since;
};

// Of a text that anybody may have written.
Holder ParseHolder(const std::string& text) {
  const Json json = Json::parse(text, nullptr, false);
  Holder holder;
  if (!json.is_object()) return holder;
  const auto take = [&](const char* name, std::string& value) {
    if (const auto found = json.find(name); found != json.end() && found->is_string()) value = *found;
  };
  take("host", holder.process.host);
  take("pid_start", holder.process.pid_start);
  take("boot_id", holder.process.boot_id);
  take("pid_ns", holder.process.pid_ns);
  take("since", holder.since);
  if (const auto pid = json.find("pid"); pid != json.end() && pid->is_number_integer()) holder.process.pid = *pid;
  return holder;
}

std::string Shown(const Holder& holder) {
  std::string shown = "process " + std::to_string(holder.process.pid);
  if (!holder.process.host.empty()) shown += " on " + Escaped(holder.process.host);
  if (!holder.since.empty()) shown += ", since " + Escaped(holder.since);
  return shown;
}

}  // namespace

CopyClaimHolder::CopyClaimHolder(const Session& session, Sink& inner, Store& store, std::chrono::seconds lease,
                                 Clock clock)
    : session_(session), inner_(inner), store_(store), lease_(lease), holder_(HolderText()), clock_(std::move(clock)) {}

void CopyClaimHolder::Take(bool wait) {
  std::optional<CopyClaim> first;  // of the other, as it was at first
  for (;;) {
    CopyClaim claim = store_.Claim(holder_, lease_, "");
    const Holder other = ParseHolder(claim.holder);
    const Alive alive = claim.holder == holder_ ? Alive::kCannotTell : IsAlive(other.process);
    if (alive == Alive::kNo) claim = store_.Claim(holder_, lease_, claim.holder);
    if (claim.holder == holder_) break;

    const bool is_new = !first || first->holder != claim.holder;
    // Prolonged since: whoever holds it is at work.
    const bool certain = alive == Alive::kYes || (!is_new && claim.lapses > first->lapses);
    const std::string what = "another copy into " + store_.name() + " is running (" + Shown(other) + ")";
    if (certain && !wait) {
      throw CommandError(ExitCode::kLocked, what + "; run the command again after it has ended, or use --wait");
    }
    if (is_new)
      Log(session_.log, LogLevel::kWarn,
          what + (wait ? "; waiting for it to end" : "; checking whether it is still alive"));
    if (is_new || claim.lapses < first->lapses) first = claim;
    if (InterruptGuard::Seen()) throw CommandError(ExitCode::kInterrupted, "interrupted; nothing was copied");
    std::this_thread::sleep_for(kLook);
  }
  prolonged_ = clock_();
}

void CopyClaimHolder::GiveUp() { store_.Claim(holder_, 0s, ""); }

void CopyClaimHolder::Prolong() {
  if (clock_() - prolonged_ < lease_ / 4.0) return;
  const CopyClaim claim = store_.Claim(holder_, lease_, "");
  if (claim.holder != holder_) {
    throw CommandError(ExitCode::kLocked, "another copy into " + store_.name() + " began while it did not answer (" +
                                              Shown(ParseHolder(claim.holder)) +
                                              "); this copy stops and leaves the rest to it");
  }
  prolonged_ = clock_();
}

std::vector<WriteResult> CopyClaimHolder::Write(std::span<const RunRecord> records, OnExisting on_existing) {
  Prolong();
  return inner_.Write(records, on_existing);
}

std::vector<RunRecord> CopyClaimHolder::Present(std::span<const std::string> run_ids) {
  Prolong();
  return inner_.Present(run_ids);
}

}  // namespace flaky
