// SPDX-License-Identifier: MIT
#include "spool/spool_source.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <map>
#include <mutex>
#include <new>
#include <set>
#include <system_error>
#include <utility>

#include "history/digest.h"
#include "history/merge.h"
#include "spool/journal_header.h"
#include "spool/journal_notes.h"
#include "spool/journal_parser.h"
#include "spool/spool_files.h"
#include "spool/spool_scan.h"
#include "spool/test_lists.h"

namespace flaky {
namespace {

constexpr char kOutbox[] = "outbox";

// The place of a part in the spool: a sealed folder, or one journal that is a part by itself.
struct PartPlace {
  std::string part_id;
  SpoolFile file;  // an empty name: the whole folder
};

// What is being delivered of one run.
struct InFlight {
  std::vector<PartPlace> places;
  std::vector<Part> parts;
};

// Returns the same id for the same journals, so that a part that is sealed again is still the same part.
std::string PartIdOf(const std::vector<LooseJournal>& journals) {
  if (journals.size() == 1) return journals.front().journal_id;
  std::set<std::string> ids;
  for (const LooseJournal& journal : journals) ids.insert(journal.journal_id);
  std::string text = "part\n";
  for (const std::string& id : ids) text += id + '\n';
  return DigestOf(text).ToString();
}

// Returns true if the run has a group of processes, which must be sealed into the outbox.
bool HasGroup(const PendingRun& run) {
  return std::ranges::any_of(run.loose, [](const auto& part) { return part.first != part.second.front().journal_id; });
}

}  // namespace

class SpoolSource::Impl {
 public:
  Impl(const SpoolLock& lock, ContextOf context, std::string complete, IsForStores is_for_stores)
      : path_(lock.spool().string()),
        name_("spool " + path_),
        context_(std::move(context)),
        complete_(std::move(complete)),
        is_for_stores_(std::move(is_for_stores)),
        spool_(OpenFolder(path_)) {
    if (!spool_) ThrowErrno(name_, "open the folder");
    lists_.Open(spool_);
    outbox_name_ = OwnName(spool_, kOutbox);
    outbox_ = OpenFolderAt(spool_, outbox_name_);
  }

  const std::string& name() const { return name_; }
  const SpoolReport& report() const { return report_; }

  Totals Expected() {
    Scan();
    Totals totals;
    totals.runs = static_cast<int64_t>(scan_.runs.size());
    for (const PendingRun& run : scan_.runs) {
      totals.parts += static_cast<int64_t>(run.loose.size() + run.sealed.size());
    }
    return totals;
  }

  void Tidy() {
    Scan();
    if (std::exchange(tidied_, true)) return;
    for (const UnusableFile& file : scan_.damaged) MoveToRejected(file.file, file.reason);
    for (const SpoolFile& file : scan_.headerless) unlinkat(FolderOf(file).get(), file.name.c_str(), 0);
    for (const std::string& name : scan_.leftovers) {
      if (name.ends_with(".done")) {
        RemoveFolder(name);
      } else {
        unlinkat(outbox_.get(), name.c_str(), AT_REMOVEDIR);  // fails if it is not empty
      }
    }
    // Marks of deliveries that were killed while they waited.
    for (const std::string& name : NamesIn(spool_)) {
      if (!name.starts_with(kCtestMark)) continue;
      const auto ctest = ProcessHereNamed(std::string_view(name).substr(kCtestMark.size()));
      if (!ctest || IsAlive(*ctest) == Alive::kNo) unlinkat(spool_.get(), name.c_str(), 0);
    }
    lists_.RemoveOld([this] { return ListsInUse(); });
    // Created before the first record is returned, because Delivered uses it concurrently with Next.
    if (!outbox_ && std::ranges::any_of(scan_.runs, HasGroup)) {
      outbox_ = MakeFolderAt(spool_, outbox_name_);
      if (!outbox_) ThrowErrno(path_ + '/' + outbox_name_, "make the folder");
    }
  }

