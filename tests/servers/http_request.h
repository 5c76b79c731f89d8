#ifndef FLAKY_TESTS_SERVERS_HTTP_REQUEST_H_
#define FLAKY_TESTS_SERVERS_HTTP_REQUEST_H_

#include <chrono>
#include <string>
#include <utility>
#include <vector>

namespace flaky {

struct HttpAnswer {
  int status = 0;  // 0: there was no answer; `error` is the reason
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers;  // names in lower case
  std::string error;
};

// Sends one POST over a new connection. The tests have their own client, so that it cannot share a mistake with the one
// they test. `limit` only bounds a request that would otherwise hang.
HttpAnswer HttpPost(const std::string& url, const std::string& body, const std::vector<std::string>& headers = {},
                    std::chrono::milliseconds limit = std::chrono::seconds(60));

}  // namespace flaky

#endif  // FLAKY_TESTS_SERVERS_HTTP_REQUEST_H_
