// SPDX-License-Identifier: MIT
#ifndef FLAKY_STORES_SUPABASE_WRITER_H_
#define FLAKY_STORES_SUPABASE_WRITER_H_

#include <chrono>
#include <span>
#include <string>
#include <unordered_set>
#include <vector>

#include "stores/sql/record_update.h"
#include "stores/store.h"
#include "stores/supabase/connection.h"
#include "stores/supabase/reader.h"

namespace flaky::supabase {

// The writing verbs of the Supabase store. New runs are inserted by one call. Existing runs are read, merged here as in
// every store, and changed by a second call, which changes a run only if it hasn't changed since it was read. Throws
// StoreError.
class Writer {
 public:
  static constexpr size_t kMaxRowBytes = 32 << 20;

  Writer(Connection& connection, Reader& reader) : connection_(connection), reader_(reader) {}

  std::vector<WriteResult> Write(std::span<const RunRecord> records, OnExisting on_existing);
  CopyClaim Claim(const std::string& holder, std::chrono::seconds lease, const std::string& instead_of);

 private:
  using Places = std::vector<size_t>;
  using Ids = std::unordered_set<std::string>;

  void CheckWords(const RunRecord& record) const;
  void WriteBatch(std::span<const RunRecord> records, Places batch, OnExisting on_existing,
                  std::vector<WriteResult>& results);
  Places Complete(std::span<const RunRecord> records, const Places& batch, OnExisting on_existing,
                  std::vector<WriteResult>& results);
  Ids CallForIds(std::string_view function, const std::string& request);

  Connection& connection_;
  Reader& reader_;
};

}  // namespace flaky::supabase

#endif  // FLAKY_STORES_SUPABASE_WRITER_H_
