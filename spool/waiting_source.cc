// SPDX-License-Identifier: MIT
#include "spool/waiting_source.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <deque>
#include <map>
#include <mutex>
#include <set>
#include <utility>

#include "spool/spool_files.h"
#include "transfer/jsonl_reader.h"

namespace flaky {

class WaitingSource::Impl {
 public:
  Impl(const SendLock& lock, std::vector<WaitingFile> files, Then then, std::string holder)
      : spool_path_(lock.spool()),
        path_(lock.folder()),
        name_("spool " + path_.string()),
        files_(std::move(files)),
        then_(then),
        holder_(std::move(holder)),
        spool_(OpenFolder(spool_path_.string())),
        folder_(OpenFolderAt(spool_, path_.filename().string())) {
    if (!folder_) ThrowErrno(name_, "open the folder");
  }

  const std::string& name() const { return name_; }
  const std::vector<std::string>& messages() const { return messages_; }

  std::optional<Batch> Next(const BatchLimits& limits) {
    Batch batch;
    std::set<std::string> run_ids;
    size_t bytes = 0;
    while (batch.records.size() < limits.records && bytes < limits.bytes) {
      // A run must not be in flight twice in one batch, so its next part waits for the next batch.
      if (!peeked_ && !(peeked_ = ReadOne())) break;
      if (!run_ids.insert(peeked_->run.run_id).second) break;
      bytes += TextBytes(*peeked_);
      batch.records.push_back(std::move(*peeked_));
      peeked_.reset();
      const std::lock_guard hold(mutex_);
      in_flight_.push_back(peeked_file_);
    }
    if (batch.records.empty()) return std::nullopt;
    return batch;
  }

  void Settled(bool there) {
    const std::lock_guard hold(mutex_);
    const size_t file = in_flight_.front();
    in_flight_.pop_front();
    Open& open = open_[file];
    --open.records;
    open.sound = open.sound && there;
    EndIfSettled(file);
  }

 private:
  struct Open {
    size_t records = 0;  // that were read and are not settled
    bool at_end = false;
    bool sound = true;
  };

  // Returns the next record of all files; nullopt at the end of the last one.
  std::optional<RunRecord> ReadOne() {
    while (!ended_) {
      if (!reader_ && !OpenNext()) return std::nullopt;
      try {
        if (auto batch = reader_->Next({.records = 1})) {
          peeked_file_ = next_ - 1;
          const std::lock_guard hold(mutex_);
          ++open_[peeked_file_].records;
          return std::move(batch->records.front());
        }
        EndFile();
      } catch (const StoreError& error) {
        Refuse(error);
      }
    }
    return std::nullopt;
  }

  bool OpenNext() {
    while (next_ < files_.size() && !ended_) {
      const std::string& file = files_[next_++].name;
      if (!OpenFileAt(folder_, file)) continue;  // it has disappeared or is not our file
      try {
        reader_.emplace((path_ / file).string());
        return true;
      } catch (const StoreError& error) {
        Refuse(error);
      }
    }
    return false;
  }

  void EndFile() {
    reader_.reset();
    const std::lock_guard hold(mutex_);
    open_[next_ - 1].at_end = true;
    EndIfSettled(next_ - 1);
  }

  // Precondition: the mutex is held.
  void EndIfSettled(size_t index) {
    const Open& open = open_[index];
    if (!open.at_end || open.records > 0) return;
    if (open.sound) {
      const std::string& name = files_[index].name;
      if (then_ == Then::kRemove) {
        unlinkat(folder_.get(), name.c_str(), 0);
      } else {
        std::string renamed = name;
        renamed.replace(renamed.rfind('-') + 1, holder_.size(), holder_);
        renameat(folder_.get(), name.c_str(), folder_.get(), renamed.c_str());
      }
    }
    open_.erase(index);
  }

  // Moves the file to rejected/ only if it is damaged. Another error may be transient, so it ends the source, and this
  // file and the following ones are read later.
  void Refuse(const StoreError& error) {
    reader_.reset();
    const std::string& name = files_[next_ - 1].name;
    if (error.kind() != ErrorKind::kInvalid) {
      ended_ = true;
      messages_.emplace_back(error.what());
      return;
    }
    const auto there = MoveToRejected(spool_, folder_, name, (path_ / name).string(), error.what());
    if (!there) return;
    messages_.push_back(std::string(error.what()) + "; kept as " + (spool_path_ / *there).string() +
                        "; the first store has all of it: `flaky dual backfill` copies it");
  }

  const std::filesystem::path spool_path_, path_;
  const std::string name_;
  const std::vector<WaitingFile> files_;
  const Then then_;
  const std::string holder_;
  const UniqueFd spool_, folder_;
  std::optional<JsonlReader> reader_;
  size_t next_ = 0;  // index in files_; the file that is being read is the one before
  bool ended_ = false;
  std::optional<RunRecord> peeked_;
  size_t peeked_file_ = 0;
  std::vector<std::string> messages_;
  std::mutex mutex_;  // guards the members below: Next may run concurrently with Settled
  std::deque<size_t> in_flight_;
  std::map<size_t, Open> open_;
};

WaitingSource::WaitingSource(const SendLock& lock, std::vector<WaitingFile> files, Then then, std::string holder)
    : impl_(std::make_unique<Impl>(lock, std::move(files), then, std::move(holder))) {}
WaitingSource::~WaitingSource() = default;
const std::string& WaitingSource::name() const { return impl_->name(); }
std::optional<Batch> WaitingSource::Next(const BatchLimits& limits) { return impl_->Next(limits); }
void WaitingSource::Settled(bool there) { impl_->Settled(there); }
const std::vector<std::string>& WaitingSource::messages() const { return impl_->messages(); }

}  // namespace flaky