  std::optional<Batch> Next(const BatchLimits& limits) {
    Tidy();
    Batch batch;
    size_t bytes = 0;
    while (next_ < scan_.runs.size() && batch.records.size() < limits.records && bytes < limits.bytes) {
      const PendingRun& run = scan_.runs[next_++];
      auto record = ReadRun(run);
      if (!record) continue;
      bytes += TextBytes(*record);
      batch.records.push_back(std::move(*record));
    }
    if (batch.records.empty()) return std::nullopt;
    return batch;
  }

  bool Delivered(const std::string& run_id) {
    bool all_gone = true;
    const auto stays = [&](const PartPlace& part) {
      if (errno == ENOENT) return;
      Report(PathOf(part.file) + ": delivered, but it cannot be removed: " + std::generic_category().message(errno));
      all_gone = false;
    };
    const InFlight run = TakeInFlight(run_id);
    NoteInCommands(run_id, run.parts);
    for (const PartPlace& part : run.places) {
      if (!part.file.name.empty()) {
        if (unlinkat(FolderOf(part.file).get(), part.file.name.c_str(), 0) != 0) stays(part);
        continue;
      }
      // A folder cannot be removed in one step, and half of it would be a different part with the same id.
      const std::string done = "." + part.part_id + ".done";
      if (renameat(outbox_.get(), part.part_id.c_str(), outbox_.get(), done.c_str()) == 0) {
        RemoveFolder(done);
      } else {
        stays(part);
      }
    }
    return all_gone;
  }

  void Reject(const std::string& run_id, const std::string& reason) {
    for (const PartPlace& part : TakeInFlight(run_id).places) MoveToRejected(part.file, reason);
  }

 private:
  // Returns the lists that the journals in the spool name.
  std::set<std::string> ListsInUse() const {
    std::set<std::string> lists;
    const auto look_into = [&](const UniqueFd& folder) {
      for (const std::string& name : NamesIn(folder)) {
        const auto file = JournalIdOf(name) ? OpenFileAt(folder, name) : std::nullopt;
        const auto head = file ? ReadHead(*file) : std::nullopt;
        if (!head) continue;
        try {
          lists.insert(ParseJournalHeader(*head).list);
        } catch (const JournalError&) {  // it is rejected when it is delivered
        }
      }
    };
    look_into(spool_);
    for (const std::string& name : NamesIn(outbox_)) look_into(OpenFolderAt(outbox_, name));
    return lists;
  }

  void Scan() {
    if (std::exchange(scanned_, true)) return;
    scan_ = ScanSpool(spool_, outbox_, complete_);
    LeaveOthersRuns();
    report_.running = scan_.running;
    report_.unknown = scan_.unknown;
    report_.unread = static_cast<int64_t>(scan_.unopened.size());
    report_.newer = static_cast<int64_t>(scan_.newer.size());
    for (const auto* files : {&scan_.newer, &scan_.unopened}) {
      for (const UnusableFile& file : *files) report_.messages.push_back(PathOf(file.file) + ": " + file.reason);
    }
  }

  // What is for the stores of another project stays as it is.
  void LeaveOthersRuns() {
    if (!is_for_stores_) return;
    report_.elsewhere = KeepWanted(scan_, [this](const std::string& run_id, const DecidingJournal& decides) {
      return is_for_stores_(run_id, decides.ctest_group, ReadDeciding(spool_, outbox_, decides));
    });
  }

  // Returns all ready parts of one run as one record; nullopt if none can be read.
  std::optional<RunRecord> ReadRun(const PendingRun& run) {
    std::vector<PartPlace> parts;
    for (const std::string& part_id : run.sealed) parts.push_back({part_id, {part_id, ""}});
    for (const auto& [group, journals] : run.loose) {
      const LooseJournal& first = journals.front();
      parts.push_back(group == first.journal_id ? PartPlace{group, first.file} : Seal(journals));
    }
    std::optional<RunRecord> record;
    std::vector<PartPlace> read;
    std::set<std::string> part_ids;
    for (const PartPlace& part : parts) {
      auto more = ReadPart(run.run_id, part);
      if (!more) continue;
      read.push_back(part);
      if (!part_ids.insert(part.part_id).second) continue;  // the same part twice
      if (record) {
        AddParts(*record, std::move(*more));
      } else {
        record = std::move(more);
      }
    }
    if (record) SumParts(*record);
    const std::lock_guard hold(mutex_);
    InFlight& in_flight = in_flight_[run.run_id];
    in_flight.places = std::move(read);
    if (record) in_flight.parts = record->parts;
    return record;
  }

