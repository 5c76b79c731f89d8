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

// The REST interface of one project with one history, and the edge at which its errors become StoreErrors. It only
// calls the functions of stores/schema/supabase/. Each call is one transaction.
class Connection {
 public:
  Connection(const Location& location, const http::Options& options);

  const std::string& name() const { return name_; }
  const std::string& prefix() const { return prefix_; }

  // Calls the function `rest_<prefix><function>` with the request, which is JSON. Returns its result, which lives until
  // the next call. Throws StoreError. `operation` names the failed operation in the error: "write runs".
  simdjson::dom::element Call(std::string_view function, std::string_view request, std::string_view operation);

  // Returns the server's time of the last answer, to the second, or nullopt if the answer had none.
  std::optional<Timestamp> clock() const { return clock_; }

  [[noreturn]] void Fail(ErrorKind kind, std::string_view operation, const std::string& detail) const;
  // Throws for an answer that isn't one of the functions'.
  [[noreturn]] void FailMalformed(std::string_view operation) const;

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
