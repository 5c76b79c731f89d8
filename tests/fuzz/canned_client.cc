// SPDX-License-Identifier: MIT
#include "tests/fuzz/canned_client.h"

#include <algorithm>
#include <charconv>
#include <string>
#include <utility>

#include "stores/http/client.h"

namespace flaky::fuzz {
namespace {

std::vector<std::string_view> answers;
size_t next_answer = 0;

}  // namespace

void SetAnswers(std::vector<std::string_view> texts) {
  answers = std::move(texts);
  next_answer = 0;
}

}  // namespace flaky::fuzz

namespace flaky::http {
namespace {

// Passes the body to the request piece by piece if it takes it so, else puts it into the response.
void PassBody(const Request& request, std::string_view body, Response& response) {
  constexpr size_t kPiece = 13;
  if (!request.take || response.status / 100 != 2) {
    response.body = body;
    return;
  }
  for (; !body.empty(); body.remove_prefix(std::min(kPiece, body.size()))) request.take(body.substr(0, kPiece));
}

}  // namespace

struct Client::State {
  std::string store;
};

Client::Client(std::string store, const Options&) : state_(std::make_unique<State>(State{std::move(store)})) {}
Client::~Client() = default;

Response Client::Send(const Request& request, std::string_view operation) {
  if (fuzz::next_answer == fuzz::answers.size()) {
    throw StoreError(ErrorKind::kTransient, state_->store, std::string(operation), "", "the connection was lost");
  }
  std::string_view text = fuzz::answers[fuzz::next_answer++];
  Response response{.status = 200};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), response.status);
  if (error == std::errc() && end != text.data() + text.size() && *end == ' ') {
    text.remove_prefix(static_cast<size_t>(end - text.data()) + 1);
  } else {
    response.status = 200;
  }
  if (text.size() > request.max_response_bytes) {
    throw StoreError(ErrorKind::kPermanent, state_->store, std::string(operation), "", "the answer is too long");
  }
  PassBody(request, text, response);
  return response;
}

}  // namespace flaky::http
