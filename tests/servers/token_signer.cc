// SPDX-License-Identifier: MIT
#include "tests/servers/token_signer.h"

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include <stdexcept>
#include <vector>

namespace flaky {
namespace {

void ThrowIfFailed(bool done, const char* what) {
  if (!done) throw std::runtime_error(std::string("OpenSSL cannot ") + what);
}

// Base64 for URLs, without padding.
std::string Base64Url(std::string_view bytes) {
  std::vector<unsigned char> text(4 * ((bytes.size() + 2) / 3) + 1);
  const int size = EVP_EncodeBlock(text.data(), reinterpret_cast<const unsigned char*>(bytes.data()),
                                   static_cast<int>(bytes.size()));
  std::string encoded(text.begin(), text.begin() + size);
  for (char& c : encoded) c = c == '+' ? '-' : c == '/' ? '_' : c;
  while (!encoded.empty() && encoded.back() == '=') encoded.pop_back();
  return encoded;
}

}  // namespace

TokenSigner::TokenSigner() : key_(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"), &EVP_PKEY_free) {
  ThrowIfFailed(key_ != nullptr, "make an Ed25519 key");
}

std::string TokenSigner::Sign(std::string_view claims) const {
  const std::string text = Base64Url(R"({"alg":"EdDSA","typ":"JWT"})") + "." + Base64Url(claims);
  const auto* data = reinterpret_cast<const unsigned char*>(text.data());
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(), &EVP_MD_CTX_free);
  std::string signature(64, '\0');
  size_t size = signature.size();
  ThrowIfFailed(context && EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, key_.get()) == 1 &&
                    EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()), &size, data,
                                   text.size()) == 1,
                "sign");
  return text + "." + Base64Url(signature);
}

std::string TokenSigner::PublicKey() const {
  const std::unique_ptr<BIO, decltype(&BIO_free)> memory(BIO_new(BIO_s_mem()), &BIO_free);
  ThrowIfFailed(memory && PEM_write_bio_PUBKEY(memory.get(), key_.get()) == 1, "write a public key");
  char* data = nullptr;
  const long size = BIO_get_mem_data(memory.get(), &data);
  return {data, static_cast<size_t>(size)};
}

}  // namespace flaky
