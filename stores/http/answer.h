#ifndef FLAKY_STORES_HTTP_ANSWER_H_
#define FLAKY_STORES_HTTP_ANSWER_H_

#include <string>
#include <string_view>

#include "stores/error.h"
#include "stores/http/client.h"

// What servers say when they do not do what they were asked.
namespace flaky::http {

// The error that an answer other than 2xx means, as every HTTP store has it: 401 and 403 are kAuth; 404 and 410
// kMissing; 408, 425, 429 and 5xx kTransient, with the time that Retry-After names, save for 501 and 505; every other
// 4xx but 402 kInvalid; the rest, redirects among it, kPermanent. `detail`: what to say; empty: what the server said.
StoreError ErrorOf(const std::string& store, std::string_view operation, const Response& response,
                   std::string_view detail = {});

// What a server says of an error in a body.
struct ServerMessage {
  std::string message;  // fit for one line
  std::string code;     // empty: none
};

// Takes it from the members `message` (or `error`, a text or an object with `message`) and `code` of a JSON object;
// from anything else as plain text.
ServerMessage MessageOf(std::string_view body);

}  // namespace flaky::http

#endif  // FLAKY_STORES_HTTP_ANSWER_H_
