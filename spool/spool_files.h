#ifndef FLAKY_SPOOL_SPOOL_FILES_H_
#define FLAKY_SPOOL_SPOOL_FILES_H_

#include <sys/stat.h>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "transfer/unique_fd.h"

// What the spool needs of the file system. Whatever lies in a spool is input: a folder or file is opened only where it
// is one of our own user and no link, and always through the folder that holds it, so nothing can be exchanged on the
// way.
namespace flaky {

// The spool's folder for what could not be delivered.
inline constexpr char kRejected[] = "rejected";

// The id in the file name `<journal_id>.jsonl`; absent for any other name.
std::optional<std::string> JournalIdOf(std::string_view file_name);

// True for 32 lower-case hexadecimal digits, as the ids of journals and parts are.
bool IsId(std::string_view text);

// None where it is not there, no folder, a link, or somebody else's. The first form follows links: a spool may be one.
UniqueFd OpenFolder(const std::string& path);
UniqueFd OpenFolderAt(const UniqueFd& parent, const std::string& name);
// The same, made (0700) where it is missing.
UniqueFd MakeFolderAt(const UniqueFd& parent, const std::string& name);

// Makes the folder and those above it that are missing, for this user alone (0700). False, and errno, when one cannot
// be made.
bool MakePrivateFolders(const std::filesystem::path& folder);

// The names in a folder, without "." and "..", in no order.
std::vector<std::string> NamesIn(const UniqueFd& folder);

struct OpenedFile {
  UniqueFd descriptor;
  struct stat status {};
};
// None (errno tells) for what is no regular file of our own.
std::optional<OpenedFile> OpenFileAt(const UniqueFd& folder, const std::string& name);

// Makes a file of this name hold the text alone, in one step: readers see the old one or the new one. Where that cannot
// be done, nothing changes: it is for notes that nobody depends on.
void WriteNoteAt(const UniqueFd& folder, const std::string& name, std::string_view text);

// Up to `size` bytes from `offset` on; shorter at the end of the file. Absent (errno) when it cannot be read.
std::optional<std::string> ReadAt(const UniqueFd& file, int64_t offset, size_t size);

// The file's bytes up to the first NUL, however large the file. Absent (errno) when it cannot be read.
std::optional<std::string> ReadUpToNul(const UniqueFd& file);

// Moves the file or folder `name` from a folder of the spool to its rejected/, with the reason beside it in
// <name>.reason. Gives the name that it has there: another one where that was taken. Absent where it is gone. Throws as
// ThrowErrno; `path` is what is moved, for the words.
std::optional<std::string> MoveToRejected(const UniqueFd& spool, const UniqueFd& from, const std::string& name,
                                          const std::string& path, const std::string& reason);

// Throws StoreError (kPermanent) for `operation` on `path` with what errno says.
[[noreturn]] void ThrowErrno(const std::string& path, const std::string& operation);

}  // namespace flaky

#endif  // FLAKY_SPOOL_SPOOL_FILES_H_
