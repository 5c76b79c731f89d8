// SPDX-License-Identifier: MIT

// libpqxx 6.4 asks the connection for its encoding before it owns an answer, and forgets the answer (about 2 KB) when
// the connection is broken. For the programs that break many.
extern "C" const char* __lsan_default_suppressions();
extern "C" const char* __lsan_default_suppressions() { return "leak:libpqxx-6.4.so\n"; }
