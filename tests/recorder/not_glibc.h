// SPDX-License-Identifier: MIT
#pragma once

// Included before the recorder, this makes every condition of the recorder take the way of a C library that is not
// GNU's, such as musl. The standard library comes first, because here it is made for the GNU C library.
#include <bits/stdc++.h>

#undef __GLIBC__
#undef __GLIBC_MINOR__
#undef __GLIBC_PREREQ
