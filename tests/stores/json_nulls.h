// SPDX-License-Identifier: MIT
#ifndef FLAKY_TESTS_STORES_JSON_NULLS_H_
#define FLAKY_TESTS_STORES_JSON_NULLS_H_

#include <map>
#include <nlohmann/json.hpp>
#include <string>

namespace flaky {

// Returns the JSON text once for each value in it, with null in its place, by the value's JSON pointer. Values that are
// null already are left out.
inline std::map<std::string, std::string> WithNulls(const std::string& text) {
  using Json = nlohmann::json;
  const Json whole = Json::parse(text);
  std::map<std::string, std::string> all;
  const auto visit = [&](const auto& self, const Json& value, const Json::json_pointer& place) -> void {
    if (value.is_null()) return;
    Json changed = whole;
    changed[place] = nullptr;
    all.emplace(place.to_string(), changed.dump());
    if (value.is_object()) {
      for (const auto& [name, member] : value.items()) self(self, member, place / name);
    } else if (value.is_array()) {
      for (size_t i = 0; i < value.size(); ++i) self(self, value[i], place / i);
    }
  };
  visit(visit, whole, Json::json_pointer());
  return all;
}

}  // namespace flaky

#endif  // FLAKY_TESTS_STORES_JSON_NULLS_H_