  std::optional<RunRecord> ReadPart(const std::string& run_id, const PartPlace& part) {
    std::vector<SpoolFile> files;
    if (!part.file.name.empty()) {
      files.push_back(part.file);
    } else {
      const UniqueFd folder = OpenFolderAt(outbox_, part.part_id);
      if (!folder) {
        ReportUnread(part.file, "cannot be read: " + std::generic_category().message(errno));
        return std::nullopt;
      }
      for (const std::string& name : NamesIn(folder)) {
        if (JournalIdOf(name)) files.push_back({part.part_id, name});
      }
    }
    // In a fixed order, so that a part that is read again keeps the same failures.
    std::ranges::sort(files, {}, &SpoolFile::name);
    FailureBudget budget;
    std::vector<Journal> journals;
    for (const SpoolFile& file : files) {
      const UniqueFd folder = FolderOf(file);
      const auto opened = OpenFileAt(folder, file.name);
      try {
        auto journal = opened ? ReadJournal(opened->descriptor, budget) : std::nullopt;
        if (!journal) {
          const std::string reason = "cannot be read: " + std::generic_category().message(errno);
          // Without this journal, it would be a different part with the same id.
          if (IsUnreadable(errno)) {
            MoveToRejected(part.file, reason);
          } else {
            ReportUnread(file, reason);
          }
          return std::nullopt;
        }
        journals.push_back(std::move(*journal));
      } catch (const JournalError& error) {
        MoveToRejected(file, error.what());
      } catch (const std::bad_alloc&) {
        MoveToRejected(file, "the journal needs more memory than there is");
      }
    }
    if (journals.empty()) return std::nullopt;
    const auto order = [](const Journal& journal) { return std::tie(journal.started_at, journal.journal_id); };
    return RecordOf(run_id, part.part_id, journals, context_(*std::ranges::min_element(journals, {}, order)), &lists_);
  }

  PartPlace Seal(const std::vector<LooseJournal>& journals) {
    const std::string part_id = PartIdOf(journals);
    const std::string filling = "." + part_id + ".filling";
    const UniqueFd folder = MakeFolderAt(outbox_, filling);
    if (!folder) ThrowErrno(PathOf({filling, ""}), "make the folder");
    for (const LooseJournal& journal : journals) {
      const SpoolFile& file = journal.file;
      if (file.folder == filling) continue;
      if (renameat(FolderOf(file).get(), file.name.c_str(), folder.get(), file.name.c_str()) != 0) {
        ThrowErrno(PathOf(file), "move the journal to the outbox");
      }
      if (!file.folder.empty()) unlinkat(outbox_.get(), file.folder.c_str(), AT_REMOVEDIR);  // if it is empty now
    }
    if (renameat(outbox_.get(), filling.c_str(), outbox_.get(), part_id.c_str()) != 0) {
      ThrowErrno(PathOf({part_id, ""}), "seal the part");
    }
    // The store may receive this part from now on, so the part must still be found after a power failure.
    for (const int changed : {folder.get(), outbox_.get(), spool_.get()}) {
      if (fsync(changed) != 0 && errno != EINVAL) ThrowErrno(PathOf({part_id, ""}), "seal the part");
    }
    return {part_id, {part_id, ""}};
  }

