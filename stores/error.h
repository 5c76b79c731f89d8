// SPDX-License-Identifier: MIT
#ifndef FLAKY_STORES_ERROR_H_
#define FLAKY_STORES_ERROR_H_

#include <chrono>
#include <optional>
#include <stdexcept>
#include <string>

namespace flaky {

// What a caller can do about an error. Callers branch on nothing else.
enum class ErrorKind {
  kTransient,     // worth retrying: a lock held too long, a lost connection, a busy server
  kAuth,          // credentials or permissions refused
  kMissing,       // the store, or the place for it, does not exist
  kConflict,      // what is stored contradicts the request
  kSchemaTooNew,  // written by a newer program, so this one must not write to it
  kInvalid,       // the location, the data or the database is not valid
  kPermanent,     // anything else; retrying does not help
};

// Returns the kind for the errno of a file operation.
ErrorKind KindOfErrno(int error);

// The one exception type of all stores, which never throw a client library's own exceptions. what() is one sentence for
// the user, without secrets: `sqlite:/x/h.db: cannot write runs: database or disk is full (SQLITE_FULL)`.
class StoreError : public std::runtime_error {
 public:
  // `store`: the location without secrets. `operation`: what failed ("write runs"). `vendor_code`: the client library's
  // or server's own code; may be empty. `detail`: what went wrong and, if known, what to do about it.
  StoreError(ErrorKind kind, std::string store, std::string operation, std::string vendor_code,
             const std::string& detail);

  ErrorKind kind() const { return kind_; }
  const std::string& store() const { return store_; }
  const std::string& operation() const { return operation_; }
  const std::string& vendor_code() const { return vendor_code_; }

  // kTransient: how long the server asked clients to wait (HTTP's Retry-After). Absent if it did not.
  const std::optional<std::chrono::milliseconds>& retry_after() const { return retry_after_; }
  void set_retry_after(std::chrono::milliseconds wait) { retry_after_ = wait; }

 private:
  ErrorKind kind_;
  std::string store_;
  std::string operation_;
  std::string vendor_code_;
  std::optional<std::chrono::milliseconds> retry_after_;
};

}  // namespace flaky

#endif  // FLAKY_STORES_ERROR_H_
