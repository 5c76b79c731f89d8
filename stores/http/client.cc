// SPDX-License-Identifier: MIT
#include "stores/http/client.h"

#include <curl/curl.h>
#include <strings.h>

#include <algorithm>
#include <exception>
#include <iterator>
#include <new>
#include <optional>
#include <utility>

#include "stores/http/authorities.h"
#include "stores/http/one_line.h"

namespace flaky::http {
namespace {

using Clock = std::chrono::steady_clock;

constexpr size_t kSpareBytes = 64;

constexpr char kUserAgent[] = "flaky/" FLAKY_VERSION;

// What libcurl's codes mean to the caller. A code that isn't here is kTransient, because a failed connection may
// succeed the next time.
struct CodeMeaning {
  CURLcode code;
  ErrorKind kind;
  const char* advice;  // added to libcurl's own words
};
constexpr CodeMeaning kCodes[] = {
    {CURLE_URL_MALFORMAT, ErrorKind::kInvalid, ""},
    // libcurl takes garbage for HTTP 0.9, and then reports this code for an http URL.
    {CURLE_UNSUPPORTED_PROTOCOL, ErrorKind::kTransient, ": the server does not speak HTTP"},
    {CURLE_WEIRD_SERVER_REPLY, ErrorKind::kTransient, ": the server does not speak HTTP"},
    {CURLE_SSL_CONNECT_ERROR, ErrorKind::kTransient, ": does the server speak TLS there?"},
    {CURLE_PEER_FAILED_VERIFICATION, ErrorKind::kInvalid,
     ": the server's certificate is not trusted; if it is your own, name its authority's certificate in SSL_CERT_FILE"},
    {CURLE_SSL_CACERT_BADFILE, ErrorKind::kInvalid,
     ": the authorities' certificates cannot be read; check SSL_CERT_FILE, SSL_CERT_DIR and CURL_CA_BUNDLE"},
    {CURLE_SSL_CERTPROBLEM, ErrorKind::kInvalid, ""},
    {CURLE_SSL_CIPHER, ErrorKind::kInvalid, ""},
    {CURLE_SSL_ISSUER_ERROR, ErrorKind::kInvalid, ""},
};

struct FreeList {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using HeaderList = std::unique_ptr<curl_slist, FreeList>;

void Append(HeaderList& list, const char* header) {
  curl_slist* longer = curl_slist_append(list.get(), header);
  if (longer == nullptr) throw std::bad_alloc();
  static_cast<void>(list.release());
  list.reset(longer);
}

struct FreeHandle {
  void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
};

CURL* NewHandle() {
  static const CURLcode ready = curl_global_init(CURL_GLOBAL_DEFAULT);
  CURL* handle = ready == CURLE_OK ? curl_easy_init() : nullptr;
  if (handle == nullptr) throw std::bad_alloc();
  return handle;
}

bool IsSuccess(long status) { return status >= 200 && status <= 299; }

// Receives the answer and watches its limits. Must not throw, because libcurl calls it.
struct Sink {
  Sink(CURL* transfer, const Request& asked, const Options& limits)
      : handle(transfer), request(asked), options(limits) {}

  CURL* handle;
  const Request& request;
  const Options& options;
  Clock::time_point begin = Clock::now();
  std::string body;
  size_t body_bytes = 0;
  size_t header_bytes = 0;
  time_t date = -1;
  bool answer_too_long = false;
  bool headers_too_long = false;
  curl_off_t moved = 0;                                // bytes, in both directions
  std::optional<std::chrono::seconds> too_slow_after;  // set if they took too long
  std::exception_ptr thrown;

  static size_t Take(char* data, size_t, size_t size, void* self) noexcept {
    auto& sink = *static_cast<Sink*>(self);
    try {
      return sink.TakePiece({data, size}) ? size : 0;
    } catch (...) {
      sink.thrown = std::current_exception();
      return 0;
    }
  }

  // Returns false to end the transfer.
  bool TakePiece(std::string_view piece) {
    if (piece.size() > request.max_response_bytes - body_bytes) {
      answer_too_long = true;
      return false;
    }
    body_bytes += piece.size();
    long status = 0;
    curl_easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &status);
    if (!IsSuccess(status)) {
      body.append(piece.substr(0, kLongestRefusal - body.size()));
    } else if (request.take) {
      request.take(piece);
    } else {
      if (body.empty()) Reserve();
      body.append(piece);
    }
    return true;
  }

