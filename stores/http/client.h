// SPDX-License-Identifier: MIT
#ifndef FLAKY_STORES_HTTP_CLIENT_H_
#define FLAKY_STORES_HTTP_CLIENT_H_

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "history/time.h"
#include "stores/error.h"
#include "stores/http/limits.h"

namespace flaky::http {

struct Options {
  std::chrono::milliseconds connect_timeout{10'000};  // including the names, a proxy and TLS
  std::chrono::seconds idle_timeout{30};              // for a transfer that is slower than kLeastBytesPerSecond
  std::chrono::seconds total_timeout{300};            // for a whole transfer, however fast it is
  bool compressed = true;  // allow compressed answers: worth it unless the server is this machine
};

// For requests for which a user is waiting (stores/health.h).
inline constexpr Options kBriefOptions{.connect_timeout = std::chrono::seconds(5),
                                       .idle_timeout = std::chrono::seconds(10),
                                       .total_timeout = std::chrono::seconds(10)};

struct Request {
  std::string method = "POST";
  std::string url;                             // http or https, without secrets
  std::vector<std::string> headers;            // "Name: value"; may contain secrets
  std::string_view body;                       // not for GET; must live until Send returns
  size_t max_response_bytes = kLongestAnswer;  // decompressed; a longer answer is an error
  // If set, is given the body of an answer with a status of 2xx piece by piece, decompressed, as it arrives. What it
  // throws ends the transfer and is thrown by Send.
  std::function<void(std::string_view piece)> take;
};

// Thrown for an answer that is longer than the request allows.
struct AnswerTooLong : StoreError {
  using StoreError::StoreError;
};

struct Response {
  long status = 0;
  std::string body;  // empty if the request took it; of a refused request, as much of it as a message needs
  std::optional<std::chrono::milliseconds> retry_after;  // how long the server asks the client to wait
  std::optional<Timestamp> date;                         // the server's time of the answer, to the second
};

// Speaks HTTP/1.1 with one server over one connection, which is kept for the next request, and made again if it was
// lost. Verifies TLS certificates, follows no redirects, speaks only http and https, and reads no .netrc. The proxies
// are those that libcurl takes from the environment, and the authorities those of stores/http/authorities.h. Not
// thread-safe.
class Client {
 public:
  // `store`: the location's display name, for errors.
  Client(std::string store, const Options& options);
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  // Sends the request and returns the answer, whatever its status is (stores/http/answer.h turns it into an error).
  // Throws StoreError if there is no complete answer: kTransient if the connection fails or is slower than the limits
  // allow (stores/http/limits.h), in which case the request may have taken effect; kInvalid for an untrusted
  // certificate or an invalid URL; AnswerTooLong (kPermanent). `operation` names the failed operation in the error:
  // "write runs".
  Response Send(const Request& request, std::string_view operation);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace flaky::http

#endif  // FLAKY_STORES_HTTP_CLIENT_H_
