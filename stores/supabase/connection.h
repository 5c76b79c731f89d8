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

// One project's REST interface as one history's place, and the edge at which its errors become StoreErrors. All it does
// is to call the functions of stores/schema/supabase/: one call is one transaction.
class Connection {
 public:
  Connection(const Location& location, const http::Options& options);

  const std::string& name() const { return name_; }
  const std::string& prefix() const { return prefix_; }

  // Calls the function `rest_<prefix><function>` with the request, JSON; gives what it returned, which lives until the
  // next call. Throws StoreError. `operation` says what was being done.
  simdjson::dom::element Call(std::string_view function, std::string_view request, std::string_view operation);

  // The server's clock at the last answer, to the second; absent where it did not say.
  std::optional<Timestamp> clock() const { return clock_; }

  [[noreturn]] void Fail(ErrorKind kind, std::string_view operation, const std::string& detail) const;
  // For an answer that none of the functions gives.
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

// What makes the tables and functions, as an error says it.
std::string HowToMakeTables();

}  // namespace flaky::supabase

#endif  // FLAKY_STORES_SUPABASE_CONNECTION_H_
