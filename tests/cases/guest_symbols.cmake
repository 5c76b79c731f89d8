# SPDX-License-Identifier: MIT

# Compiles the recorder with COMPILER and fails if it refers to a symbol of the C library that a test program could
# define, wrap or preload: to anything but what every C++ program with GoogleTest needs anyway. RECORDER is its source.

set(allowed
  # Of GoogleTest and of C++ itself. The first is the ABI's, which also registers static destructors.
  __cxa_atexit __cxa_pure_virtual __dso_handle __gxx_personality_v0 _Unwind_Resume _GLOBAL_OFFSET_TABLE_ _ZN.* _ZTV.*
  _ZTI.* _ZNK.* _ZSt.* _ZdlPv.*
  # Compilers call these by themselves.
  memchr memcmp memcpy memmove memset strcmp strlen __stack_chk_fail __mem.*_chk
  # A variable, not a function.
  environ)
list(JOIN allowed "|" allowed)

execute_process(COMMAND ${COMPILER} -std=c++17 -O1 -c ${RECORDER} -o ${OBJECT} COMMAND_ERROR_IS_FATAL ANY)
execute_process(COMMAND nm --undefined-only --format=posix ${OBJECT} OUTPUT_VARIABLE symbols COMMAND_ERROR_IS_FATAL ANY)
string(REPLACE "\n" ";" symbols "${symbols}")
set(forbidden "")
foreach(line IN LISTS symbols)
  string(REGEX REPLACE " .*" "" symbol "${line}")
  if(symbol AND NOT symbol MATCHES "^(${allowed})$")
    list(APPEND forbidden ${symbol})
  endif()
endforeach()
if(forbidden)
  list(JOIN forbidden ", " forbidden)
  message(FATAL_ERROR "the recorder calls functions that a test program may replace: ${forbidden}")
endif()
