// SPDX-License-Identifier: MIT
#include "cli/output/json_output.h"

#include <ostream>

#include "history/fields.h"

namespace flaky {
namespace {

// What the fields' list is walked with: each becomes a key of the object.
struct FieldsInto {
  Json& json;

  template <typename T>
  void operator()(std::string_view name, const std::optional<T>& value) const {
    if (value) {
      (*this)(name, *value);
    } else {
      json[std::string(name)] = nullptr;
    }
  }
  void operator()(std::string_view name, Timestamp value) const { json[std::string(name)] = value.ToString(); }
  void operator()(std::string_view name, const auto& value) const { json[std::string(name)] = value; }
};

}  // namespace

Json JsonOutput() { return {{"format", 1}}; }

void PrintJson(std::ostream& out, const Json& json) {
  out << json.dump(2, ' ', false, Json::error_handler_t::replace) << '\n';
}

std::string JsonLine(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

Json ToJson(const Run& run) {
  Json json = Json::object();
  VisitRun(run, FieldsInto{json});
  return json;
}

Json ToJson(const Part& part) {
  Json json = Json::object();
  VisitPart(part, FieldsInto{json});
  return json;
}

Json ToJson(const Failure& failure) {
  Json json = Json::object();
  VisitFailure(failure, FieldsInto{json});
  return json;
}

}  // namespace flaky
