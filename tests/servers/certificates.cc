// SPDX-License-Identifier: MIT
#include "tests/servers/certificates.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <atomic>
#include <cstdio>
#include <filesystem>
#include <stdexcept>
#include <utility>

namespace flaky {
namespace {

constexpr long kHour = 3600;

using Key = std::shared_ptr<EVP_PKEY>;
using Certificate = std::shared_ptr<X509>;

template <typename Result>
Result Checked(Result result, const char* what) {
  if (!result) throw std::runtime_error(std::string("OpenSSL cannot ") + what);
  return result;
}

Key NewKey() { return {Checked(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256"), "make a key"), &EVP_PKEY_free}; }

void Add(const Certificate& certificate, int kind, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, certificate.get(), certificate.get(), nullptr, nullptr, 0);
  X509_EXTENSION* const extension =
      Checked(X509V3_EXT_conf_nid(nullptr, &context, kind, value.c_str()), "make an extension");
  X509_add_ext(certificate.get(), extension, -1);
  X509_EXTENSION_free(extension);
}

// Returns an unsigned certificate of the key, whose issuer is its own subject.
Certificate NewCertificate(const Key& key, const std::string& subject, bool expired) {
  static std::atomic<long> serial = 1;
  Certificate certificate(Checked(X509_new(), "make a certificate"), &X509_free);
  X509_set_version(certificate.get(), 2);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), serial++);
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -2 * kHour);
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), expired ? -kHour : 24 * kHour);
  X509_NAME* const name = X509_get_subject_name(certificate.get());
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, reinterpret_cast<const unsigned char*>(subject.c_str()), -1, -1,
                             0);
  X509_set_issuer_name(certificate.get(), name);
  X509_set_pubkey(certificate.get(), key.get());
  return certificate;
}

void Sign(const Certificate& certificate, const Key& key) {
  Checked(X509_sign(certificate.get(), key.get(), EVP_sha256()) > 0, "sign a certificate");
}

template <typename Write>
void WriteFile(const std::string& path, Write write) {
  std::FILE* const file = Checked(std::fopen(path.c_str(), "w"), ("open " + path).c_str());
  const bool written = write(file) == 1;
  Checked(std::fclose(file) == 0 && written, ("write " + path).c_str());
}

void WriteCertificate(const std::string& path, const Certificate& certificate) {
  WriteFile(path, [&](std::FILE* file) { return PEM_write_X509(file, certificate.get()); });
}

ServerCertificate Written(const std::string& folder, const std::string& name, const Certificate& certificate,
                          const Key& key) {
  ServerCertificate files{folder + "/" + name + ".pem", folder + "/" + name + ".key"};
  WriteCertificate(files.certificate, certificate);
  WriteFile(files.key, [&](std::FILE* file) {
    return PEM_write_PrivateKey(file, key.get(), nullptr, nullptr, 0, nullptr, nullptr);
  });
  return files;
}

}  // namespace

CertificateAuthority::CertificateAuthority(std::string folder)
    : folder_(std::move(folder)),
      file_(folder_ + "/authority.pem"),
      hashed_folder_(folder_ + "/authorities"),
      key_(NewKey()),
      certificate_(NewCertificate(key_, std::filesystem::path(folder_).filename().string(), false)) {
  Add(certificate_, NID_basic_constraints, "critical,CA:TRUE");
  Add(certificate_, NID_key_usage, "critical,keyCertSign");
  Sign(certificate_, key_);
  WriteCertificate(file_, certificate_);
  std::filesystem::create_directories(hashed_folder_);
  char name[32];
  std::snprintf(name, sizeof name, "/%08lx.0", X509_subject_name_hash(certificate_.get()));
  WriteCertificate(hashed_folder_ + name, certificate_);
}

ServerCertificate CertificateAuthority::Issue(const std::string& name, const std::string& names, bool expired) const {
  const Key key = NewKey();
  const Certificate certificate = NewCertificate(key, name, expired);
  Add(certificate, NID_subject_alt_name, names);
  X509_set_issuer_name(certificate.get(), X509_get_subject_name(certificate_.get()));
  Sign(certificate, key_);
  return Written(folder_, name, certificate, key);
}

ServerCertificate CertificateAuthority::SelfSigned(const std::string& name, const std::string& names) const {
  const Key key = NewKey();
  const Certificate certificate = NewCertificate(key, name, false);
  Add(certificate, NID_subject_alt_name, names);
  Sign(certificate, key);
  return Written(folder_, name, certificate, key);
}

}  // namespace flaky
