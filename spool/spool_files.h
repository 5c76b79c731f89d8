// SPDX-License-Identifier: MIT
#ifndef FLAKY_SPOOL_SPOOL_FILES_H_
#define FLAKY_SPOOL_SPOOL_FILES_H_

#include <sys/stat.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "transfer/unique_fd.h"

// File system functions for the spool. The content of a spool is untrusted input. A folder or file is opened only if it
// belongs to our user and is not a link, and always through the descriptor of its folder, so that it cannot be
// exchanged before it is opened.
namespace flaky {

// The spool's folder for what cannot be delivered.
inline constexpr char kRejected[] = "rejected";

// Returns the id in the file name `<journal_id>.jsonl`; nullopt for any other name.
std::optional<std::string> JournalIdOf(std::string_view file_name);

// Returns true for 32 lower-case hexadecimal digits, the form of the ids of journals and parts.
bool IsId(std::string_view text);

// Returns the name under which this user's file or folder `name` is in a folder that other users may write to, such as
// a spool in /tmp: `name`, or `<name>-<uid>` or `<name>-<uid>.<number>` if another user has taken that. If the folder
// belongs to this user alone, it is always `name`. The file or folder may not exist yet.
std::string OwnName(const UniqueFd& folder, const std::string& name);

// Return no descriptor, and set errno, if the folder is missing, is not a folder, is a link, or belongs to another user
// (ELOOP). OpenFolder follows links and accepts any owner, because a spool may be a link.
UniqueFd OpenFolder(const std::string& path);
UniqueFd OpenFolderAt(const UniqueFd& parent, const std::string& name);
// The same, but creates the folder (0700) if it is missing.
UniqueFd MakeFolderAt(const UniqueFd& parent, const std::string& name);

// Creates the folder and its missing parents, only for this user (0700). Returns false and sets errno if one cannot be
// created.
bool MakePrivateFolders(const std::filesystem::path& folder);

// Returns the names in a folder, without "." and "..", in no particular order; none without a descriptor. Throws
// StoreError (kPermanent) if the folder cannot be read now: it would look empty otherwise.
std::vector<std::string> NamesIn(const UniqueFd& folder);

struct OpenedFile {
  UniqueFd descriptor;
  struct stat status {};
};
// Returns nullopt and sets errno if it is not a regular file of our user.
std::optional<OpenedFile> OpenFileAt(const UniqueFd& folder, const std::string& name);

// Replaces the content of a file by the text in one step, so that readers see the old or the new content. If that
// fails, nothing changes. Use it only for notes on which nothing depends.
void WriteNoteAt(const UniqueFd& folder, const std::string& name, std::string_view text);

// Reads `size` bytes at `offset`, or fewer at the end of the file. Returns nullopt and sets errno if it cannot be read.
std::optional<std::string> ReadAt(const UniqueFd& file, int64_t offset, size_t size);

// Returns true if reading a file failed with `error` because of the file, so that it will fail again. Errors such as
// too many open files pass.
bool IsUnreadable(int error);

// Passes a file of any size to `take`, in pieces up to its first NUL. Returns false and sets errno if it cannot be
// read.
bool ReadPieces(const UniqueFd& file, const std::function<void(std::string_view)>& take);

// Reads a small file up to the first NUL. Returns nullopt and sets errno if it cannot be read.
std::optional<std::string> ReadUpToNul(const UniqueFd& file);

// Returns the number of bytes before the first NUL. Returns nullopt and sets errno if the file cannot be read.
std::optional<int64_t> LengthUpToNul(const UniqueFd& file);

// Moves the file or folder `name` from a folder of the spool to the spool's rejected/, and writes the reason to
// <name>.reason. Returns its new path in the spool, `rejected/NAME`; nullopt if it has disappeared.
// Throws as ThrowErrno. `path`: of what is moved, for messages.
std::optional<std::string> MoveToRejected(const UniqueFd& spool, const UniqueFd& from, const std::string& name,
                                          const std::string& path, const std::string& reason);

// Throws StoreError (kPermanent) for `operation` on `path` with the text of errno.
[[noreturn]] void ThrowErrno(const std::string& path, const std::string& operation);

}  // namespace flaky

#endif  // FLAKY_SPOOL_SPOOL_FILES_H_