  // Moves a journal or a sealed part to rejected/, with the reason.
  void MoveToRejected(const SpoolFile& file, const std::string& reason) {
    const std::lock_guard hold(mutex_);
    const bool whole_folder = file.name.empty();
    const UniqueFd from = whole_folder ? Duplicate(outbox_) : FolderOf(file);
    const auto there =
        flaky::MoveToRejected(spool_, from, whole_folder ? file.folder : file.name, PathOf(file), reason);
    if (!there) return;
    ++report_.rejected;
    report_.messages.push_back(PathOf(file) + ": " + reason + "; kept as " + path_ + '/' + *there);
  }

  void Report(std::string message) {
    const std::lock_guard hold(mutex_);
    report_.messages.push_back(std::move(message));
  }

  void ReportUnread(const SpoolFile& file, const std::string& reason) {
    const std::lock_guard hold(mutex_);
    ++report_.unread;
    report_.messages.push_back(PathOf(file) + ": " + reason);
  }

  InFlight TakeInFlight(const std::string& run_id) {
    const std::lock_guard hold(mutex_);
    const auto node = in_flight_.extract(run_id);
    return node ? node.mapped() : InFlight();
  }

  // A `flaky run` must still know at its end what was recorded under it. This comes before the journals are removed, so
  // that it always finds the one or the other.
  void NoteInCommands(const std::string& run_id, const std::vector<Part>& parts) const {
    for (const RunningCommand& command : scan_.commands) {
      if (command.run_id != run_id) continue;
      for (const Part& part : parts) {
        if (part.account.started_at < command.started_at) continue;
        NoteDelivery(spool_, command.file,
                     {part.part_id, part.account.total_tests.value_or(0), part.account.status == kFail});
      }
    }
  }

  // Removes a folder of the outbox with its journals. The folder stays if it contains anything else.
  void RemoveFolder(const std::string& name) {
    {
      const UniqueFd folder = OpenFolderAt(outbox_, name);
      if (!folder) return;
      for (const std::string& file : NamesIn(folder)) {
        if (JournalIdOf(file)) unlinkat(folder.get(), file.c_str(), 0);
      }
    }
    unlinkat(outbox_.get(), name.c_str(), AT_REMOVEDIR);
  }

  static UniqueFd Duplicate(const UniqueFd& folder) { return UniqueFd(fcntl(folder.get(), F_DUPFD_CLOEXEC, 3)); }

  UniqueFd FolderOf(const SpoolFile& file) const {
    return file.folder.empty() ? Duplicate(spool_) : OpenFolderAt(outbox_, file.folder);
  }

  std::string PathOf(const SpoolFile& file) const {
    std::string path = path_;
    if (!file.folder.empty()) path += '/' + outbox_name_ + '/' + file.folder;
    if (!file.name.empty()) path += '/' + file.name;
    return path;
  }

  const std::string path_;
  const std::string name_;
  const ContextOf context_;
  const std::string complete_;
  const IsForStores is_for_stores_;
  UniqueFd spool_;
  TestLists lists_;
  std::string outbox_name_;
  UniqueFd outbox_;
  SpoolScan scan_;
  bool scanned_ = false;
  bool tidied_ = false;
  size_t next_ = 0;
  std::mutex mutex_;  // guards the members below: Next may run concurrently with Delivered and Reject
  std::map<std::string, InFlight> in_flight_;
  SpoolReport report_;
};

SpoolSource::SpoolSource(const SpoolLock& lock, ContextOf context, std::string complete, IsForStores is_for_stores)
    : impl_(std::make_unique<Impl>(lock, std::move(context), std::move(complete), std::move(is_for_stores))) {}
SpoolSource::~SpoolSource() = default;
std::optional<Totals> SpoolSource::Expected() { return impl_->Expected(); }
void SpoolSource::Tidy() { impl_->Tidy(); }
std::optional<Batch> SpoolSource::Next(const BatchLimits& limits) { return impl_->Next(limits); }
bool SpoolSource::Delivered(const std::string& run_id) { return impl_->Delivered(run_id); }
void SpoolSource::Reject(const std::string& run_id, const std::string& reason) { impl_->Reject(run_id, reason); }
const std::string& SpoolSource::name() const { return impl_->name(); }
const SpoolReport& SpoolSource::report() const { return impl_->report(); }

}  // namespace flaky
