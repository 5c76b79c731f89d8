#ifndef FLAKY_STORES_HTTP_CLIENT_H_
#define FLAKY_STORES_HTTP_CLIENT_H_

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "history/time.h"
#include "stores/error.h"

namespace flaky::http {

struct Options {
  std::chrono::milliseconds connect_timeout{10'000};
  std::chrono::seconds idle_timeout{30};    // a transfer that stands still for so long is given up
  std::chrono::seconds total_timeout{300};  // and so is one that has not ended by then
  bool compressed = true;                   // answers may be: worth it unless the server is this machine
};

// For questions to which somebody waits for the answer (stores/health.h).
inline constexpr Options kBriefOptions{.connect_timeout = std::chrono::seconds(5),
                                       .idle_timeout = std::chrono::seconds(10),
                                       .total_timeout = std::chrono::seconds(10)};

struct Request {
  std::string method = "POST";
  std::string url;                       // http or https, without secrets
  std::vector<std::string> headers;      // "Name: value"; may hold secrets
  std::string_view body;                 // of all methods but GET; lives until Send returns
  size_t max_response_bytes = 64 << 20;  // decompressed; a longer answer is an error
};

struct Response {
  long status = 0;
  std::string body;
  std::optional<std::chrono::milliseconds> retry_after;  // how long the server asks to be left alone
  std::optional<Timestamp> date;                         // when the server says that it answered, to the second
};

// Speaks HTTP/1.1 with one server over one connection, which is kept for the next request and made again where it was
// lost. TLS certificates are verified, redirects are not followed, nothing but http and https is spoken, no .netrc is
// read; proxies are those that libcurl takes from the environment. One thread at a time uses an object.
class Client {
 public:
  // `store`: the location as it may be shown, for errors.
  Client(std::string store, const Options& options);
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  // Sends the request and gives the answer, whatever its status (stores/http/answer.h tells what that means). Throws
  // StoreError where there is no whole answer: kTransient for a connection that fails or stands still, in which case
  // the request may have taken effect; kInvalid for a certificate that is not trusted or a URL that
  // is none; kPermanent for an answer beyond
  // the limit. `operation` is what was being done.
  Response Send(const Request& request, std::string_view operation);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace flaky::http

#endif  // FLAKY_STORES_HTTP_CLIENT_H_
