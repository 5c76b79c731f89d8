#ifndef FLAKY_TESTS_SERVERS_REQUEST_FRAMING_H_
#define FLAKY_TESTS_SERVERS_REQUEST_FRAMING_H_

#include <cstddef>
#include <memory>
#include <string_view>

namespace flaky {

// Where a client's requests end in what it sends over one connection. A request is what the client sends until it waits
// for an answer.
class RequestFraming {
 public:
  virtual ~RequestFraming() = default;

  struct InFlightBatch {
    size_t size = 0;   // 0: what was received does not hold a whole one
    bool asks = true;  // false: nothing answers it
  };
  // The first piece of what was received and not taken yet. To be called once for each piece that is complete.
  // Throws std::runtime_error for what it does not understand.
  virtual InFlightBatch Next(std::string_view received) = 0;
};

// HTTP/1.1: a head, and the body that Content-Length announces. Chunked requests, and those that wait to be told to
// send their body (Expect), are not understood.
std::unique_ptr<RequestFraming> HttpFraming();

// PostgreSQL's protocol, version 3, without encryption: start-up packets; messages up to one that demands an answer
// (Query, Sync, Flush, CopyDone, CopyFail, a password). The end of the session asks nothing.
std::unique_ptr<RequestFraming> PostgresFraming();

}  // namespace flaky

#endif  // FLAKY_TESTS_SERVERS_REQUEST_FRAMING_H_
