// SPDX-License-Identifier: MIT

// Everything that follows in the unity source sees these names and macros.
using namespace std;
using namespace testing;
#define None 0L
#define Bool int
#define Status int
