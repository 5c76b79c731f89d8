#include "transfer/source.h"

namespace flaky {

std::optional<Batch> StoreSource::Next(const BatchLimits& limits) {
  if (at_end_) return std::nullopt;
  PageRequest request;
  request.filter = filter_;
  request.after = after_;
  request.max_records = limits.records;
  request.max_bytes = limits.bytes;
  Page page = store_.Read(request);
  at_end_ = !page.next;
  after_ = std::move(page.next);
  if (page.records.empty()) return std::nullopt;
  return Batch{std::move(page.records), std::move(page.converted)};
}

}  // namespace flaky
