#include "stores/http/answer.h"

#include <simdjson.h>

#include "history/text.h"

namespace flaky {
namespace {

constexpr size_t kMostBytes = 300;

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

std::string FitForOneLine(std::string_view text) {
  std::string line;
  for (const char c : MakeStorable(text.substr(0, kMostBytes + 4))) {
    const bool control = static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
    if (!control) {
      line += c;
    } else if (!line.empty() && line.back() != ' ') {
      line += ' ';
    }
  }
  if (line.size() > kMostBytes) {
    size_t end = kMostBytes;
    while (end > 0 && (static_cast<unsigned char>(line[end]) & 0xC0) == 0x80) --end;
    line.resize(end);
    line += "…";
  }
  while (!line.empty() && (line.back() == ' ' || line.back() == '.')) line.pop_back();
  return line;
}

ServerMessage MessageOf(std::string_view body) {
  simdjson::dom::parser parser;
  simdjson::dom::element root;
  std::string_view message, code;
  if (parser.parse(body.data(), body.size()).get(root) == simdjson::SUCCESS && root.is_object()) {
    simdjson::dom::element error = root;
    if (root["message"].get(message) != simdjson::SUCCESS && root["error"].get(message) != simdjson::SUCCESS &&
        root["error"].get(error) == simdjson::SUCCESS) {
      if (error["message"].get(message) != simdjson::SUCCESS) message = {};
    }
    if (error["code"].get(code) != simdjson::SUCCESS) code = {};
  }
  return {FitForOneLine(message.empty() ? body : message), FitForOneLine(code)};
}

StoreError HttpError(const std::string& store, std::string_view operation, const HttpResponse& response,
                     std::string_view detail) {
  std::string said(detail);
  if (said.empty() && response.status >= 300 && response.status < 400) {
    said = "the server sends its clients elsewhere; name the address that it sends them to";
  } else if (said.empty()) {
    said = MessageOf(response.body).message;
    if (said.empty()) said = "the server refused it and did not say why";
  }
  StoreError error(KindOf(response.status), store, std::string(operation), "HTTP " + std::to_string(response.status),
                   said);
  if (response.retry_after) error.set_retry_after(*response.retry_after);
  return error;
}

}  // namespace flaky
