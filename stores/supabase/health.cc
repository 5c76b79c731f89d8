#include "stores/supabase/health.h"

#include "stores/supabase/connection.h"
#include "stores/supabase/reader.h"
#include "stores/supabase/schema.h"

namespace flaky {
namespace {

// What each does for its right, and that it changes nothing when asked so.
struct Probe {
  std::string_view function, request;
};
constexpr Probe kProbes[] = {
    {"insert", R"({"runs":[],"parts":[],"failures":[],"rosters":[]})"},
    {"change", R"({"states":[],"runs":[],"parts":[],"failures":[],"rosters":[],"old_failures":[],"old_parts":[]})"},
    {"claim", R"({"holder":"","lease":0,"instead_of":""})"},
};

}  // namespace

StoreHealth ExamineSupabase(const Location& location) {
  SupabaseOptions options;
  options.http = kBriefHttp;
  SupabaseConnection connection(location, options);
  const SupabaseAddress address = ParseSupabaseAddress(location);
  StoreHealth health;
  health.may_make_tables = false;
  if (!address.loopback) health.encryption = address.base.starts_with("https") ? "TLS" : "";

  const auto begin = std::chrono::steady_clock::now();
  try {
    health.schema = ReadSchemaState(connection);
    health.has_tables = true;
  } catch (const StoreError& error) {
    // A code is PostgREST's or PostgreSQL's own: the project is there, and its functions are not.
    if (error.kind() != ErrorKind::kMissing || error.vendor_code().starts_with("HTTP")) throw;
  }
  health.connected_in = std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - begin);
  if (!health.has_tables) return health;
  SupabaseReader reader(connection);
  AskForTime(health, [&] {
    PageRequest newest;
    newest.direction = Direction::kNewestFirst;
    newest.detail = Detail::kRunsOnly;
    newest.max_records = 1;
    for (const RunRecord& record : reader.Read(newest).records) health.newest_run = record.run.account.started_at;
    // Some time within the second.
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

}  // namespace flaky
