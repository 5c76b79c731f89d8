#ifndef FLAKY_STORES_HTTP_ANSWER_H_
#define FLAKY_STORES_HTTP_ANSWER_H_

#include <string>
#include <string_view>

#include "stores/error.h"
#include "stores/http/client.h"

// What servers say when they do not do what they were asked.
namespace flaky {

// The error that an answer other than 2xx means, as every HTTP store has it: 401 and 403 are kAuth; 404 and 410
// kMissing; 408, 425, 429 and 5xx kTransient, with the time that Retry-After names, save for 501 and 505; every other
// 4xx but 402 kInvalid; the rest, redirects among it, kPermanent. `detail`: what to say; empty: what the server said.
StoreError HttpError(const std::string& store, std::string_view operation, const HttpResponse& response,
                     std::string_view detail = {});

// What a server says of an error in a body.
struct ServerMessage {
  std::string message;  // fit for one line
  std::string code;     // empty: none
};

// Takes it from the members `message` (or `error`, a text or an object with `message`) and `code` of a JSON object;
// from anything else as plain text.
ServerMessage MessageOf(std::string_view body);

// Any text from outside in a form that may be shown within a sentence: control characters are blanks, some hundred
// bytes at most, no full stop behind it.
std::string FitForOneLine(std::string_view text);

}  // namespace flaky

#endif  // FLAKY_STORES_HTTP_ANSWER_H_
