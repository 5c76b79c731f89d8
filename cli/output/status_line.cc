// SPDX-License-Identifier: MIT
#include "cli/output/status_line.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <ostream>
#include <string>

namespace flaky {
namespace {

// The cursor waits at the beginning of what is drawn. A terminal that has become narrower may have broken the line into
// several, but then they are below the cursor, so that erasing from there to the end removes all of them.
constexpr std::string_view kErase = "\r\x1b[J";
// Without wrapping, a terminal that becomes narrower at this very moment only cuts the line.
constexpr std::string_view kNoWrap = "\x1b[?7l";
constexpr std::string_view kWrap = "\x1b[?7h";

constexpr size_t kUsualWidth = 80;

}  // namespace

void StatusLine::Print(std::string_view lines) {
  const std::lock_guard lock(mutex_);
  err_ << std::string(drawn_ ? kErase : "").append(lines) << std::flush;
  drawn_ = false;
}

void StatusLine::Draw(std::string_view line) {
  const std::lock_guard lock(mutex_);
  if (line.empty() && !drawn_) return;
  std::string text;
  if (line.empty()) {
    text = kErase;
  } else {
    // Over what is there rather than after erasing it, which would flicker.
    text.append("\r").append(kNoWrap).append(line).append(kWrap).append("\x1b[J\r");
  }
  err_ << text << std::flush;
  drawn_ = !line.empty();
}

size_t ErrorWidth() {
  const pid_t foreground = ::tcgetpgrp(STDERR_FILENO);
  if (foreground > 0 && foreground != ::getpgrp()) return 0;
  winsize size{};
  const bool known = ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
  return known ? size.ws_col : kUsualWidth;
}

}  // namespace flaky
