#ifndef FLAKY_TESTS_SUPPORT_JOURNAL_TEXT_H_
#define FLAKY_TESTS_SUPPORT_JOURNAL_TEXT_H_

#include <sys/stat.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include "history/text.h"

// Writes journals in the recorder's format (docs/reference/journal.md) without the recorder.
namespace flaky {

// Returns an id of 32 hexadecimal digits for a number.
inline std::string TestId(uint64_t number) {
  char id[33];
  std::snprintf(id, sizeof id, "%032llx", static_cast<unsigned long long>(number));
  return id;
}

inline std::string JsonText(const std::string& text) {
  std::string json;
  AppendJson(json, text);
  return json;
}

// A header. Each field's value is JSON text. Fields can be set and removed by name.
class HeaderText {
 public:
  explicit HeaderText(uint64_t number) {
    fields_ = {{"flaky_journal", "1"},
               {"journal_id", '"' + TestId(number) + '"'},
               {"process_run_id", '"' + TestId(number + 0x1000000) + '"'},
               {"pid", "4194303"},
               {"pid_seen", "1"},
               {"started_us", "1700000000000000"},
               {"cwd", R"("/nowhere/build")"},
               {"args", R"(["/nowhere/build/my_tests"])"},
               {"compiler", R"("GCC 12.2.0")"},
               {"system", R"("Linux 6.1.0 x86_64")"},
               {"tests_to_run", "2"}};
  }
  HeaderText& Set(const std::string& name, const std::string& json) {
    fields_[name] = json;
    return *this;
  }
  HeaderText& SetText(const std::string& name, const std::string& text) { return Set(name, JsonText(text)); }
  HeaderText& Remove(const std::string& name) {
    fields_.erase(name);
    return *this;
  }
  std::string Line() const {
    std::string line;
    for (const auto& [name, json] : fields_) line += (line.empty() ? "{\"" : ",\"") + name + "\":" + json;
    return line + "}\n";
  }

 private:
  std::map<std::string, std::string> fields_;
};

// Returns the header of a process that has ended, in this boot, so that its pid is meaningful. The pid is greater than
// the largest one that Linux uses.
inline HeaderText DeadHeader(uint64_t number) {
  std::string boot_id;
  std::ifstream("/proc/sys/kernel/random/boot_id") >> boot_id;
  struct stat ns {};
  stat("/proc/self/ns/pid", &ns);
  return HeaderText(number).SetText("boot_id", boot_id).Set("pid_ns", std::to_string(ns.st_ino)).Set("pid", "99999999");
}

inline const std::string kPassedEnd = R"({"end_us":90210,"passed":true})"
                                      "\n";
inline const std::string kFailedEnd = R"({"end_us":90210,"passed":false})"
                                      "\n";

// Returns the contents of `path`. Throws if the file does not exist.
inline std::string ReadWholeFile(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  in.exceptions(std::ios::badbit | std::ios::failbit);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

inline void WriteWholeFile(const std::filesystem::path& path, const std::string& bytes) {
  std::filesystem::create_directories(path.parent_path());
  std::ofstream out(path, std::ios::binary);
  out.exceptions(std::ios::badbit | std::ios::failbit);
  out << bytes;
}

// Puts a journal into a spool in one step, so that no reader sees half of it.
inline void PutJournal(const std::filesystem::path& spool, uint64_t number, const std::string& bytes) {
  const std::filesystem::path file = spool / (TestId(number) + ".jsonl");
  WriteWholeFile(file.string() + ".new", bytes);
  std::filesystem::rename(file.string() + ".new", file);
}

}  // namespace flaky

#endif  // FLAKY_TESTS_SUPPORT_JOURNAL_TEXT_H_
