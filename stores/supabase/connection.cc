#include "stores/supabase/connection.h"

#include <algorithm>
#include <iterator>

#include "history/text.h"
#include "stores/http/answer.h"

namespace flaky {
namespace {

constexpr size_t kLongestAnswer = 256 << 20;

constexpr std::string_view kWhereKeysAre =
    "the project's secret key (dashboard: Project Settings, API Keys) goes into FLAKY_TESTS_AUTH_TOKEN";

// What the codes of PostgREST and PostgreSQL are to a caller: those that begin with `prefix`, the first that fits.
// `advice` stands behind the server's own words.
struct CodeMeaning {
  std::string_view prefix;
  ErrorKind kind;
  const char* advice;
};
constexpr CodeMeaning kCodes[] = {
    {"PGRST000", ErrorKind::kTransient, ": the project's database is away; is the project paused?"},
    {"PGRST001", ErrorKind::kTransient, ": the project's database is away; is the project paused?"},
    {"PGRST002", ErrorKind::kTransient, ": the project's database is away; is the project paused?"},
    {"PGRST003", ErrorKind::kTransient, ": all of the interface's connections to its database are in use"},
    {"PGRST106", ErrorKind::kInvalid,
     ": the schema 'public' is not among the project's exposed schemas (dashboard: Data API)"},
    {"PGRST", ErrorKind::kInvalid, ""},
    {"08", ErrorKind::kTransient, ""},
    {"22", ErrorKind::kInvalid, ""},
    {"23", ErrorKind::kInvalid, ""},
    {"25006", ErrorKind::kPermanent,
     ": the database takes reads only; on Supabase this is what happens when its disk is full or its quota used up"},
    {"40", ErrorKind::kTransient, ""},
    {"53100", ErrorKind::kPermanent, ": nothing of this was written; make room and repeat it"},
    {"53", ErrorKind::kTransient, ""},
    {"54", ErrorKind::kInvalid, ""},
    {"55P03", ErrorKind::kTransient, ""},
    {"57014", ErrorKind::kTransient,
     ": it took longer than the project lets a statement take; where it stays so, raise the limit with ALTER ROLE "
     "authenticator SET statement_timeout = '60s'"},
    {"57", ErrorKind::kTransient, ""},
    {"XX", ErrorKind::kPermanent, ""},
};

// The functions, or what they use, are not there, or are others than this program's.
constexpr std::string_view kNotThere[] = {"PGRST202", "PGRST203", "PGRST204", "PGRST205", "42P01", "42883", "42703"};

bool IsLegacy(const Secret& key) { return key.Reveal().starts_with("eyJ"); }
bool IsPublishable(const Secret& key) { return key.Reveal().starts_with("sb_publishable_"); }

bool Mentions(std::string_view text, std::string_view word) { return text.find(word) != text.npos; }

HttpOptions With(HttpOptions options, const SupabaseAddress& address) {
  options.compressed = options.compressed && !address.loopback;
  return options;
}

// What lets the key's role do what it may not do.
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
         "migrate` "
         "runs it where FLAKY_TESTS_SUPABASE_DB is set";
}

SupabaseConnection::SupabaseConnection(const Location& location, const SupabaseOptions& options)
    : name_(location.display_name),
      prefix_(location.prefix),
      address_(ParseSupabaseAddress(location)),
      key_(location.token),
      client_(name_, With(options.http, address_)),
      headers_{"Content-Type: application/json"} {
  // It goes into a line of HTTP.
  if (std::ranges::any_of(key_.Reveal(), [](char c) { return c <= 0x20 || c >= 0x7f; })) {
    Fail(ErrorKind::kAuth, "use the location",
         "the key (FLAKY_TESTS_AUTH_TOKEN) holds a blank, a line's end or another character that no key has");
  }
  if (!key_.empty()) headers_.push_back("apikey: " + key_.Reveal());
  // The new kinds are no JWT and are refused there.
  if (IsLegacy(key_)) headers_.push_back("Authorization: Bearer " + key_.Reveal());
}

simdjson::dom::element SupabaseConnection::Call(std::string_view function, std::string_view request,
                                                std::string_view operation) {
  std::string body = "{}";
  if (!request.empty()) {
    body = R"({"request":)";
    AppendJson(body, request);
    body += '}';
  }
  HttpRequest http;
  http.url = address_.base + "/rest/v1/rpc/rest_" + prefix_ + std::string(function);
  http.headers = headers_;
  http.body = body;
  http.max_response_bytes = kLongestAnswer;
  const HttpResponse response = client_.Send(http, operation);
  clock_ = response.date;
  if (response.status < 200 || response.status > 299) Refused(response, function, operation);
  simdjson::dom::element root;
  if (parser_.parse(response.body).get(root) != simdjson::SUCCESS) FailMalformed(operation);
  return root;
}

void SupabaseConnection::Fail(ErrorKind kind, std::string_view operation, const std::string& detail) const {
  throw StoreError(kind, name_, std::string(operation), "", detail);
}

void SupabaseConnection::FailMalformed(std::string_view operation) const {
  Fail(ErrorKind::kTransient, operation, "what answered there is not the REST interface of a Supabase project");
}

void SupabaseConnection::Refused(const HttpResponse& response, std::string_view function,
                                 std::string_view operation) const {
  const ServerMessage said = MessageOf(response.body);
  const std::string code = said.code.empty() ? "HTTP " + std::to_string(response.status) : FitForOneLine(said.code);
  const std::string quoted = said.message.empty() ? "" : " (the server said: " + said.message + ")";
  const auto as = [&](ErrorKind kind, const std::string& detail) {
    StoreError error(kind, name_, std::string(operation), code, detail);
    if (response.retry_after) error.set_retry_after(*response.retry_after);
    return error;
  };
  if (std::ranges::find(kNotThere, said.code) != std::end(kNotThere)) {
    throw as(ErrorKind::kMissing,
             "the project does not have the tables and functions of this program, with names that begin with '" +
                 prefix_ + "'; " + HowToMakeTables() + quoted);
  }
  const bool refused = response.status == 401 || response.status == 403 || said.code == "42501";
  if (refused && key_.empty()) {
    throw as(ErrorKind::kAuth, "the project wants a key and none is set; " + std::string(kWhereKeysAre) + quoted);
  }
  if (refused && IsPublishable(key_)) {
    throw as(ErrorKind::kAuth,
             "the key is a publishable one, which sees nothing of a history; " + std::string(kWhereKeysAre) + quoted);
  }
  if (said.code == "42501") {
    throw as(ErrorKind::kAuth,
             "the key's role lacks a right; with a secret key, run this in the dashboard's SQL editor: " +
                 GrantFor(said.message, prefix_, function) + ";" +
                 (IsLegacy(key_) ? " a legacy key has to be the one of service_role" : "") + quoted);
  }
  if (refused) {
    throw as(ErrorKind::kAuth, "the project does not accept the key: it is wrong, has expired or was revoked; " +
                                   std::string(kWhereKeysAre) + quoted);
  }
  const auto* meaning =
      std::ranges::find_if(kCodes, [&](const CodeMeaning& each) { return said.code.starts_with(each.prefix); });
  if (!said.code.empty() && meaning != std::end(kCodes)) throw as(meaning->kind, said.message + meaning->advice);
  if (response.status == 540) {
    throw as(ErrorKind::kPermanent, "the project is paused; the dashboard restores it" + quoted);
  }
  if (response.status == 404 && said.code.empty()) {
    throw as(ErrorKind::kMissing,
             "there is no REST interface at this address; the project's URL is expected, "
             "https://PROJECT.supabase.co" +
                 quoted);
  }
  throw HttpError(name_, operation, response);
}

}  // namespace flaky
