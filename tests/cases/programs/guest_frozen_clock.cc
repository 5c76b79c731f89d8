// SPDX-License-Identifier: MIT

// A library to preload, with which no time passes for the program.

#include <sys/time.h>
#include <time.h>

extern "C" {
int clock_gettime(clockid_t, timespec* time) {
  *time = {1600000000, 0};
  return 0;
}
int gettimeofday(timeval* time, void*) {
  *time = {1600000000, 0};
  return 0;
}
time_t time(time_t*) { return 1600000000; }
}
