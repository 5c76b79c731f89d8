// SPDX-License-Identifier: MIT
#ifndef FLAKY_HISTORY_JSON_OBJECT_H_
#define FLAKY_HISTORY_JSON_OBJECT_H_

#include <string>
#include <string_view>
#include <utility>

#include "history/text.h"

namespace flaky {

// Builds the text of a JSON object, member by member. Names and texts are made storable (history/text.h).
class JsonObject {
 public:
  // Adds `json` unchanged as the value.
  JsonObject& Add(std::string_view name, std::string_view json) {
    Begin(name) += json;
    return *this;
  }
  JsonObject& AddText(std::string_view name, std::string_view text) {
    AppendJson(Begin(name), MakeStorable(text));
    return *this;
  }
  std::string Take() { return std::move(json_) + '}'; }

 private:
  std::string& Begin(std::string_view name) {
    if (json_.size() > 1) json_ += ',';
    AppendJson(json_, MakeStorable(name));
    return json_ += ':';
  }

  std::string json_ = "{";
};

}  // namespace flaky

#endif  // FLAKY_HISTORY_JSON_OBJECT_H_
