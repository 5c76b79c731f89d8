// SPDX-License-Identifier: MIT
#include "stores/supabase/health.h"

#include "stores/supabase/connection.h"
#include "stores/supabase/reader.h"
#include "stores/supabase/schema.h"

namespace flaky::supabase {
namespace {

// Calls that need the rights of recording but change nothing.
struct Probe {
  std::string_view function, request;
};
constexpr Probe kProbes[] = {
    {"insert", R"({"runs":[],"parts":[],"failures":[],"rosters":[]})"},
    {"change", R"({"states":[],"runs":[],"parts":[],"failures":[],"rosters":[],"old_failures":[],"old_parts":[]})"},
    {"claim", R"({"holder":"","lease":0,"instead_of":""})"},
};

}  // namespace

StoreHealth Examine(const Location& location) {
  Connection connection(location, http::kBriefOptions);
  const Address address = ParseAddress(location);
  StoreHealth health;
  health.may_make_tables = false;
  if (!address.loopback) health.encryption = address.base.starts_with("https") ? "TLS" : "";

  const auto begin = std::chrono::steady_clock::now();
  try {
    health.schema = ReadSchemaState(connection);
    health.has_tables = true;
  } catch (const StoreError& error) {
    // A code of PostgREST or PostgreSQL means that the project exists but its functions don't.
    if (error.kind() != ErrorKind::kMissing || error.vendor_code().starts_with("HTTP")) throw;
  }
  health.connected_in = std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - begin);
  if (!health.has_tables) return health;
  Reader reader(connection);
  AskForTime(health, [&] {
    PageRequest newest;
    newest.direction = Direction::kNewestFirst;
    newest.detail = Detail::kRunsOnly;
    newest.max_records = 1;
    for (const RunRecord& record : reader.Read(newest).records) health.newest_run = record.run.account.started_at;
    // The middle of the second, because the server's time has no fraction.
    const std::optional<Timestamp> second = connection.clock();
    return second ? std::optional(*second + kMicrosPerSecond / 2) : std::nullopt;
  });
  for (const Probe& probe : kProbes) {
    try {
      connection.Call(probe.function, probe.request, "examine the rights");
    } catch (const StoreError& error) {
      if (error.kind() != ErrorKind::kAuth && error.kind() != ErrorKind::kPermanent) throw;
      health.lacks.push_back(error.what());
    }
  }
  return health;
}

}  // namespace flaky::supabase
