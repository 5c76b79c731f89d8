// SPDX-License-Identifier: MIT
#include "stores/sqlite/connection.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <new>
#include <thread>

namespace flaky::sqlite {
namespace {

// Parameters of a URI: no process changes the file; the log's index is only read.
constexpr std::string_view kImmutable = "?immutable=1";
constexpr std::string_view kReadOnlyIndex = "?readonly_shm=1";

// A copy has three connections: one that writes to random places of the indexes, and two that mostly read in order.
// With these sizes, a copy including its batches in flight stays within 64 MiB. Larger caches were no faster.
constexpr int kWriterCacheKibibytes = 12 * 1024;
constexpr int kReaderCacheKibibytes = 4 * 1024;

// Page size of new databases: twice SQLite's default. Messages of a few hundred bytes fill such pages better, and a
// copy is a sixth faster.
constexpr int kPageBytes = 8192;

// The log's pages after which it is moved into the database. A copy changes the same pages of the indexes in every
// batch. With SQLite's default of 1,000 it would move each of them again and again.
constexpr int kAutoCheckpointPages = 8000;

// What SQLite's primary result codes mean to the caller.
struct CodeMeaning {
  int code;
  const char* name;
  ErrorKind kind;
  const char* advice;  // added to SQLite's own words
};
constexpr CodeMeaning kCodes[] = {
    {SQLITE_ERROR, "SQLITE_ERROR", ErrorKind::kInvalid, ""},
    {SQLITE_PERM, "SQLITE_PERM", ErrorKind::kAuth, ""},
    {SQLITE_ABORT, "SQLITE_ABORT", ErrorKind::kTransient, ""},
    {SQLITE_BUSY, "SQLITE_BUSY", ErrorKind::kTransient, ": another process kept it locked for too long"},
    {SQLITE_LOCKED, "SQLITE_LOCKED", ErrorKind::kTransient, ""},
    {SQLITE_READONLY, "SQLITE_READONLY", ErrorKind::kAuth, ": the file and its folder must be writable"},
    {SQLITE_INTERRUPT, "SQLITE_INTERRUPT", ErrorKind::kTransient, ""},
    {SQLITE_IOERR, "SQLITE_IOERR", ErrorKind::kPermanent, ""},
    {SQLITE_CORRUPT, "SQLITE_CORRUPT", ErrorKind::kInvalid,
     ": the file is damaged; `sqlite3 FILE .recover` saves what can be saved"},
    {SQLITE_FULL, "SQLITE_FULL", ErrorKind::kPermanent, ": nothing of this was written; free some space and try again"},
    {SQLITE_CANTOPEN, "SQLITE_CANTOPEN", ErrorKind::kAuth, ": the file and its folder must be accessible"},
    {SQLITE_PROTOCOL, "SQLITE_PROTOCOL", ErrorKind::kTransient, ""},
    {SQLITE_SCHEMA, "SQLITE_SCHEMA", ErrorKind::kTransient, ""},
    {SQLITE_TOOBIG, "SQLITE_TOOBIG", ErrorKind::kInvalid, ""},
    {SQLITE_CONSTRAINT, "SQLITE_CONSTRAINT", ErrorKind::kInvalid, ""},
    {SQLITE_MISMATCH, "SQLITE_MISMATCH", ErrorKind::kInvalid, ""},
    {SQLITE_AUTH, "SQLITE_AUTH", ErrorKind::kAuth, ""},
    {SQLITE_NOTADB, "SQLITE_NOTADB", ErrorKind::kInvalid, ": it is another kind of file, or encrypted"},
};

// Returns the path as a `file:` URI. In this form, SQLite takes every path for a file.
std::string UriOf(const std::string& path, std::string_view parameters) {
  static constexpr char kHex[] = "0123456789abcdef";
  std::string uri = path.starts_with('/') ? "file://" : "file:./";
  for (const char c : path) {
    const unsigned char byte = static_cast<unsigned char>(c);
    if (byte <= 0x20 || byte >= 0x7f || c == '%' || c == '?' || c == '#') {
      uri += {'%', kHex[byte >> 4], kHex[byte & 15]};
    } else {
      uri += c;
    }
  }
  return uri.append(parameters);
}

}  // namespace

Connection::Connection(const Location& location, OpenMode mode, const Options& options)
    : name_(location.display_name),
      path_(location.address.Reveal()),
      tables_{location.prefix},
      busy_timeout_(options.busy_timeout) {
  // SQLite's memory statistics take a lock at every allocation, a tenth of a copy's time, and we don't read them. They
  // can only be switched off before SQLite is first used; after that, this call changes nothing.
  [[maybe_unused]] static const int without_count = sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
  CheckFile(mode);
  Guard("open the database", [&] {
    if (mode == OpenMode::kRead && options.untouched) {
      OpenUntouched(options.without_log);
    } else if (mode == OpenMode::kRead) {
      OpenForReading();
    } else {
      Open(SQLITE_OPEN_READWRITE);
      if (sqlite3_db_readonly(db_->getHandle(), "main") != 0) {
        Fail(ErrorKind::kAuth, "open the database", "the file is write-protected");
      }
      // A copy survives a killed process without waiting for the disk at every batch. It survives a power cut once
      // Finish has returned. Records are whole, so SQLite need not check their references again.
      const bool bulk = mode == OpenMode::kBulk;
      db_->exec("PRAGMA page_size = " + std::to_string(kPageBytes) + "; PRAGMA synchronous = " +
                (bulk ? "NORMAL" : "FULL") + "; PRAGMA foreign_keys = " + (bulk ? "OFF" : "ON") +
                "; PRAGMA wal_autocheckpoint = " + std::to_string(kAutoCheckpointPages));
    }
    db_->exec("PRAGMA cache_size = -" +
              std::to_string(mode == OpenMode::kRead ? kReaderCacheKibibytes : kWriterCacheKibibytes));
  });
}

void Connection::CheckFile(OpenMode mode) const {
  struct stat info = {};
  if (stat(path_.c_str(), &info) != 0) {
    const int error = errno;
    if (error == ENOENT && mode != OpenMode::kRead) {
      CreateFile();
      return;
    }
    Fail(KindOfErrno(error), "open the database",
         error == ENOENT ? "there is no such file; the first delivery of test results creates it"
                         : std::strerror(error));
  }
  if (S_ISDIR(info.st_mode)) Fail(ErrorKind::kInvalid, "open the database", "it is a folder; name a file");
  if (!S_ISREG(info.st_mode)) Fail(ErrorKind::kInvalid, "open the database", "it is not a regular file");
  if (faccessat(AT_FDCWD, path_.c_str(), R_OK, AT_EACCESS) != 0)
    Fail(KindOfErrno(errno), "open the database", std::strerror(errno));
}

// SQLite gives its log files the mode of the database. So creating the file here keeps all three files private.
void Connection::CreateFile() const {
  const int fd = open(path_.c_str(), O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0600);
  if (fd >= 0) {
    close(fd);
    return;
  }
  const int error = errno;
  if (error == EEXIST) return;  // another process was faster, or it is a dangling link: then opening it fails
  const std::string folder = std::filesystem::path(path_).parent_path().string();
  Fail(KindOfErrno(error), "create the database",
       error == ENOENT ? "there is no folder '" + folder + "'"
                       : std::strerror(error) + (folder.empty() ? "" : " (in the folder '" + folder + "')"));
}

void Connection::Open(int flags, std::string_view parameters) {
  db_.reset();
  db_.emplace(UriOf(path_, parameters), flags | SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX,
              static_cast<int>(busy_timeout_.count()));
}

bool Connection::CanRead() {
  const int code = db_->tryExec("SELECT 1 FROM sqlite_master LIMIT 1") & 0xff;
  return code != SQLITE_CANTOPEN && code != SQLITE_READONLY;
}

// Reads through a connection that may write, if that is possible. In WAL mode SQLite needs two companion files, and a
// read-only connection would leave them behind. If they can't be created in the folder and no writer has left any, all
// of the history is in the database itself, and it is read as a file that no process changes.
void Connection::OpenForReading() {
  Open(SQLITE_OPEN_READWRITE);
  if (CanRead()) return;
  if (HasLog()) {
    Fail(ErrorKind::kAuth, "read the database",
         "a part of it is in '" + path_ +
             "-wal', which can only be read if the folder is writable; copy the files to another folder, or open the "
             "database once with a program that may write there");
  }
  Open(SQLITE_OPEN_READONLY, kImmutable);
}

void Connection::OpenUntouched(bool without_log) {
  if (!without_log && HasLog()) {
    Open(SQLITE_OPEN_READONLY, kReadOnlyIndex);
    if (CanRead()) return;
  }
  Open(SQLITE_OPEN_READONLY, kImmutable);
}

bool Connection::HasLog() const {
  struct stat log = {};
  return stat((path_ + "-wal").c_str(), &log) == 0 && log.st_size > 0;
}

void Connection::UseWriteAheadLog() {
  // Unlike other statements, changing the mode does not wait for locks.
  const auto deadline = std::chrono::steady_clock::now() + busy_timeout_;
  for (;;) {
    try {
      if (std::string_view(db_->execAndGet("PRAGMA journal_mode").getText()) == "wal") return;
      db_->execAndGet("PRAGMA journal_mode = WAL");
      return;
    } catch (const SQLite::Exception& error) {
      if (error.getErrorCode() != SQLITE_BUSY || std::chrono::steady_clock::now() >= deadline) throw;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
}

void Connection::Shrink() {
  db_->exec("PRAGMA cache_size = -" + std::to_string(kReaderCacheKibibytes) + "; PRAGMA shrink_memory");
}

void Connection::Flush() { db_->exec("PRAGMA synchronous = FULL; PRAGMA wal_checkpoint(TRUNCATE)"); }

void Connection::Fail(ErrorKind kind, std::string_view operation, const std::string& detail) const {
  throw StoreError(kind, name_, std::string(operation), "", detail);
}

void Connection::Translate(const SQLite::Exception& error, std::string_view operation) const {
  const int primary = error.getErrorCode() & 0xff;
  const int extended = error.getExtendedErrorCode();
  if (primary == SQLITE_NOMEM) throw std::bad_alloc();
  std::string code = "SQLite code " + std::to_string(primary);
  ErrorKind kind = ErrorKind::kPermanent;
  std::string detail = error.what();
  for (const CodeMeaning& meaning : kCodes) {
    if (meaning.code != primary) continue;
    code = meaning.name;
    kind = meaning.kind;
    detail += meaning.advice;
  }
  if (extended > 0 && extended != primary) code += ", " + std::to_string(extended);
  throw StoreError(kind, name_, std::string(operation), code, detail);
}

}  // namespace flaky::sqlite
