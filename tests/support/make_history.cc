// SPDX-License-Identifier: MIT

// Writes a generated history into a store, as data for benchmarks and for manual experiments.
#include <charconv>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <exception>
#include <string>
#include <string_view>
#include <vector>

#include "stores/open.h"
#include "tests/support/generate_history.h"

namespace {

constexpr char kUsage[] =
    "usage: make_history LOCATION [--runs N] [--failures PER_RUN] [--days N] [--tests N] [--messages MIN MAX]\n"
    "                    [--select LEAST MOST] [--npm-share FRACTION] [--seed N] [--batch N] [--end now|TIME]\n"
    "LEAST, MOST and FRACTION are between 0 and 1.\n";

struct Options {
  std::string location;
  flaky::HistoryShape shape;
  size_t batch = 1000;
};

template <typename T>
void Read(std::string_view text, T& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < 0) {
    throw std::invalid_argument("invalid number '" + std::string(text) + "'; expected one that is not negative");
  }
}

Options ReadOptions(const std::vector<std::string_view>& args) {
  Options options;
  size_t at = 0;
  const auto next = [&] {
    if (at == args.size()) throw std::invalid_argument("missing value after the last option");
    return args[at++];
  };
  options.location = next();
  flaky::HistoryShape& shape = options.shape;
  while (at < args.size()) {
    const std::string_view name = next();
    if (name == "--runs") {
      Read(next(), shape.runs);
    } else if (name == "--failures") {
      Read(next(), shape.failures_per_run);
    } else if (name == "--days") {
      Read(next(), shape.days);
    } else if (name == "--tests") {
      Read(next(), shape.tests);
    } else if (name == "--messages") {
      Read(next(), shape.min_message);
      Read(next(), shape.max_message);
    } else if (name == "--select") {
      Read(next(), shape.least_selected);
      Read(next(), shape.most_selected);
    } else if (name == "--npm-share") {
      Read(next(), shape.npm_share);
    } else if (name == "--seed") {
      Read(next(), shape.seed);
    } else if (name == "--batch") {
      Read(next(), options.batch);
    } else if (name == "--end") {
      const std::string_view text = next();
      const auto time = text == "now" ? flaky::Timestamp::Now() : flaky::Timestamp::Parse(text);
      if (!time) throw std::invalid_argument("invalid time '" + std::string(text) + "'; expected `now` or a UTC time");
      shape.end = *time;
    } else {
      throw std::invalid_argument("unknown option '" + std::string(name) + "'");
    }
  }
  if (shape.tests < 1 || shape.max_message < shape.min_message || options.batch < 1) {
    throw std::invalid_argument("--tests and --batch must be at least 1, and MIN must not be greater than MAX");
  }
  return options;
}

void Make(const Options& options) {
  const auto store = flaky::OpenStore(flaky::ParseLocation(options.location), flaky::OpenMode::kWrite);
  flaky::HistoryGenerator generator(options.shape);
  std::vector<flaky::RunRecord> batch;
  std::chrono::steady_clock::duration writing{};
  const auto write = [&] {
    const auto begin = std::chrono::steady_clock::now();
    store->Write(batch);
    writing += std::chrono::steady_clock::now() - begin;
    batch.clear();
  };
  while (auto record = generator.Next()) {
    batch.push_back(std::move(*record));
    if (batch.size() == options.batch) write();
  }
  if (!batch.empty()) write();
  const flaky::Totals totals = store->Count({});
  std::fprintf(stderr, "%lld runs, %lld parts, %lld failures; writing took %.2f s\n",
               static_cast<long long>(totals.runs), static_cast<long long>(totals.parts),
               static_cast<long long>(totals.failures), std::chrono::duration<double>(writing).count());
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string_view> args(argv + 1, argv + argc);
  if (args.empty() || args.front() == "--help") {
    std::fputs(kUsage, args.empty() ? stderr : stdout);
    return args.empty() ? 2 : 0;
  }
  try {
    Make(ReadOptions(args));
    return 0;
  } catch (const std::invalid_argument& error) {
    std::fprintf(stderr, "make_history: %s\n%s", error.what(), kUsage);
    return 2;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "make_history: %s\n", error.what());
    return 1;
  }
}
