// SPDX-License-Identifier: MIT
#include "stores/error.h"

#include <cerrno>
#include <utility>

#include "history/masked.h"

namespace flaky {
namespace {

std::string Sentence(const std::string& store, const std::string& operation, const std::string& vendor_code,
                     const std::string& detail) {
  std::string text;
  if (!store.empty()) text += store + ": ";
  if (!operation.empty()) text += "cannot " + operation + ": ";
  // Servers and libraries repeat what they were sent.
  text += WithoutKnownSecrets(detail);
  if (!vendor_code.empty()) text += " (" + WithoutKnownSecrets(vendor_code) + ")";
  return text;
}

}  // namespace

ErrorKind KindOfErrno(int error) {
  switch (error) {
    case ENOENT:
      return ErrorKind::kMissing;
    case EACCES:
    case EPERM:
    case EROFS:
      return ErrorKind::kAuth;
    case ENOTDIR:
    case ENAMETOOLONG:
    case ELOOP:
      return ErrorKind::kInvalid;
    default:
      return ErrorKind::kPermanent;
  }
}

StoreError::StoreError(ErrorKind kind, std::string store, std::string operation, std::string vendor_code,
                       const std::string& detail)
    : std::runtime_error(Sentence(store, operation, vendor_code, detail)),
      kind_(kind),
      store_(std::move(store)),
      operation_(std::move(operation)),
      vendor_code_(std::move(vendor_code)) {}

}  // namespace flaky
