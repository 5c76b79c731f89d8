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

  // Returns a token with these claims, which are a JSON object.
  std::string Sign(std::string_view claims) const;
  // Returns the key with which the server checks tokens, as PEM.
  std::string PublicKey() const;

 private:
  std::shared_ptr<evp_pkey_st> key_;
};

}  // namespace flaky

#endif  // FLAKY_TESTS_SERVERS_TOKEN_SIGNER_H_
