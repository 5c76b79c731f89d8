// SPDX-License-Identifier: MIT
#include "stores/http/client.h"

#include <curl/curl.h>
#include <strings.h>

#include <algorithm>
#include <iterator>
#include <new>
#include <utility>

#include "stores/http/one_line.h"

namespace flaky::http {
namespace {

// A slower transfer counts as one without progress.
constexpr long kLeastBytesPerSecond = 16;

constexpr size_t kMostReserved = 16 << 20;
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
     ": the server's certificate is not trusted; if it is your own, add its authority to the system's trusted ones"},
    {CURLE_SSL_CACERT_BADFILE, ErrorKind::kInvalid, ": the system's certificates cannot be read"},
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

// Receives the answer. Must not throw, because libcurl calls it.
struct Sink {
  CURL* handle = nullptr;
  size_t limit = 0;
  std::string body;
  time_t date = -1;
  bool too_long = false;
  bool no_memory = false;

  static size_t Take(char* data, size_t, size_t size, void* self) noexcept {
    auto& sink = *static_cast<Sink*>(self);
    if (size > sink.limit - sink.body.size()) {
      sink.too_long = true;
      return 0;
    }
    try {
      if (sink.body.empty()) sink.Reserve();
      sink.body.append(data, size);
    } catch (const std::bad_alloc&) {
      sink.no_memory = true;
      return 0;
    }
    return size;
  }

  // Takes one header of the answer.
  static size_t TakeHeader(char* data, size_t, size_t size, void* self) noexcept {
    constexpr std::string_view kDate = "date:";
    if (size > kDate.size() && ::strncasecmp(data, kDate.data(), kDate.size()) == 0) {
      char text[64] = {};
      std::string_view(data, size).substr(kDate.size()).copy(text, sizeof text - 1);
      static_cast<Sink*>(self)->date = curl_getdate(text, nullptr);
    }
    return size;
  }

  // Reserves as much as the server announced, and a little for parsers that work in place, so that a long answer isn't
  // moved.
  void Reserve() {
    curl_off_t announced = -1;
    curl_easy_getinfo(handle, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &announced);
    if (announced > 0) body.reserve(std::min({static_cast<size_t>(announced), limit, kMostReserved}) + kSpareBytes);
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
    Set(CURLOPT_TCP_KEEPALIVE, 1L);
    Set(CURLOPT_USERAGENT, kUserAgent);
    if (options.compressed) Set(CURLOPT_ACCEPT_ENCODING, "gzip");
    Set(CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(options.connect_timeout.count()));
    Set(CURLOPT_TIMEOUT_MS, static_cast<long>(std::chrono::milliseconds(options.total_timeout).count()));
    Set(CURLOPT_LOW_SPEED_LIMIT, kLeastBytesPerSecond);
    Set(CURLOPT_LOW_SPEED_TIME, static_cast<long>(options.idle_timeout.count()));
    Set(CURLOPT_ERRORBUFFER, message);
    Set(CURLOPT_WRITEFUNCTION, &Sink::Take);
    Set(CURLOPT_HEADERFUNCTION, &Sink::TakeHeader);
  }

  [[noreturn]] void Fail(CURLcode code, const Sink& sink, std::string_view operation) const {
    if (code == CURLE_OUT_OF_MEMORY || sink.no_memory) throw std::bad_alloc();
    if (sink.too_long) {
      throw StoreError(ErrorKind::kPermanent, store, std::string(operation), "",
                       "the server's answer is longer than " + std::to_string(sink.limit) + " bytes");
    }
    const auto meaning =
        std::find_if(std::begin(kCodes), std::end(kCodes), [&](const CodeMeaning& each) { return each.code == code; });
    const bool known = meaning != std::end(kCodes);
    throw StoreError(
        known ? meaning->kind : ErrorKind::kTransient, store, std::string(operation),
        "libcurl code " + std::to_string(code),
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

  Sink sink{.handle = state.handle.get(), .limit = request.max_response_bytes, .body = {}};
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
