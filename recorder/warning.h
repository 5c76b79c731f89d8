#ifndef FLAKY_RECORDER_WARNING_H_
#define FLAKY_RECORDER_WARNING_H_

#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <initializer_list>
#include <string_view>

#include "fixed_text.h"

#pragma GCC visibility push(hidden)
namespace flaky_recorder {

// Within its scope, a write to a closed pipe or beyond the file size limit fails without the signal that would kill the
// program.
class WriteSignalsBlocked {
 public:
  WriteSignalsBlocked() {
    sigemptyset(&ours_);
    sigaddset(&ours_, SIGPIPE);
    sigaddset(&ours_, SIGXFSZ);
    sigset_t pending;
    sigpending(&pending);
    // Leave signals that were already pending.
    for (const int signal : {SIGPIPE, SIGXFSZ}) {
      if (sigismember(&pending, signal) == 1) sigdelset(&ours_, signal);
    }
    pthread_sigmask(SIG_BLOCK, &ours_, &before_);
  }
  WriteSignalsBlocked(const WriteSignalsBlocked&) = delete;
  WriteSignalsBlocked& operator=(const WriteSignalsBlocked&) = delete;
  ~WriteSignalsBlocked() {
    const timespec at_once{};
    while (sigtimedwait(&ours_, nullptr, &at_once) > 0 || errno == EINTR) {
    }
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }

 private:
  sigset_t ours_;
  sigset_t before_;
};

// The one line that the recorder may write to stderr: `flaky: ` and all added phrases.
class Warning {
 public:
  // Remembers which file stderr is, because a test may close it and open another file in its place.
  void Prepare() { known_ = fstat(STDERR_FILENO, &stderr_) == 0; }

  void Silence() { silent_ = true; }

  // Adds a phrase. Control characters become `?`, so that a terminal does not obey them.
  void Add(std::initializer_list<std::string_view> pieces) {
    if (!text_.empty()) text_ += "; ";
    for (const std::string_view piece : pieces) {
      for (const char c : piece) {
        const bool control = static_cast<unsigned char>(c) < 0x20 || c == 0x7F;
        text_ += control ? std::string_view("?") : std::string_view(&c, 1);
      }
    }
  }

  // Writes the line, unless there is no phrase, a line was already written, stderr is now another file, or stderr would
  // block.
  void Write() {
    if (text_.empty() || silent_ || written_ || !known_) return;
    struct stat now;
    if (fstat(STDERR_FILENO, &now) != 0 || now.st_dev != stderr_.st_dev || now.st_ino != stderr_.st_ino) return;
    pollfd ready = {STDERR_FILENO, POLLOUT, 0};
    if (poll(&ready, 1, 100) != 1 || (ready.revents & POLLOUT) == 0) return;
    written_ = true;
    FixedText<kLongestLine + 16> line;
    line += "flaky: ";
    line += text_.view();
    line += "\n";
    const WriteSignalsBlocked blocked;
    if (write(STDERR_FILENO, line.c_str(), line.view().size()) < 0) return;  // there is nowhere else to report it
  }

 private:
  static constexpr std::size_t kLongestLine = 1024;

  FixedText<kLongestLine> text_;
  struct stat stderr_ = {};
  bool known_ = false;
  bool silent_ = false;
  bool written_ = false;
};

}  // namespace flaky_recorder
#pragma GCC visibility pop

#endif  // FLAKY_RECORDER_WARNING_H_
