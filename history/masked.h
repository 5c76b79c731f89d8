// SPDX-License-Identifier: MIT
#ifndef FLAKY_HISTORY_MASKED_H_
#define FLAKY_HISTORY_MASKED_H_

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

// The one place that decides what must not be shown or kept because it is, or looks like, a secret. What a secret looks
// like is in recorder/secret_text.h, which the recorder uses, too.
namespace flaky {

// Returns true if the text contains what looks like a password, a token or a key.
bool LooksSecret(std::string_view text);

// Returns the text up to where something begins that looks like a secret, and `***` instead of all that follows.
std::string Masked(std::string_view text);

// Returns the arguments of a command, each masked. The value after an option such as `--password` is masked as a whole.
std::vector<std::string> MaskedArguments(std::span<const std::string> arguments);

// Returns true if the text is, or was meant to be, the address of a server or a secret, so that it is neither a name
// nor the path of a file.
bool LooksLikeAddress(std::string_view text);

// Returns the text of a setting without the blanks and line ends around it, and without quotes around all of it.
std::string_view Unwrapped(std::string_view text);

// Takes `user:password@` out of a URL.
std::string WithoutCredentials(std::string url);

// The secrets of this process, which servers and libraries may repeat in their messages. The functions may be called by
// any thread.
//
// Adds a secret: its text, its percent-decoded text, and its parts between blanks and quotes. A word that messages use
// anyway, such as `postgres`, is not added, and nothing of less than six characters.
void KeepOutOfMessages(std::string_view secret);

// Adds what Masked hides of a text, and the password in it.
void KeepPartsOutOfMessages(std::string_view text);

// Returns the text with `***` for each of these secrets.
std::string WithoutKnownSecrets(std::string_view text);

// Forgets all of them. For a process that runs the program more than once.
void ForgetKnownSecrets();

// A module has a separate copy of this library, and gets the program's secrets when it is loaded.
class KnownSecrets;
std::shared_ptr<KnownSecrets> ShareKnownSecrets();
void UseKnownSecrets(std::shared_ptr<KnownSecrets> secrets);

}  // namespace flaky

#endif  // FLAKY_HISTORY_MASKED_H_
