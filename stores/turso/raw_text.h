#ifndef FLAKY_STORES_TURSO_RAW_TEXT_H_
#define FLAKY_STORES_TURSO_RAW_TEXT_H_

#include <optional>
#include <string>
#include <vector>

#include "stores/turso/hrana_answer.h"
#include "stores/turso/hrana_request.h"

// Texts that are no UTF-8, which SQLite holds and JSON does not: they are sent and asked for as blobs.
namespace flaky::turso {

// The statement with these values, NULL where one is absent.
HranaStatement BoundAsIs(const std::string& sql, const std::vector<std::optional<std::string>>& values);

// The columns, separated by commas. `raw`: texts and blobs are blobs then, told apart by their first byte.
std::string SelectedColumns(const std::string& columns, bool raw);

// Makes the values of raw columns what they are in the database.
void TakeTags(HranaAnswer& answer);

}  // namespace flaky::turso

#endif  // FLAKY_STORES_TURSO_RAW_TEXT_H_
