// SPDX-License-Identifier: MIT
#ifndef FLAKY_STORES_SUPABASE_CONNECTION_H_
#define FLAKY_STORES_SUPABASE_CONNECTION_H_

#include <simdjson.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "stores/error.h"
#include "stores/http/client.h"
#include "stores/location.h"
#include "stores/supabase/url.h"

namespace flaky::supabase {

// The longest answer with runs or failures: one run, with the characters that JSON escapes. Writer refuses longer ones.
inline constexpr size_t kLongestRun = 192 << 20;

// The REST interface of one project with one history, and the edge at which its errors become StoreErrors. It only
// calls the functions of stores/schema/supabase/. Each call is one transaction.
class Connection {
 public:
  Connection(const Location& location, const http::Options& options);

  const std::string& name() const { return name_; }
  const std::string& prefix() const { return prefix_; }

  // Calls the function `rest_<prefix><function>` with the request, which is JSON. Returns its result, which lives until
  // the next call. Throws StoreError. `operation` names the failed operation in the error: "write runs". `longest`: the
  // limit for the answer in bytes.
  simdjson::dom::element Call(std::string_view function, std::string_view request, std::string_view operation,
                              size_t longest = http::kLongestAnswer);

  // Returns the server's time of the last answer, to the second, or nullopt if the answer had none.
  std::optional<Timestamp> clock() const { return clock_; }

  [[noreturn]] void Fail(ErrorKind kind, std::string_view operation, const std::string& detail) const;
  // Throws for an answer that isn't one of the functions'.
  [[noreturn]] void FailMalformed(std::string_view operation) const;
  // Returns the element as an array. Throws as FailMalformed if it isn't one.
  simdjson::dom::array ArrayOf(simdjson::dom::element element, std::string_view operation) const;
  // The same for an array of at least `count` texts.
  simdjson::dom::array TextsOf(simdjson::dom::element element, size_t count, std::string_view operation) const;

 private:
  [[noreturn]] void Refused(const http::Response& response, std::string_view function,
                            std::string_view operation) const;

  std::string name_;
  std::string prefix_;
  Address address_;
  Secret key_;
  http::Client client_;
  std::vector<std::string> headers_;
  simdjson::dom::parser parser_;
  std::optional<Timestamp> clock_;
};

// Returns the part of an error message that says how to create the tables and functions.
std::string HowToMakeTables();

}  // namespace flaky::supabase

#endif  // FLAKY_STORES_SUPABASE_CONNECTION_H_
