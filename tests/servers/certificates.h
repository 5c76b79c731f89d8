// SPDX-License-Identifier: MIT
#ifndef FLAKY_TESTS_SERVERS_CERTIFICATES_H_
#define FLAKY_TESTS_SERVERS_CERTIFICATES_H_

#include <memory>
#include <string>

struct evp_pkey_st;  // OpenSSL's
struct x509_st;

namespace flaky {

// Files in PEM that a TLS server uses.
struct ServerCertificate {
  std::string certificate;
  std::string key;
};

// A certificate authority that only this process knows, with its files in a folder. Throws std::runtime_error.
class CertificateAuthority {
 public:
  // The folder must exist and outlive the object.
  explicit CertificateAuthority(std::string folder);

  // Return the authority's certificate as a file, and as a folder in which it is named by its hash.
  const std::string& file() const { return file_; }
  const std::string& hashed_folder() const { return hashed_folder_; }

  // Makes a certificate for these names, "DNS:localhost,IP:127.0.0.1". An expired one ended an hour ago. The files are
  // named after `name`.
  ServerCertificate Issue(const std::string& name, const std::string& names, bool expired = false) const;
  // Makes a certificate that only its own key has signed.
  ServerCertificate SelfSigned(const std::string& name, const std::string& names) const;

 private:
  std::string folder_;
  std::string file_;
  std::string hashed_folder_;
  std::shared_ptr<evp_pkey_st> key_;
  std::shared_ptr<x509_st> certificate_;
};

}  // namespace flaky

#endif  // FLAKY_TESTS_SERVERS_CERTIFICATES_H_
