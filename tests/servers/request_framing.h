#ifndef FLAKY_TESTS_SERVERS_REQUEST_FRAMING_H_
#define FLAKY_TESTS_SERVERS_REQUEST_FRAMING_H_

#include <cstddef>
#include <memory>
#include <string_view>

namespace flaky {

// Splits the bytes that a client sends over one connection into requests. A request is everything that the client sends
// until it waits for an answer.
class RequestFraming {
 public:
  virtual ~RequestFraming() = default;

  struct Request {
    size_t size = 0;   // 0: no complete request has been received
    bool asks = true;  // false: the server does not answer it
  };
  // Returns the first request in the bytes that were received and not forwarded yet. Call it once for each complete
  // request. Throws std::runtime_error for bytes that it does not understand.
  virtual Request Next(std::string_view received) = 0;
};

// HTTP/1.1: a head, and a body of Content-Length bytes. Chunked requests and requests with an Expect header are not
// understood.
std::unique_ptr<RequestFraming> HttpFraming();

// PostgreSQL's protocol, version 3, without encryption. A request is a start-up packet, or all messages up to one that
// the server answers (Query, Sync, Flush, CopyDone, CopyFail, a password). The server does not answer Terminate.
std::unique_ptr<RequestFraming> PostgresFraming();

}  // namespace flaky

#endif  // FLAKY_TESTS_SERVERS_REQUEST_FRAMING_H_
