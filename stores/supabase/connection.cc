// SPDX-License-Identifier: MIT
#include "stores/supabase/connection.h"

#include <algorithm>
#include <iterator>

#include "history/text.h"
#include "stores/http/answer.h"
#include "stores/http/one_line.h"
#include "stores/sql/code_meaning.h"

namespace flaky::supabase {
namespace {

// A run has many failures, with some fifteen values each.
constexpr size_t kMostValues = 4 << 20;

constexpr std::string_view kWhereKeysAre =
    "set FLAKY_TESTS_AUTH_TOKEN to the project's secret key (dashboard: Project Settings, API Keys)";

// Codes of PostgREST and of PostgreSQL.
constexpr CodeMeaning kCodes[] = {
    {"PGRST000", ErrorKind::kTransient, ": the project's database is not available; is the project paused?"},
    {"PGRST001", ErrorKind::kTransient, ": the project's database is not available; is the project paused?"},
    {"PGRST002", ErrorKind::kTransient, ": the project's database is not available; is the project paused?"},
    {"PGRST003", ErrorKind::kTransient, ": all of the interface's connections to its database are in use"},
    {"PGRST106", ErrorKind::kInvalid,
     ": the schema 'public' is not among the project's exposed schemas (dashboard: Data API)"},
    {"PGRST", ErrorKind::kInvalid},
    {"08", ErrorKind::kTransient},
    {"22", ErrorKind::kInvalid},
    {"23", ErrorKind::kInvalid},
    {"25006", ErrorKind::kMissing,
     ": this database only reads: it is a replica, so name the project itself (https://PROJECT.supabase.co), or "
     "Supabase "
     "has made it read-only, as it does if its disk is full or its quota is used up"},
    {"40", ErrorKind::kTransient},
    {"53100", ErrorKind::kPermanent, ": nothing of this was written; free some space and try again"},
    {"53", ErrorKind::kTransient},
    {"54", ErrorKind::kInvalid},
    {"55P03", ErrorKind::kTransient},
    {"57014", ErrorKind::kTransient,
     ": it took longer than the project's limit for a statement; if this happens again, raise the limit with ALTER "
     "ROLE "
     "authenticator SET statement_timeout = '60s'"},
    {"57", ErrorKind::kTransient},
    {"XX", ErrorKind::kPermanent},
};

// The functions or their tables are missing, or aren't this program's.
constexpr std::string_view kNotThere[] = {"PGRST202", "PGRST203", "PGRST204", "PGRST205", "42P01", "42883", "42703"};

bool IsLegacy(const Secret& key) { return key.Reveal().starts_with("eyJ"); }
bool IsPublishable(const Secret& key) { return key.Reveal().starts_with("sb_publishable_"); }

bool Mentions(std::string_view text, std::string_view word) { return text.find(word) != text.npos; }

http::Options With(http::Options options, const Address& address) {
  options.compressed = options.compressed && !address.loopback;
  return options;
}

// Returns the GRANT that gives the key's role the right that it lacks.
std::string GrantFor(std::string_view message, const std::string& prefix, std::string_view function) {
  const auto table = [&](const char* name) { return "\"" + prefix + name + "\""; };
  if (Mentions(message, "for table") || Mentions(message, "for relation")) {
    return "GRANT SELECT, INSERT, UPDATE, DELETE ON " + table("runs") + ", " + table("parts") + ", " +
           table("failures") + ", " + table("rosters") + ", " + table("claims") + " TO service_role";
  }
  if (Mentions(message, "for sequence")) return "GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO service_role";
  if (Mentions(message, "for schema")) return "GRANT USAGE ON SCHEMA public TO service_role";
  return "GRANT EXECUTE ON FUNCTION \"rest_" + prefix + std::string(function) + "\" TO service_role";
}

}  // namespace

std::string HowToMakeTables() {
  return "`flaky schema sql --store supabase` prints the SQL for the dashboard's SQL editor, and `flaky schema "
         "migrate` runs it if FLAKY_TESTS_SUPABASE_DB is set";
}

Connection::Connection(const Location& location, const http::Options& options)
    : name_(location.display_name),
      prefix_(location.prefix),
      address_(ParseAddress(location)),
      key_(location.token),
      client_(name_, With(options, address_)),
      headers_{"Content-Type: application/json"} {
  // The key becomes part of an HTTP header.
  if (std::ranges::any_of(key_.Reveal(), [](char c) { return c <= 0x20 || c >= 0x7f; })) {
    Fail(ErrorKind::kAuth, "use the location",
         "the key (FLAKY_TESTS_AUTH_TOKEN) contains a blank, a line break or another character that keys do not have");
  }
  if (!key_.empty()) headers_.push_back("apikey: " + key_.Reveal());
  // Keys of the new kinds aren't JWTs, and the server refuses them in this header.
  if (IsLegacy(key_)) headers_.push_back("Authorization: Bearer " + key_.Reveal());
}

simdjson::dom::element Connection::Call(std::string_view function, std::string_view request, std::string_view operation,
                                        size_t longest) {
  std::string body = "{}";
  if (!request.empty()) {
    body = R"({"request":)";
    AppendJson(body, request);
    body += '}';
  }
  http::Request http;
  http.url = address_.base + "/rest/v1/rpc/rest_" + prefix_ + std::string(function);
  http.headers = headers_;
  http.body = body;
  http.max_response_bytes = longest;
  const http::Response response = client_.Send(http, operation);
  clock_ = response.date;
  if (response.status < 200 || response.status > 299) Refused(response, function, operation);
  if (http::HasMoreValues(response.body, kMostValues)) {
    Fail(ErrorKind::kPermanent, operation,
         "the server's answer has more than " + std::to_string(kMostValues) + " values");
  }
  simdjson::dom::element root;
  if (parser_.parse(response.body).get(root) != simdjson::SUCCESS) FailMalformed(operation);
  return root;
}

void Connection::Fail(ErrorKind kind, std::string_view operation, const std::string& detail) const {
  throw StoreError(kind, name_, std::string(operation), "", detail);
}

void Connection::FailMalformed(std::string_view operation) const {
  Fail(ErrorKind::kTransient, operation, "the answer is not that of a Supabase project's REST interface");
}

simdjson::dom::array Connection::ArrayOf(simdjson::dom::element element, std::string_view operation) const {
  simdjson::dom::array array;
  if (element.get(array) != simdjson::SUCCESS) FailMalformed(operation);
  return array;
}

simdjson::dom::array Connection::TextsOf(simdjson::dom::element element, size_t count,
                                         std::string_view operation) const {
  const simdjson::dom::array array = ArrayOf(element, operation);
  if (array.size() < count) FailMalformed(operation);
  for (const simdjson::dom::element text : array) {
    if (!text.is_string()) FailMalformed(operation);
  }
  return array;
}

void Connection::Refused(const http::Response& response, std::string_view function, std::string_view operation) const {
  const http::ServerMessage said = http::MessageOf(response.body);
  const std::string code =
      said.code.empty() ? "HTTP " + std::to_string(response.status) : http::FitForOneLine(said.code);
  const std::string quoted = said.message.empty() ? "" : " (the server said: " + said.message + ")";
  const auto as = [&](ErrorKind kind, const std::string& detail) {
    StoreError error(kind, name_, std::string(operation), code, detail);
    if (response.retry_after) error.set_retry_after(*response.retry_after);
    return error;
  };
  if (std::ranges::find(kNotThere, said.code) != std::end(kNotThere)) {
    throw as(ErrorKind::kMissing, "the project does not have this program's tables and functions with the prefix '" +
                                      prefix_ + "'; " + HowToMakeTables() + quoted);
  }
  const bool refused = response.status == 401 || response.status == 403 || said.code == "42501";
  if (refused && key_.empty()) {
    throw as(ErrorKind::kAuth, "the project requires a key and none is set; " + std::string(kWhereKeysAre) + quoted);
  }
  if (refused && IsPublishable(key_)) {
    throw as(ErrorKind::kAuth,
             "the key is a publishable one, which cannot read the history; " + std::string(kWhereKeysAre) + quoted);
  }
  if (said.code == "42501" && Mentions(said.message, "row-level security")) {
    throw as(ErrorKind::kAuth,
             "row-level security hides rows from the key's role, so this would not be the whole history; use a secret "
             "key, whose role service_role bypasses it (ALTER ROLE service_role BYPASSRLS)" +
                 quoted);
  }
  if (said.code == "42501") {
    throw as(ErrorKind::kAuth,
             "the key's role lacks a right; if the key is a secret one, run this in the dashboard's SQL editor: " +
                 GrantFor(said.message, prefix_, function) + ";" +
                 (IsLegacy(key_) ? " a legacy key must be that of service_role" : "") + quoted);
  }
  if (refused) {
    throw as(ErrorKind::kAuth, "the project does not accept the key: it is wrong, expired or revoked; " +
                                   std::string(kWhereKeysAre) + quoted);
  }
  const CodeMeaning* meaning = MeaningOf(kCodes, said.code);
  if (meaning != nullptr) throw as(meaning->kind, said.message + meaning->advice);
  if (response.status == 540) {
    throw as(ErrorKind::kPermanent, "the project is paused; restore it in the dashboard" + quoted);
  }
  if (response.status == 404 && said.code.empty()) {
    throw as(
        ErrorKind::kMissing,
        "there is no REST interface at this address; expected the project's URL, https://PROJECT.supabase.co" + quoted);
  }
  throw http::ErrorOf(name_, operation, response);
}

}  // namespace flaky::supabase