  // Takes one header of the answer.
  static size_t TakeHeader(char* data, size_t, size_t size, void* self) noexcept {
    auto& sink = *static_cast<Sink*>(self);
    sink.header_bytes += size;
    if (sink.header_bytes > kLongestHeaders) {
      sink.headers_too_long = true;
      return 0;
    }
    constexpr std::string_view kDate = "date:";
    if (size > kDate.size() && ::strncasecmp(data, kDate.data(), kDate.size()) == 0) {
      char text[64] = {};
      std::string_view(data, size).substr(kDate.size()).copy(text, sizeof text - 1);
      sink.date = curl_getdate(text, nullptr);
    }
    return size;
  }

  // Is called at least once per second. Ends the transfer if its average is too low.
  static int Watch(void* self, curl_off_t, curl_off_t downloaded, curl_off_t, curl_off_t uploaded) noexcept {
    auto& sink = *static_cast<Sink*>(self);
    const auto passed = Clock::now() - sink.begin;
    sink.moved = downloaded + uploaded;
    const std::chrono::duration<double> earned(static_cast<double>(sink.moved) /
                                               static_cast<double>(kLeastBytesPerSecond));
    if (passed <= sink.options.connect_timeout + sink.options.idle_timeout + earned) return 0;
    sink.too_slow_after = std::chrono::duration_cast<std::chrono::seconds>(passed);
    return 1;
  }

  // Reserves as much as the server announced, and a little for parsers that work in place, so that a long answer isn't
  // moved.
  void Reserve() {
    curl_off_t announced = -1;
    curl_easy_getinfo(handle, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &announced);
    if (announced <= 0) return;
    body.reserve(std::min({static_cast<size_t>(announced), request.max_response_bytes, kLongestAnswer}) + kSpareBytes);
  }
};

}  // namespace

struct Client::State {
  std::string store;
  Options options;
  std::unique_ptr<CURL, FreeHandle> handle{NewHandle()};
  char message[CURL_ERROR_SIZE] = {};

  template <typename Value>
  void Set(CURLoption option, Value value) {
    if (curl_easy_setopt(handle.get(), option, value) == CURLE_OUT_OF_MEMORY) throw std::bad_alloc();
  }

  void SetForAllRequests() {
    Set(CURLOPT_NOSIGNAL, 1L);
#if LIBCURL_VERSION_NUM >= 0x075500
    Set(CURLOPT_PROTOCOLS_STR, "http,https");
#else
    Set(CURLOPT_PROTOCOLS, static_cast<long>(CURLPROTO_HTTP | CURLPROTO_HTTPS));
#endif
    // HTTP/2 without TLS begins with an upgrade that some servers accept but then never answer.
    Set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
    Set(CURLOPT_FOLLOWLOCATION, 0L);
    Set(CURLOPT_NETRC, static_cast<long>(CURL_NETRC_IGNORED));
    Set(CURLOPT_SSL_VERIFYPEER, 1L);
    Set(CURLOPT_SSL_VERIFYHOST, 2L);
    if (const auto named = AuthoritiesOfEnvironment()) {
      Set(CURLOPT_CAINFO, named->file ? named->file->c_str() : nullptr);
      Set(CURLOPT_CAPATH, named->folder ? named->folder->c_str() : nullptr);
    }
    Set(CURLOPT_TCP_KEEPALIVE, 1L);
    Set(CURLOPT_USERAGENT, kUserAgent);
    if (options.compressed) Set(CURLOPT_ACCEPT_ENCODING, "gzip");
    Set(CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(options.connect_timeout.count()));
    Set(CURLOPT_TIMEOUT_MS, static_cast<long>(std::chrono::milliseconds(options.total_timeout).count()));
    Set(CURLOPT_LOW_SPEED_LIMIT, static_cast<long>(kLeastBytesPerSecond));
    Set(CURLOPT_LOW_SPEED_TIME, static_cast<long>(options.idle_timeout.count()));
    Set(CURLOPT_ERRORBUFFER, message);
    Set(CURLOPT_WRITEFUNCTION, &Sink::Take);
    Set(CURLOPT_HEADERFUNCTION, &Sink::TakeHeader);
    Set(CURLOPT_XFERINFOFUNCTION, &Sink::Watch);
    Set(CURLOPT_NOPROGRESS, 0L);
  }

