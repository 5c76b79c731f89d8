#ifndef FLAKY_TESTS_CLI_TERMINAL_H_
#define FLAKY_TESTS_CLI_TERMINAL_H_

#include <sys/types.h>

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace flaky {

// What a terminal shows. It knows only the control characters and sequences that the program uses, and fails the test
// for any other.
class Screen {
 public:
  explicit Screen(size_t width) : width_(width) {}

  void Take(std::string_view bytes);

  // Returns the lines from top to bottom, without blanks and empty lines at their ends. Nothing scrolls away.
  std::vector<std::string> Lines() const;

 private:
  void Put(char c);

  size_t width_;
  std::vector<std::string> rows_ = {""};
  size_t row_ = 0, column_ = 0;
  bool wraps_ = true;
  std::string sequence_;  // incomplete so far
};

// A program on a separate pseudo-terminal.
class Terminal {
 public:
  // Starts `program` with these arguments and, on top of the environment, variables `NAME=VALUE`.
  Terminal(const std::string& program, const std::vector<std::string>& arguments, unsigned short width,
           const std::vector<std::string>& variables = {"TERM=xterm"});
  ~Terminal();
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;

  // Reads until `seen` is true for all that was sent so far. Returns false at the program's end or after half a minute.
  bool ReadUntil(const std::function<bool(const std::string& sent)>& seen);

  // Reads the rest and returns the exit code, or the negative number of the signal that ended the program.
  int End();

  void Type(std::string_view keys) const;
  void Resize(unsigned short width) const;

  // Returns all that was sent.
  const std::string& sent() const { return sent_; }

 private:
  bool ReadMore(int milliseconds);

  int master_ = -1;
  pid_t child_ = -1;
  std::string sent_;
};

}  // namespace flaky

#endif  // FLAKY_TESTS_CLI_TERMINAL_H_
