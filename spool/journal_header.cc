// SPDX-License-Identifier: MIT
#include "spool/journal_header.h"

#include <algorithm>
#include <string>
#include <utility>

#include "spool/journal_fields.h"
#include "spool/journal_json.h"

namespace flaky {
namespace {

// NOLINTNEXTLINE(google-build-using-namespace): the fields of the header
using namespace journal_fields;

constexpr int64_t kVersion = 1;
constexpr size_t kIdLength = 32;

std::string Id(const dom::object& object, std::string_view key) {
  std::string id = FindText(object, key).value_or("");
  const bool hexadecimal =
      std::ranges::all_of(id, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
  if (id.size() != kIdLength || !hexadecimal) throw BadLine{std::string(key) + " is not 32 hexadecimal digits"};
  return id;
}

std::optional<std::string> Shard(const dom::object& header) {
  const auto value = Find(header, "shard");
  dom::array pair;
  if (!value || value->get(pair) || pair.size() != 2) return std::nullopt;
  return std::to_string(Integer(pair.at(0), "shard")) + "/" + std::to_string(Integer(pair.at(1), "shard"));
}

void ReadBazel(const dom::object& header, Journal& journal) {
  journal.bazel_target = FindText(header, "bazel_target").value_or("");
  journal.bazel_execroot = FindText(header, "bazel_execroot").value_or("");
  journal.bazel_command_ns = FindInteger(header, "bazel_command_ns");
  journal.time_limit_s = FindInteger(header, "time_limit_s");
}

// Older recorders did not look for a ctest above the parent.
ProcessId CtestOf(const dom::object& header, const Journal& journal) {
  ProcessId ctest = journal.parent;
  if (const auto pid = FindInteger(header, "ctest_pid")) {
    ctest.pid = *pid;
    ctest.pid_start = FindToken(header, "ctest_start");
  } else if (journal.parent_name != "ctest") {
    ctest.pid = 0;
  }
  return ctest;
}

std::string OutputBaseOf(const std::string& execroot) {
  const size_t at = execroot.rfind("/execroot/");
  return at == std::string::npos ? "" : execroot.substr(0, at);
}

// Throws BadLine, and JournalError if the format is of a later version.
Journal ReadHeader(dom::element line) {
  dom::object header;
  if (line.get(header)) throw BadLine{"is not a journal's header"};
  const auto version = FindInteger(header, "flaky_journal");
  if (!version) throw BadLine{"is not a journal's header: it has no flaky_journal"};
  if (*version > kVersion) {
    throw JournalError(JournalError::Kind::kNewer, "the journal has version " + std::to_string(*version) +
                                                       " of the format, this program reads up to " +
                                                       std::to_string(kVersion) + ": a newer flaky will deliver it");
  }
  Journal journal;
  journal.journal_id = Id(header, "journal_id");
  journal.process_run_id = Id(header, "process_run_id");
  if (const auto command = Find(header, "command"); command && command->get(journal.is_command)) {
    throw BadLine{"command is not true or false"};
  }
  journal.run_id = FindText(header, "run_id");
  if (journal.run_id && journal.run_id->empty()) journal.run_id.reset();
  journal.project = FindText(header, "project");
  ReadBazel(header, journal);
  journal.writer = {FindInteger(header, "pid").value_or(0),
                    FindToken(header, "pid_seen"),
                    FindToken(header, "boot_id"),
                    FindToken(header, "host"),
                    FindToken(header, "pid_ns"),
                    OutputBaseOf(journal.bazel_execroot)};
  journal.parent = journal.writer;
  journal.parent.pid = FindInteger(header, "parent_pid").value_or(0);
  journal.parent.pid_start = FindToken(header, "parent_start");
  journal.parent_name = FindText(header, "parent_name").value_or("");
  journal.ctest = CtestOf(header, journal);
  journal.rank = FindInteger(header, "rank");
  journal.ranks = FindInteger(header, "ranks");
  journal.fixture = FindText(header, "fixture").value_or("");
  journal.variant = FindText(header, "variant");
  journal.shard = Shard(header);
  const auto started = Find(header, "started_us");
  if (!started) throw BadLine{"has no started_us"};
  journal.started_at.micros = Micros(*started, "started_us");
  journal.cwd = FindText(header, "cwd").value_or("");
  if (const auto args = Find(header, "args")) {
    dom::array list;
    if (args->get(list)) throw BadLine{"args is not a list"};
    for (const dom::element arg : list) journal.args.push_back(Text(arg, "an element of args"));
  }
  journal.compiler = FindText(header, "compiler").value_or("");
  journal.system = FindText(header, "system").value_or("");
  journal.tests_to_run = FindInteger(header, "tests_to_run").value_or(0);
  journal.shuffle_seed = FindInteger(header, "shuffle_seed");
  journal.list = FindText(header, "list").value_or("");
  return journal;
}

}  // namespace

Journal ParseHeaderLine(std::string_view line, JournalJson& json, bool is_whole) {
  const auto value = json.Parse(line);
  if (!value && !is_whole)
    throw JournalError(JournalError::Kind::kEmpty, "the journal's header is missing or incomplete");
  try {
    if (!value) throw BadLine{"is not JSON"};
    return ReadHeader(*value);
  } catch (const BadLine& bad) {
    throw JournalError(JournalError::Kind::kDamaged, "line 1 " + bad.what);
  }
}

Journal ParseJournalHeader(std::string_view bytes) {
  JournalJson json;
  json.SetText(bytes);
  bytes = bytes.substr(0, bytes.find('\0'));
  const size_t end = bytes.find('\n');
  return ParseHeaderLine(bytes.substr(0, end), json, end != std::string_view::npos);
}

}  // namespace flaky