  [[noreturn]] void Fail(CURLcode code, const Sink& sink, std::string_view operation) const {
    if (sink.thrown) std::rethrow_exception(sink.thrown);
    if (code == CURLE_OUT_OF_MEMORY) throw std::bad_alloc();
    const std::string what(operation);
    if (sink.answer_too_long) {
      throw AnswerTooLong(
          ErrorKind::kPermanent, store, what, "",
          "the server's answer is longer than " + std::to_string(sink.request.max_response_bytes) + " bytes");
    }
    if (sink.headers_too_long) {
      throw StoreError(
          ErrorKind::kPermanent, store, what, "",
          "the headers of the server's answer are longer than " + std::to_string(kLongestHeaders) + " bytes");
    }
    if (sink.too_slow_after) {
      throw StoreError(ErrorKind::kTransient, store, what, "",
                       "the connection is too slow: " + std::to_string(sink.moved) + " bytes in " +
                           std::to_string(sink.too_slow_after->count()) + " seconds; expected at least " +
                           std::to_string(kLeastBytesPerSecond) + " bytes per second");
    }
    const auto meaning =
        std::find_if(std::begin(kCodes), std::end(kCodes), [&](const CodeMeaning& each) { return each.code == code; });
    const bool known = meaning != std::end(kCodes);
    throw StoreError(
        known ? meaning->kind : ErrorKind::kTransient, store, what, "libcurl code " + std::to_string(code),
        FitForOneLine(message[0] != '\0' ? message : curl_easy_strerror(code)) + (known ? meaning->advice : ""));
  }
};

Client::Client(std::string store, const Options& options) : state_(std::make_unique<State>()) {
  state_->store = std::move(store);
  state_->options = options;
  state_->SetForAllRequests();
}

Client::~Client() = default;

Response Client::Send(const Request& request, std::string_view operation) {
  State& state = *state_;
  if (!request.url.starts_with("http://") && !request.url.starts_with("https://")) {
    throw StoreError(ErrorKind::kInvalid, state.store, std::string(operation), "",
                     "invalid URL; expected http:// or https://");
  }
  HeaderList headers;
  // Without this, libcurl asks before it sends a long body, and waits for a second if the server doesn't answer.
  Append(headers, "Expect:");
  for (const std::string& header : request.headers) Append(headers, header.c_str());

  Sink sink(state.handle.get(), request, state.options);
  state.message[0] = '\0';
  state.Set(CURLOPT_URL, request.url.c_str());
  if (request.method == "GET") {
    state.Set(CURLOPT_HTTPGET, 1L);
    state.Set(CURLOPT_CUSTOMREQUEST, static_cast<const char*>(nullptr));
  } else {
    state.Set(CURLOPT_POST, 1L);
    state.Set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
    state.Set(CURLOPT_POSTFIELDS, request.body.data());
    state.Set(CURLOPT_CUSTOMREQUEST, request.method.c_str());
  }
  state.Set(CURLOPT_HTTPHEADER, headers.get());
  state.Set(CURLOPT_WRITEDATA, &sink);
  state.Set(CURLOPT_HEADERDATA, &sink);
  state.Set(CURLOPT_XFERINFODATA, &sink);
  const CURLcode code = curl_easy_perform(state.handle.get());
  state.Set(CURLOPT_HTTPHEADER, static_cast<curl_slist*>(nullptr));
  if (code != CURLE_OK) state.Fail(code, sink, operation);

  Response response;
  response.body = std::move(sink.body);
  curl_easy_getinfo(state.handle.get(), CURLINFO_RESPONSE_CODE, &response.status);
  curl_off_t seconds = 0;
  curl_easy_getinfo(state.handle.get(), CURLINFO_RETRY_AFTER, &seconds);
  if (sink.date >= 0) response.date = Timestamp{sink.date * kMicrosPerSecond};
  if (seconds > 0) response.retry_after = std::chrono::seconds(std::min<curl_off_t>(seconds, 86'400));
  return response;
}

}  // namespace flaky::http
