// SPDX-License-Identifier: MIT
#ifndef FLAKY_STORES_HTTP_ANSWER_H_
#define FLAKY_STORES_HTTP_ANSWER_H_

#include <string>
#include <string_view>

#include "stores/error.h"
#include "stores/http/client.h"

// Turns the answers of HTTP servers to failed requests into errors.
namespace flaky::http {

// Returns the error for an answer other than 2xx, which is the same in every HTTP store: 401 and 403 are kAuth; 404 and
// 410 are kMissing; 408, 425, 429 and 5xx, except for 501 and 505, are kTransient, with the time of Retry-After; every
// other 4xx except for 402 is kInvalid; the rest, for example redirects, is kPermanent. `detail`: the message; if it is
// empty, the server's message.
StoreError ErrorOf(const std::string& store, std::string_view operation, const Response& response,
                   std::string_view detail = {});

// An error in the body of an answer.
struct ServerMessage {
  std::string message;  // fit for one line
  std::string code;     // may be empty
};

// Returns the members `message` (or `error`, a text or an object with `message`) and `code` of a JSON object. Takes any
// other body as the message.
ServerMessage MessageOf(std::string_view body);

}  // namespace flaky::http

#endif  // FLAKY_STORES_HTTP_ANSWER_H_
