// SPDX-License-Identifier: MIT
#include "spool/stray_journals.h"

#include <fcntl.h>
#include <unistd.h>

#include <string_view>

#include "history/json_object.h"
#include "spool/journal_header.h"
#include "spool/journal_notes.h"
#include "spool/spool_files.h"

namespace flaky {
namespace {

// The first field of every header.
constexpr std::string_view kVersion = R"({"flaky_journal":1,)";

// Returns the journal with the fields of the run in its header; empty if it is not a journal of that `flaky run`.
std::string Taken(const std::string& bytes, const RunOfStrays& run) {
  const std::string_view header = std::string_view(bytes).substr(0, bytes.find('\n'));
  const std::string missed =
      "\"missed_run_pid\":" + std::to_string(run.process.pid) + ",\"missed_run_start\":" + run.process.pid_start + ',';
  if (!header.starts_with(kVersion) || header.find(missed) == std::string_view::npos) return {};
  // Of two fields of one name, a reader takes the first.
  std::string fields = JsonObject().AddText("run_id", run.run_id).AddText("project", run.project).Take();
  fields.back() = ',';
  return std::string(kVersion) + fields.substr(1) + bytes.substr(kVersion.size());
}

bool Write(const UniqueFd& folder, const std::string& name, std::string_view text) {
  const UniqueFd file(openat(folder.get(), name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!file) return false;
  for (size_t at = 0; at < text.size();) {
    const ssize_t written = write(file.get(), text.data() + at, text.size() - at);
    if (written <= 0) return false;
    at += static_cast<size_t>(written);
  }
  return true;
}

}  // namespace

void TakeStrays(const std::filesystem::path& from, const RunOfStrays& run, const std::filesystem::path& spool) {
  const UniqueFd source = OpenFolder(from.string()), target = OpenFolder(spool.string());
  if (!source || !target) return;
  for (const std::string& name : NamesIn(source)) {
    const auto file = JournalIdOf(name) ? OpenFileAt(source, name) : std::nullopt;
    const auto bytes = file ? ReadUpToNul(file->descriptor) : std::nullopt;
    const std::string taken = bytes ? Taken(*bytes, run) : "";
    if (taken.empty()) continue;
    try {
      if (!HasEndLine(*file) && IsWriterAlive(ParseJournalHeader(taken).writer, file->descriptor.get()) != Alive::kNo)
        continue;
    } catch (const JournalError&) {
      continue;
    }
    const std::string unfinished = '.' + name;  // not a journal to any reader
    const bool moved =
        Write(target, unfinished, taken) && renameat(target.get(), unfinished.c_str(), target.get(), name.c_str()) == 0;
    unlinkat(moved ? source.get() : target.get(), moved ? name.c_str() : unfinished.c_str(), 0);
  }
}

}  // namespace flaky
