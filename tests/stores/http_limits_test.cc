// SPDX-License-Identifier: MIT
#include <gmock/gmock.h>
#include <zlib.h>

#include <chrono>
#include <functional>
#include <optional>
#include <stdexcept>
#include <thread>

#include "stores/http/client.h"
#include "tests/stores/peak_memory.h"
#include "tests/stores/scripted_server.h"

// Servers that are slow or endless, in every phase of an answer.
namespace flaky {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::AllOf;
using testing::AnyOf;
using testing::HasSubstr;
using testing::StartsWith;

constexpr char kOk[] = "HTTP/1.1 200 OK\r\n";
constexpr char kOkChunked[] = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

http::Request Request(const std::string& url) {
  http::Request request;
  request.url = url;
  request.body = "{}";
  return request;
}

http::Options Hasty() {
  http::Options options;
  options.connect_timeout = milliseconds(1000);
  options.idle_timeout = seconds(1);
  options.total_timeout = seconds(4);
  return options;
}

struct Ended {
  ErrorKind kind;
  std::string what;
  std::chrono::steady_clock::duration after;
  bool too_long;
};

// Returns how the request ended. All of them must.
Ended EndOf(const http::Request& request, const http::Options& options = Hasty()) {
  http::Client client("store", options);
  const auto begin = std::chrono::steady_clock::now();
  try {
    client.Send(request, "read runs");
  } catch (const StoreError& error) {
    return {error.kind(), error.what(), std::chrono::steady_clock::now() - begin,
            dynamic_cast<const http::AnswerTooLong*>(&error) != nullptr};
  }
  throw std::runtime_error("no error");
}

TEST(HttpLimits, AServerThatSendsTwentyBytesPerSecondIsEndedInEveryPhase) {
  const std::string length = "Content-Length: 1000000\r\n\r\n";
  const std::pair<std::string, std::string> scripts[] = {
      {"", kOk},                                                        // the status line
      {std::string(kOk) + "X-Slow: ", "x"},                             // one header
      {kOk, "X: y\r\n"},                                                // headers
      {"", "HTTP/1.1 100 Continue\r\n\r\n"},                            // interim answers
      {kOk + length, "x"},                                              // the body
      {std::string(kOk) + "\r\n", "x"},                                 // a body until the end of the connection
      {kOkChunked, "1\r\nx\r\n"},                                       // chunks
      {std::string(kOkChunked) + "ffff;", "x"},                         // an extension of a chunk
      {std::string(kOkChunked) + "1\r\nx\r\n0\r\n", "Trailer: x\r\n"},  // trailers
      {"HTTP/1.1 500 Oh\r\n" + length, "x"},                            // a refusal
  };
  for (const auto& [head, rest] : scripts) {
    ScriptedServer server(ScriptedServer::Trickle(head, rest));
    const Ended ended = EndOf(Request(server.url()));
    EXPECT_EQ(ended.kind, ErrorKind::kTransient) << head << rest << ": " << ended.what;
    EXPECT_THAT(ended.what, AllOf(StartsWith("store: cannot read runs: "),
                                  AnyOf(HasSubstr("too slow"), HasSubstr("libcurl code"))));
    EXPECT_LT(ended.after, seconds(8)) << head << rest;
  }
}

TEST(HttpLimits, ATlsHandshakeThatIsNeverAnsweredIsEnded) {
  ScriptedServer server([](const ScriptedServer::Send& send) {
    while (send("")) std::this_thread::sleep_for(milliseconds(20));
  });
  const Ended ended = EndOf(Request("https" + server.url().substr(4)));
  EXPECT_EQ(ended.kind, ErrorKind::kTransient) << ended.what;
  EXPECT_LT(ended.after, seconds(8));
}

// Bursts hide that a connection is slow from a limit for the last seconds.
TEST(HttpLimits, ATransferThatIsSlowOnAverageIsEnded) {
  ScriptedServer server([](const ScriptedServer::Send& send) {
    bool connected = send(std::string(kOk) + "Content-Length: 100000000\r\n\r\n");
    while (connected) {
      connected = send(std::string(3000, 'x'));
      std::this_thread::sleep_for(milliseconds(1500));
    }
  });
  http::Options options = Hasty();
  options.idle_timeout = seconds(2);
  options.total_timeout = seconds(300);
  const Ended ended = EndOf(Request(server.url()), options);
  EXPECT_EQ(ended.kind, ErrorKind::kTransient);
  EXPECT_THAT(ended.what, HasSubstr("too slow"));
  EXPECT_LT(ended.after, seconds(30));
}

TEST(HttpLimits, ATransferThatIsFastEnoughHasALimitedTime) {
  ScriptedServer server([](const ScriptedServer::Send& send) {
    bool connected = send(std::string(kOk) + "Content-Length: 100000000\r\n\r\n");
    while (connected) {
      connected = send(std::string(10'000, 'x'));
      std::this_thread::sleep_for(milliseconds(50));
    }
  });
  const Ended ended = EndOf(Request(server.url()));
  EXPECT_EQ(ended.kind, ErrorKind::kTransient) << ended.what;
  EXPECT_THAT(ended.what, HasSubstr("libcurl code 28"));
  EXPECT_GE(ended.after, seconds(3));
  EXPECT_LT(ended.after, seconds(12));
}

TEST(HttpLimits, AnEndlessAnswerIsEnded) {
  const std::string chunk = "10000\r\n" + std::string(0x10000, 'x') + "\r\n";
  for (const std::string status : {"HTTP/1.1 200 OK\r\n", "HTTP/1.1 500 Oh\r\n"}) {
    ScriptedServer server(ScriptedServer::Repeat(status + "Transfer-Encoding: chunked\r\n\r\n", chunk));
    http::Options options;
    const size_t memory = PeakMemoryOf([&] {
      const Ended ended = EndOf(Request(server.url()), options);
      EXPECT_EQ(ended.kind, ErrorKind::kPermanent);
      EXPECT_TRUE(ended.too_long);
      EXPECT_THAT(ended.what, HasSubstr("longer than 16777216 bytes"));
    });
    if (kMemoryIsMeasured) {
      EXPECT_LT(memory, 48u << 20);
    }
  }
}

TEST(HttpLimits, EndlessHeadersAreEnded) {
  const std::string line = "X: " + std::string(1000, 'x') + "\r\n";
  const std::pair<std::string, std::string> scripts[] = {
      {kOk, line},
      {"", "HTTP/1.1 100 Continue\r\n" + line + "\r\n"},
      {std::string(kOkChunked) + "1\r\nx\r\n0\r\n", line},
  };
  for (const auto& [head, rest] : scripts) {
    ScriptedServer server(ScriptedServer::Repeat(head, rest));
    http::Options options;
    const Ended ended = EndOf(Request(server.url()), options);
    EXPECT_EQ(ended.kind, ErrorKind::kPermanent) << ended.what;
    EXPECT_THAT(ended.what, HasSubstr("headers"));
    EXPECT_LT(ended.after, seconds(20));
  }
}

std::string Gzip(const std::string& text) {
  z_stream stream{};
  if (deflateInit2(&stream, Z_BEST_SPEED, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK) {
    throw std::runtime_error("zlib");
  }
  std::string packed(deflateBound(&stream, text.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  const int result = deflate(&stream, Z_FINISH);
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  if (result != Z_STREAM_END) throw std::runtime_error("zlib");
  return packed;
}

TEST(HttpLimits, ACompressedAnswerIsLimitedByWhatItHolds) {
  const std::string bomb = Gzip(std::string(100 << 20, '0'));
  ASSERT_LT(bomb.size(), 1u << 20);
  ScriptedServer server([&](const ScriptedServer::Send& send) {
    send(std::string(kOk) + "Content-Encoding: gzip\r\nContent-Length: " + std::to_string(bomb.size()) + "\r\n\r\n" +
         bomb);
  });
  const size_t memory = PeakMemoryOf([&] {
    http::Options options;
    const Ended ended = EndOf(Request(server.url()), options);
    EXPECT_TRUE(ended.too_long) << ended.what;
  });
  if (kMemoryIsMeasured) {
    EXPECT_LT(memory, 48u << 20);
  }
}

TEST(HttpLimits, AnAnswerThatIsTakenAsItArrivesIsNotKept) {
  const std::string chunk = "10000\r\n" + std::string(0x10000, 'x') + "\r\n";
  ScriptedServer server(ScriptedServer::Repeat(kOkChunked, chunk));
  http::Request request = Request(server.url());
  request.max_response_bytes = 64 << 20;
  size_t taken = 0;
  request.take = [&](std::string_view piece) { taken += piece.size(); };
  const size_t memory = PeakMemoryOf([&] {
    http::Options options;
    EXPECT_TRUE(EndOf(request, options).too_long);
  });
  EXPECT_LE(taken, request.max_response_bytes);
  EXPECT_GT(taken, request.max_response_bytes - (1 << 20));
  if (kMemoryIsMeasured) {
    EXPECT_LT(memory, 8u << 20);
  }
}

TEST(HttpLimits, WhatTheTakerThrowsEndsTheTransfer) {
  ScriptedServer server(ScriptedServer::Repeat(kOkChunked, "1\r\nx\r\n"));
  http::Request request = Request(server.url());
  request.take = [](std::string_view) { throw std::out_of_range("enough"); };
  http::Client client("store", http::Options());
  EXPECT_THROW(client.Send(request, "read runs"), std::out_of_range);
}

TEST(HttpLimits, ValuesAreCountedBeforeTheyAreParsed) {
  EXPECT_FALSE(http::HasMoreValues("[1,2,3]", 3));
  EXPECT_TRUE(http::HasMoreValues("[1,2,3]", 2));
  EXPECT_TRUE(http::HasMoreValues(R"({"a":{}})", 2));
  EXPECT_FALSE(http::HasMoreValues("", 0));
}

}  // namespace
}  // namespace flaky
