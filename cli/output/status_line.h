#ifndef FLAKY_CLI_OUTPUT_STATUS_LINE_H_
#define FLAKY_CLI_OUTPUT_STATUS_LINE_H_

#include <cstddef>
#include <iosfwd>
#include <mutex>
#include <string_view>

namespace flaky {

// The program's standard error: messages and, on a terminal, one line under them that is redrawn repeatedly. Any thread
// may call any member. Messages never overwrite the drawn line.
class StatusLine {
 public:
  // `err` must outlive the object, and only this object may write to it.
  explicit StatusLine(std::ostream& err) : err_(err) {}
  StatusLine(const StatusLine&) = delete;
  StatusLine& operator=(const StatusLine&) = delete;

  // Prints complete lines, including their line ends. Removes the drawn line until the next Draw.
  void Print(std::string_view lines);

  // Replaces the drawn line with `line`, which has no line end; an empty text removes it. For terminals only.
  void Draw(std::string_view line);

 private:
  std::mutex mutex_;
  std::ostream& err_;
  bool drawn_ = false;
};

// Returns the number of columns of standard error's terminal: 80 if it is unknown, and 0 while another job is in the
// foreground of the terminal, because that job must not be disturbed.
size_t ErrorWidth();

}  // namespace flaky

#endif  // FLAKY_CLI_OUTPUT_STATUS_LINE_H_
