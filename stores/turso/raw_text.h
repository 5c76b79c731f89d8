// SPDX-License-Identifier: MIT
#ifndef FLAKY_STORES_TURSO_RAW_TEXT_H_
#define FLAKY_STORES_TURSO_RAW_TEXT_H_

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "stores/turso/hrana_request.h"
#include "stores/turso/hrana_value.h"

// Texts that aren't valid UTF-8. SQLite stores them, but JSON can't, so they are sent and read as blobs.
namespace flaky::turso {

// Returns the statement with these values, with NULL for absent ones.
HranaStatement BoundAsIs(const std::string& sql, const std::vector<std::optional<std::string>>& values);

// Returns the columns, separated by commas. If `raw`, texts and blobs are read as blobs that differ in their first
// byte.
std::string SelectedColumns(const std::string& columns, bool raw);

// Restores the values of raw columns to what they are in the database.
void TakeTags(std::span<HranaValue> values);

}  // namespace flaky::turso

#endif  // FLAKY_STORES_TURSO_RAW_TEXT_H_
