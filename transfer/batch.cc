// SPDX-License-Identifier: MIT
#include "transfer/batch.h"

#include "history/fields.h"

namespace flaky {
namespace {

struct SumText {
  size_t bytes = 0;

  void operator()(std::string_view, const std::string& text) { bytes += text.size(); }
  void operator()(std::string_view, const std::optional<std::string>& text) { bytes += text ? text->size() : 0; }
  template <typename T>
  void operator()(std::string_view, const T&) {
    bytes += sizeof(int64_t);
  }
};

}  // namespace

size_t TextBytes(const RunRecord& record) {
  SumText sum;
  VisitRun(record.run, sum);
  for (const Part& part : record.parts) VisitPart(part, sum);
  for (const Failure& failure : record.failures) VisitFailure(failure, sum);
  return sum.bytes;
}

}  // namespace flaky
