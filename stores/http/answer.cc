// SPDX-License-Identifier: MIT
#include "stores/http/answer.h"

#include <simdjson.h>

#include "stores/http/one_line.h"

namespace flaky::http {
namespace {

ErrorKind KindOf(long status) {
  switch (status) {
    case 401:
    case 403:
      return ErrorKind::kAuth;
    case 404:
    case 410:
      return ErrorKind::kMissing;
    case 408:
    case 425:
    case 429:
      return ErrorKind::kTransient;
    case 402:
    case 501:
    case 505:
      return ErrorKind::kPermanent;
    default:
      if (status >= 500) return ErrorKind::kTransient;
      return status >= 400 ? ErrorKind::kInvalid : ErrorKind::kPermanent;
  }
}

}  // namespace

ServerMessage MessageOf(std::string_view body) {
  simdjson::dom::parser parser;
  simdjson::dom::element root;
  std::string_view message, code;
  // A longer body was cut, so it cannot be parsed.
  if (body.size() < kLongestRefusal && parser.parse(body.data(), body.size()).get(root) == simdjson::SUCCESS &&
      root.is_object()) {
    simdjson::dom::element error = root;
    if (root["message"].get(message) != simdjson::SUCCESS && root["error"].get(message) != simdjson::SUCCESS &&
        root["error"].get(error) == simdjson::SUCCESS) {
      if (error["message"].get(message) != simdjson::SUCCESS) message = {};
    }
    if (error["code"].get(code) != simdjson::SUCCESS) code = {};
  }
  return {FitForOneLine(message.empty() ? body : message), FitForOneLine(code)};
}

StoreError ErrorOf(const std::string& store, std::string_view operation, const Response& response,
                   std::string_view detail) {
  std::string said(detail);
  if (said.empty() && response.status >= 300 && response.status < 400) {
    said = "the server redirects to another address; use that address instead";
  } else if (said.empty()) {
    said = MessageOf(response.body).message;
    if (said.empty()) said = "the server refused the request without a reason";
  }
  StoreError error(KindOf(response.status), store, std::string(operation), "HTTP " + std::to_string(response.status),
                   said);
  if (response.retry_after) error.set_retry_after(*response.retry_after);
  return error;
}

}  // namespace flaky::http
