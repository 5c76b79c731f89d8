// SPDX-License-Identifier: MIT
#include "stores/turso/hrana_request.h"

#include <charconv>

#include "history/text.h"
#include "stores/turso/base64.h"

namespace flaky::turso {
namespace {

constexpr std::string_view kExecute = R"({"type":"execute","stmt":)";
constexpr std::string_view kClose = R"({"type":"close"}]})";

void AppendNumber(std::string& out, int64_t value) {
  char digits[24];
  out.append(digits, std::to_chars(digits, digits + sizeof digits, value).ptr);
}

// The steps of a batch. Each runs only if the one before it succeeded.
class Steps {
 public:
  explicit Steps(std::string& out) : out_(out) {}

  void Add(const HranaStatement& statement) {
    out_ += count_ == 0 ? R"({"stmt":)" : R"(,{"stmt":)";
    statement.AppendTo(out_);
    if (count_ > 0) {
      out_ += R"(,"condition":)";
      AppendLastSucceeded();
    }
    out_ += '}';
    ++count_;
  }
  void Add(std::span<const HranaStatement> statements) {
    for (const HranaStatement& statement : statements) Add(statement);
  }
  // Adds the last step, which runs only if the one before it did not succeed.
  void AddElse(const HranaStatement& statement) {
    out_ += R"(,{"stmt":)";
    statement.AppendTo(out_);
    out_ += R"(,"condition":{"type":"not","cond":)";
    AppendLastSucceeded();
    out_ += "}}";
  }

 private:
  void AppendLastSucceeded() {
    out_ += R"({"type":"ok","step":)";
    AppendNumber(out_, static_cast<int64_t>(count_ - 1));
    out_ += '}';
  }

  std::string& out_;
  size_t count_ = 0;
};

std::string Reserved(std::span<const HranaStatement> statements) {
  std::string body;
  size_t size = 1024;
  for (const HranaStatement& statement : statements) size += statement.size() + 64;
  body.reserve(size);
  return body;
}

}  // namespace

HranaStatement::HranaStatement(std::string_view sql) : json_(R"({"sql":)") { AppendJson(json_, sql); }

void HranaStatement::Separate() {
  json_ += has_values_ ? "," : R"(,"args":[)";
  has_values_ = true;
}

HranaStatement& HranaStatement::Text(std::string_view value) {
  Separate();
  json_ += R"({"type":"text","value":)";
  AppendJson(json_, value);
  json_ += '}';
  return *this;
}

HranaStatement& HranaStatement::Integer(int64_t value) {
  Separate();
  json_ += R"({"type":"integer","value":")";
  AppendNumber(json_, value);
  json_ += R"("})";
  return *this;
}

HranaStatement& HranaStatement::Null() {
  Separate();
  json_ += R"({"type":"null"})";
  return *this;
}

HranaStatement& HranaStatement::Blob(std::string_view bytes) {
  Separate();
  json_ += R"({"type":"blob","base64":)";
  AppendJson(json_, ToBase64(bytes));
  json_ += '}';
  return *this;
}

HranaStatement& HranaStatement::Value(const HranaValue& value) {
  switch (value.type) {
    case HranaValue::Type::kNull:
      return Null();
    case HranaValue::Type::kInteger:
      return Integer(value.integer);
    case HranaValue::Type::kFloat: {
      char digits[32];
      Separate();
      json_ += R"({"type":"float","value":)";
      json_.append(digits, std::to_chars(digits, digits + sizeof digits, value.real).ptr);
      json_ += '}';
      return *this;
    }
    case HranaValue::Type::kText:
      return Text(value.text);
    case HranaValue::Type::kBlob:
    case HranaValue::Type::kRawText:
      return Blob(value.text);
  }
  return *this;
}

void HranaStatement::AppendTo(std::string& body) const {
  body += json_;
  body += has_values_ ? "]}" : "}";
}

std::string ReadingBody(std::span<const HranaStatement> statements) {
  const bool snapshot = statements.size() > 1;
  std::string body = Reserved(statements);
  body += R"({"requests":[)";
  const auto add = [&](const HranaStatement& statement) {
    body += kExecute;
    statement.AppendTo(body);
    body += "},";
  };
  if (snapshot) add(HranaStatement("BEGIN"));
  for (const HranaStatement& statement : statements) add(statement);
  if (snapshot) add(HranaStatement("COMMIT"));
  body += kClose;
  return body;
}

std::string TransactionBody(std::span<const HranaStatement> checks, std::span<const HranaStatement> statements) {
  std::string body = Reserved(statements);
  body += R"({"requests":[{"type":"batch","batch":{"steps":[)";
  Steps steps(body);
  steps.Add(checks);
  steps.Add(HranaStatement("BEGIN IMMEDIATE"));
  steps.Add(statements);
  steps.Add(HranaStatement("COMMIT"));
  steps.AddElse(HranaStatement("ROLLBACK"));
  body += "]}},";
  body += kClose;
  return body;
}

std::string CursorBody(std::span<const HranaStatement> statements) {
  std::string body = Reserved(statements);
  body += R"({"batch":{"steps":[)";
  Steps steps(body);
  steps.Add(HranaStatement("BEGIN"));
  steps.Add(statements);
  steps.Add(HranaStatement("COMMIT"));
  body += "]}}";
  return body;
}

std::string CloseBody(std::string_view baton) {
  std::string body = R"({"baton":)";
  AppendJson(body, baton);
  body += R"(,"requests":[)";
  body += kClose;
  return body;
}

}  // namespace flaky::turso
