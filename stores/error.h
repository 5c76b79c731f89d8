#ifndef FLAKY_STORES_ERROR_H_
#define FLAKY_STORES_ERROR_H_

#include <chrono>
#include <optional>
#include <stdexcept>
#include <string>

namespace flaky {

// What a caller can do about an error; the only thing callers branch on.
enum class ErrorKind {
  kTransient,     // worth another try: a lock held too long, a connection lost, a server that is busy
  kAuth,          // credentials or permissions refused
  kMissing,       // the store, or the place for it, is not there
  kConflict,      // what is there contradicts what was asked
  kSchemaTooNew,  // written by a newer program: not to be written by this one
  kInvalid,       // the location, the data or the database is not what it should be
  kPermanent,     // anything else; trying again will not help
};

// What an errno of a file's operation is to a caller.
ErrorKind KindOfErrno(int error);

// The one exception type of all stores; a client library's own exceptions do not pass a store's edge. what() is one
// sentence for the user: `sqlite:/x/h.db: cannot write runs: database or disk is full (SQLITE_FULL)`, with no secret in
// it.
class StoreError : public std::runtime_error {
 public:
  // `store`: the location as it may be shown. `operation`: what was being done ("write runs"). `vendor_code`: the
  // client library's or server's own code, may be empty. `detail`: what went wrong and, where one knows, what to do.
  StoreError(ErrorKind kind, std::string store, std::string operation, std::string vendor_code,
             const std::string& detail);

  ErrorKind kind() const { return kind_; }
  const std::string& store() const { return store_; }
  const std::string& operation() const { return operation_; }
  const std::string& vendor_code() const { return vendor_code_; }

  // kTransient: how long the server asked to be left alone (HTTP's Retry-After), where it did.
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
