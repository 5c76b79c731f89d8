#ifndef FLAKY_TESTS_SERVERS_TOKEN_SIGNER_H_
#define FLAKY_TESTS_SERVERS_TOKEN_SIGNER_H_

#include <memory>
#include <string>
#include <string_view>

struct evp_pkey_st;  // OpenSSL's

namespace flaky {

// A fresh Ed25519 key that signs JSON Web Tokens.
class TokenSigner {
 public:
  TokenSigner();

  // The claims, a JSON object, as a token.
  std::string Sign(std::string_view claims) const;
  // What the server checks tokens with, as PEM.
  std::string PublicKey() const;

 private:
  std::shared_ptr<evp_pkey_st> key_;
};

}  // namespace flaky

#endif  // FLAKY_TESTS_SERVERS_TOKEN_SIGNER_H_
