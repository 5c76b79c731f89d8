#include "cli/exit_code.h"

#include "stores/error.h"

namespace flaky {
namespace {

// The error codes that mean that another process holds the lock: SQLite's, including the extended ones, and
// PostgreSQL's lock_not_available.
bool SaysLocked(const std::string& vendor_code) {
  return vendor_code.starts_with("SQLITE_BUSY") || vendor_code.starts_with("SQLITE_LOCKED") || vendor_code == "55P03";
}

}  // namespace

ExitCode ExitCodeOf(const StoreError& error) {
  switch (error.kind()) {
    case ErrorKind::kTransient:
      return SaysLocked(error.vendor_code()) ? ExitCode::kLocked : ExitCode::kUnreachable;
    case ErrorKind::kMissing:
      return ExitCode::kUnreachable;
    case ErrorKind::kAuth:
      return ExitCode::kAuth;
    case ErrorKind::kSchemaTooNew:
      return ExitCode::kSchemaTooNew;
    case ErrorKind::kConflict:
      return ExitCode::kPartial;
    case ErrorKind::kInvalid:
    case ErrorKind::kPermanent:
      break;
  }
  return ExitCode::kUsage;
}

}  // namespace flaky
