// SPDX-License-Identifier: MIT
#include "stores/turso/connection.h"

#include "stores/http/answer.h"
#include "stores/http/limits.h"
#include "stores/http/one_line.h"
#include "stores/sql/code_meaning.h"

namespace flaky::turso {
namespace {

constexpr std::string_view kPipeline = "/v2/pipeline";
constexpr std::string_view kCursor = "/v3/cursor";

// sqld answers with the whole database, and refuses that on a replica. Nothing else that can be read tells them apart.
constexpr std::string_view kDump = "/dump";
constexpr size_t kLongestDump = 4096;
constexpr http::Options kDumpOptions{.connect_timeout = std::chrono::seconds(2),
                                     .idle_timeout = std::chrono::seconds(2),
                                     .total_timeout = std::chrono::seconds(2)};
// One address of Turso Cloud is one database. Its dumps are not free.
constexpr std::string_view kTursoCloud = ".turso.io";

constexpr std::string_view kTooLarge = "RESPONSE_TOO_LARGE";

constexpr std::string_view kMakeToken =
    "create one with `turso db tokens create DATABASE` and set FLAKY_TESTS_AUTH_TOKEN to it";

constexpr CodeMeaning kCodes[] = {
    {"SQLITE_BUSY", ErrorKind::kTransient},
    {"SQLITE_LOCKED", ErrorKind::kTransient},
    {"SQLITE_PROTOCOL", ErrorKind::kTransient},
    {"SQLITE_SCHEMA", ErrorKind::kTransient},
    {"SQLITE_INTERRUPT", ErrorKind::kTransient},
    {"TRANSACTION_TIMEOUT", ErrorKind::kTransient,
     ": other clients were waiting, and it took longer than the server allows"},
    {"TRANSACTION_BUSY", ErrorKind::kTransient},
    {"STREAM_EXPIRED", ErrorKind::kTransient},
    {"BLOCKED", ErrorKind::kPermanent,
     ": the server has blocked this database; on Turso Cloud, check the plan's quota and whether reads or writes are "
     "blocked"},
    {"SQLITE_CONSTRAINT", ErrorKind::kInvalid},
    {"SQLITE_MISMATCH", ErrorKind::kInvalid},
    {"SQLITE_TOOBIG", ErrorKind::kInvalid},
    {"SQLITE_CORRUPT", ErrorKind::kInvalid},
    {"SQLITE_NOTADB", ErrorKind::kInvalid},
    {"SQLITE_ERROR", ErrorKind::kInvalid},
    {"SQLITE_UNKNOWN", ErrorKind::kInvalid},
    {"SQL_", ErrorKind::kInvalid},
    {"ARGS_INVALID", ErrorKind::kInvalid},
    {"SQLITE_READONLY", ErrorKind::kAuth},
    {"SQLITE_AUTH", ErrorKind::kAuth},
    {"SQLITE_PERM", ErrorKind::kAuth},
    {"SQLITE_FULL", ErrorKind::kPermanent, ": nothing of this was written; free some space and try again"},
    {"SQLITE_NOMEM", ErrorKind::kTransient},
    {kTooLarge, ErrorKind::kPermanent},
};

bool Mentions(const std::string& text, std::string_view word) { return text.find(word) != text.npos; }

http::Options With(http::Options options, const Address& address) {
  options.compressed = options.compressed && !address.loopback;
  return options;
}

}  // namespace

bool IsTooLarge(const HranaError& error) { return error.code == kTooLarge; }
bool IsConstraint(const HranaError& error) {
  // A replica passes on what the primary says, without its code.
  return error.code.starts_with("SQLITE_CONSTRAINT") ||
         (error.code == "PROXY_ERROR" && error.message.find(" constraint failed") != error.message.npos);
}

Connection::Connection(const Location& location, const http::Options& options)
    : name_(location.display_name),
      tables_{location.prefix},
      address_(ParseAddress(location)),
      client_(name_, With(options, address_)),
      headers_{"Content-Type: application/json"} {
  if (!address_.token.empty()) headers_.push_back("Authorization: Bearer " + address_.token.Reveal());
}

HranaAnswer Connection::TryRead(std::span<const HranaStatement> statements, std::string_view operation) {
  const auto too_large = [&](const char* message) {
    HranaAnswer answer;
    answer.results.resize(statements.size());
    for (HranaResult& result : answer.results) result.error = HranaError{message, std::string(kTooLarge)};
    return answer;
  };
  std::string body;
  try {
    body = Post(ReadingBody(statements), operation);
  } catch (const http::AnswerTooLong&) {
    return too_large("the server's answer is too long");
  }
  if (http::HasMoreValues(body)) return too_large("the server's answer has too many values");
  HranaAnswer answer;
  try {
    answer = ParseReading(std::move(body), statements.size());
  } catch (const MalformedAnswer&) {
    FailMalformed(operation);
  }
  for (size_t i = 0; i < statements.size(); ++i) {
    const HranaResult& result = answer.results[i];
    if (!result.error && result.width != statements[i].columns()) FailMalformed(operation);
  }
  return answer;
}

void Connection::ReadRows(std::span<const HranaStatement> statements, std::string_view operation, const TakeRow& take) {
  std::vector<size_t> widths;
  for (const HranaStatement& statement : statements) widths.push_back(statement.columns());
  HranaCursor cursor(std::move(widths), take);
  http::Request request;
  request.max_response_bytes = kLongestRun;
  request.take = [&](std::string_view piece) { cursor.Take(piece); };
  try {
    Send(request, kCursor, CursorBody(statements), operation);
  } catch (const MalformedAnswer&) {
    FailMalformed(operation);
  }
  if (!cursor.IsWhole()) Fail(ErrorKind::kTransient, operation, "truncated response from server");
  if (!cursor.baton().empty()) Post(CloseBody(cursor.baton()), operation);
  if (cursor.error()) Throw(*cursor.error(), operation);
}

HranaAnswer Connection::Read(const HranaStatement& statement, std::string_view operation) {
  HranaAnswer answer = TryRead({&statement, 1}, operation);
  ThrowIfFailed(answer, operation);
  return answer;
}

HranaAnswer Connection::ReadOne(const HranaStatement& statement, std::string_view operation) {
  HranaAnswer answer = Read(statement, operation);
  if (answer.results.front().rows() != 1) FailMalformed(operation);
  return answer;
}

HranaOutcome Connection::Transact(std::span<const HranaStatement> checks, std::span<const HranaStatement> statements,
                                  std::string_view operation) {
  std::string answer = Post(TransactionBody(checks, statements), operation);
  if (http::HasMoreValues(answer)) FailMalformed(operation);
  HranaOutcome outcome;
  try {
    outcome = ParseTransaction(std::move(answer), checks.size(), statements.size());
  } catch (const MalformedAnswer&) {
    FailMalformed(operation);
  }
  // All statements succeeded, but the server had already rolled the transaction back.
  if (!outcome.committed && outcome.failed == statements.size() &&
      Mentions(outcome.error.message, "no transaction is active")) {
    outcome.error.code = "TRANSACTION_TIMEOUT";
  }
  return outcome;
}

bool Connection::IsReplica() const {
  if (Mentions(address_.base, kTursoCloud)) return false;
  http::Request request;
  request.method = "GET";
  request.url = address_.base + std::string(kDump);
  request.headers = headers_;
  request.max_response_bytes = kLongestDump;
  try {
    const http::Response response =
        http::Client(name_, With(kDumpOptions, address_)).Send(request, "examine the server");
    return response.status == 400 && Mentions(http::MessageOf(response.body).message, "not a primary");
  } catch (const StoreError&) {
    return false;
  }
}

void Connection::Throw(const HranaError& error, std::string_view operation) const {
  const CodeMeaning* meaning = MeaningOf(kCodes, error.code);
  std::string_view message = error.message;
  for (const std::string_view noise : {"SQLite error: ", "SQL input error: "}) {
    if (message.starts_with(noise)) message.remove_prefix(noise.size());
  }
  throw StoreError(meaning != nullptr ? meaning->kind : ErrorKind::kPermanent, name_, std::string(operation),
                   http::FitForOneLine(error.code),
                   http::FitForOneLine(message) + (meaning != nullptr ? meaning->advice : ""));
}

void Connection::ThrowIfFailed(const HranaAnswer& answer, std::string_view operation) const {
  for (const HranaResult& result : answer.results) {
    if (result.error) Throw(*result.error, operation);
  }
}

void Connection::Fail(ErrorKind kind, std::string_view operation, const std::string& detail) const {
  throw StoreError(kind, name_, std::string(operation), "", detail);
}

void Connection::FailMalformed(std::string_view operation) const {
  Fail(ErrorKind::kTransient, operation, MalformedAnswer().what());
}

std::string_view Connection::TextOf(const HranaValue& value, std::string_view operation) const {
  if (value.type != HranaValue::Type::kText) FailMalformed(operation);
  return value.text;
}

std::string Connection::Post(const std::string& body, std::string_view operation) {
  http::Request request;
  return Send(request, kPipeline, body, operation);
}

std::string Connection::Send(http::Request& request, std::string_view path, const std::string& body,
                             std::string_view operation) {
  request.url = address_.base + std::string(path);
  request.headers = headers_;
  request.body = body;
  http::Response response = client_.Send(request, operation);
  if (response.status != 200) Refused(response, operation);
  return std::move(response.body);
}

void Connection::Refused(const http::Response& response, std::string_view operation) const {
  const http::ServerMessage said = http::MessageOf(response.body);
  if (response.status == 401 || response.status == 403) {
    std::string detail;
    if (address_.token.empty()) {
      detail = "the server requires a token and none is set; " + std::string(kMakeToken);
    } else if (Mentions(said.message, "expired")) {
      detail = "the token has expired; " + std::string(kMakeToken);
    } else if (Mentions(said.message, "ermission")) {
      detail = "the token is for reading only; " + std::string(kMakeToken);
    } else {
      detail = "the server does not accept the token; " + std::string(kMakeToken);
    }
    throw http::ErrorOf(name_, operation, response, detail + " (the server said: " + said.message + ")");
  }
  if (MeaningOf(kCodes, said.code) != nullptr) Throw({said.message, said.code}, operation);
  if (Mentions(said.message, "invalid utf-8 sequence")) {
    throw TextIsNoUtf8(ErrorKind::kInvalid, name_, std::string(operation), "", http::FitForOneLine(said.message));
  }
  throw http::ErrorOf(name_, operation, response);
}

}  // namespace flaky::turso
