#ifndef FLAKY_CLI_OUTPUT_STATUS_LINE_H_
#define FLAKY_CLI_OUTPUT_STATUS_LINE_H_

#include <cstddef>
#include <iosfwd>
#include <mutex>
#include <string_view>

namespace flaky {

// The program's standard error: messages, and on a terminal one line below them that is drawn anew again and again. Any
// thread may call any member; a message never stands on the drawn line.
class StatusLine {
 public:
  // `err` must outlive the object and be written by nobody else.
  explicit StatusLine(std::ostream& err) : err_(err) {}
  StatusLine(const StatusLine&) = delete;
  StatusLine& operator=(const StatusLine&) = delete;

  // Prints whole lines, with their ends. What was drawn is gone until it is drawn again.
  void Print(std::string_view lines);

  // Draws the text, which has no line end, in place of what is drawn; an empty one takes it away. For terminals only.
  void Draw(std::string_view line);

 private:
  std::mutex mutex_;
  std::ostream& err_;
  bool drawn_ = false;
};

// How many columns standard error's terminal has, 80 if that cannot be known; 0 while another job is in the foreground
// of it, which is not to be disturbed.
size_t ErrorWidth();

}  // namespace flaky

#endif  // FLAKY_CLI_OUTPUT_STATUS_LINE_H_
