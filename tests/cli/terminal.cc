// SPDX-License-Identifier: MIT
#include "tests/cli/terminal.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <stdexcept>

namespace flaky {

void Screen::Take(std::string_view bytes) {
  for (const char c : bytes) {
    if (!sequence_.empty() || c == '\x1b') {
      sequence_ += c;
      if (sequence_ == "\x1b[J") {
        rows_.resize(row_ + 1);
        rows_[row_].resize(std::min(rows_[row_].size(), column_));
      } else if (sequence_ == "\x1b[?7l" || sequence_ == "\x1b[?7h") {
        wraps_ = c == 'h';
      } else if (sequence_.size() < 5) {
        continue;
      } else {
        ADD_FAILURE() << "unknown sequence: ESC" << sequence_.substr(1);
      }
      sequence_.clear();
    } else if (c == '\r') {
      column_ = 0;
    } else if (c == '\n') {
      if (++row_ == rows_.size()) rows_.emplace_back();
    } else {
      EXPECT_GE(static_cast<unsigned char>(c), ' ');
      Put(c);
    }
  }
}

void Screen::Put(char c) {
  if (column_ == width_) {
    if (wraps_) {
      column_ = 0;
      if (++row_ == rows_.size()) rows_.emplace_back();
    } else {
      --column_;
    }
  }
  std::string& row = rows_[row_];
  if (row.size() <= column_) row.resize(column_ + 1, ' ');
  row[column_++] = c;
}

std::vector<std::string> Screen::Lines() const {
  std::vector<std::string> lines = rows_;
  for (std::string& line : lines) line.erase(line.find_last_not_of(' ') + 1);
  while (!lines.empty() && lines.back().empty()) lines.pop_back();
  return lines;
}

Terminal::Terminal(const std::string& program, const std::vector<std::string>& arguments, unsigned short width,
                   const std::vector<std::string>& variables) {
  std::vector<char*> argv = {const_cast<char*>(program.c_str())};
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  const winsize size{24, width, 0, 0};
  child_ = ::forkpty(&master_, nullptr, nullptr, &size);
  if (child_ < 0) throw std::runtime_error("no pseudo-terminal");
  if (child_ == 0) {
    for (const std::string& variable : variables) ::putenv(const_cast<char*>(variable.c_str()));
    ::execv(program.c_str(), argv.data());
    ::_exit(127);
  }
}

Terminal::~Terminal() {
  if (child_ > 0) {
    ::kill(child_, SIGKILL);
    ::waitpid(child_, nullptr, 0);
  }
  ::close(master_);
}

bool Terminal::ReadMore(int milliseconds) {
  pollfd ready{master_, POLLIN, 0};
  if (::poll(&ready, 1, milliseconds) != 1) return true;
  char buffer[4096];
  const ssize_t got = ::read(master_, buffer, sizeof buffer);
  if (got <= 0) return false;
  sent_.append(buffer, static_cast<size_t>(got));
  return true;
}

bool Terminal::ReadUntil(const std::function<bool(const std::string& sent)>& seen) {
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(120);
  while (!seen(sent_)) {
    if (std::chrono::steady_clock::now() > until || !ReadMore(100)) return seen(sent_);
  }
  return true;
}

int Terminal::End() {
  while (ReadMore(-1)) {
  }
  int status = 0;
  EXPECT_EQ(::waitpid(child_, &status, 0), child_);
  child_ = -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

void Terminal::Type(std::string_view keys) const {
  EXPECT_EQ(::write(master_, keys.data(), keys.size()), static_cast<ssize_t>(keys.size()));
}

void Terminal::Resize(unsigned short width) const {
  const winsize size{24, width, 0, 0};
  EXPECT_EQ(::ioctl(master_, TIOCSWINSZ, &size), 0);
}

}  // namespace flaky
