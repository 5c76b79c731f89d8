// SPDX-License-Identifier: MIT
#ifndef FLAKY_STORES_POSTGRES_FAILURES_QUERY_H_
#define FLAKY_STORES_POSTGRES_FAILURES_QUERY_H_

#include <optional>
#include <string>

#include "stores/postgres/connection.h"
#include "stores/postgres/restriction.h"
#include "stores/query.h"

namespace flaky::postgres {

// A page of VisitFailures: failures in order of (failed_at, id), after `place` if there is one.
struct FailuresQuery {
  std::string settings;  // a statement to run first, in the same transaction
  std::string sql;       // the columns of ReadView (stores/sql/tables.h), then the octets of the texts so far
  BinaryValues values;
};

// `has_project`: the failures have that column, so that those of one project are found by the index. A page ends after
// `limit` failures, or with the one whose texts reach `max_octets`.
FailuresQuery QueryOfFailures(const Connection& connection, const FailureFilter& filter,
                              const std::optional<FailureKey>& place, size_t limit, size_t max_octets,
                              bool has_project);

}  // namespace flaky::postgres

#endif  // FLAKY_STORES_POSTGRES_FAILURES_QUERY_H_
