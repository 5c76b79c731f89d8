// SPDX-License-Identifier: MIT
#ifndef FLAKY_RECORDER_RAW_CALL_H_
#define FLAKY_RECORDER_RAW_CALL_H_

#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>

#if defined(__has_feature)
#if __has_feature(memory_sanitizer)
#include <sanitizer/msan_interface.h>
#define FLAKY_RECORDER_MSAN 1
#endif
#endif

// System calls without the C library. Test programs define, wrap and preload its functions, and must not meet a call
// that is ours.
#pragma GCC visibility push(hidden)
namespace flaky_recorder {

// Tells MemorySanitizer that a raw call has written `size` bytes at `memory`.
inline void NoteWritten([[maybe_unused]] const void* memory, [[maybe_unused]] std::size_t size) {
#if defined(FLAKY_RECORDER_MSAN)
  __msan_unpoison(memory, size);
#endif
}

// Makes a system call. Returns what the kernel returns: a negative errno if the call failed. The processors without
// inline assembly here use the C library's syscall(), which a test program could replace.
inline long RawCall(long number, long a = 0, long b = 0, long c = 0, long d = 0, long e = 0, long f = 0) {
#if defined(__x86_64__) && defined(__LP64__)
  long result;
  register long r10 __asm__("r10") = d;
  register long r8 __asm__("r8") = e;
  register long r9 __asm__("r9") = f;
  __asm__ volatile("syscall"
                   : "=a"(result)
                   : "0"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                   : "rcx", "r11", "memory");
  return result;
#elif defined(__aarch64__) && defined(__LP64__)
  register long x8 __asm__("x8") = number;
  register long x0 __asm__("x0") = a;
  register long x1 __asm__("x1") = b;
  register long x2 __asm__("x2") = c;
  register long x3 __asm__("x3") = d;
  register long x4 __asm__("x4") = e;
  register long x5 __asm__("x5") = f;
  __asm__ volatile("svc #0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5) : "memory");
  return x0;
#elif defined(__riscv) && __riscv_xlen == 64
  register long a7 __asm__("a7") = number;
  register long a0 __asm__("a0") = a;
  register long a1 __asm__("a1") = b;
  register long a2 __asm__("a2") = c;
  register long a3 __asm__("a3") = d;
  register long a4 __asm__("a4") = e;
  register long a5 __asm__("a5") = f;
  __asm__ volatile("ecall" : "+r"(a0) : "r"(a7), "r"(a1), "r"(a2), "r"(a3), "r"(a4), "r"(a5) : "memory");
  return a0;
#else
  const int kept = errno;
  long result = syscall(number, a, b, c, d, e, f);
  if (result == -1) result = -errno;
  errno = kept;
  return result;
#endif
}

inline long Word(const void* pointer) { return reinterpret_cast<long>(pointer); }

// Starts a child with clone(`flags`), on the stack that ends at `stack_top` (aligned to 16 bytes). The child calls
// `run(argument)` and exits with what it returns. Returns the child's pid or a negative errno.
//
// With CLONE_VM | CLONE_VFORK, this process waits until the child calls execve or exits, and no page is copied. The
// child then shares all memory, also that of the thread: it must only make raw calls.
inline long CloneOnStack(unsigned long flags, void* stack_top, int (*run)(void*), void* argument) {
#if defined(__x86_64__) && defined(__LP64__)
  long result;
  register long r10 __asm__("r10") = 0;
  register long r8 __asm__("r8") = 0;
  __asm__ volatile(
      "syscall\n\t"
      "{test %%rax, %%rax|test rax, rax}\n\t"
      "jnz 1f\n\t"
      "{mov %[argument], %%rdi|mov rdi, %[argument]}\n\t"
      "{call *%[run]|call %[run]}\n\t"
      "{mov %%eax, %%edi|mov edi, eax}\n\t"
      "{mov %[exit], %%eax|mov eax, %[exit]}\n\t"
      "syscall\n\t"
      "hlt\n"
      "1:"
      : "=a"(result)
      : "0"(long{SYS_clone}), "D"(flags), "S"(stack_top), "d"(0L), "r"(r10),
        "r"(r8), [run] "r"(run), [argument] "r"(argument), [exit] "i"(SYS_exit)
      : "rcx", "r11", "memory", "cc");
  return result;
#elif defined(__aarch64__) && defined(__LP64__)
  register long x8 __asm__("x8") = SYS_clone;
  register long x0 __asm__("x0") = static_cast<long>(flags);
  register long x1 __asm__("x1") = Word(stack_top);
  register long x2 __asm__("x2") = 0;
  register long x3 __asm__("x3") = 0;
  register long x4 __asm__("x4") = 0;
  __asm__ volatile(
      "svc #0\n\t"
      "cbnz x0, 1f\n\t"
      "mov x0, %[argument]\n\t"
      "blr %[run]\n\t"
      "mov x8, %[exit]\n\t"
      "svc #0\n\t"
      "brk #0\n"
      "1:"
      : "+r"(x0)
      : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), [run] "r"(run), [argument] "r"(argument), [exit] "i"(SYS_exit)
      : "memory", "cc");
  return x0;
#elif defined(__riscv) && __riscv_xlen == 64
  register long a7 __asm__("a7") = SYS_clone;
  register long a0 __asm__("a0") = static_cast<long>(flags);
  register long a1 __asm__("a1") = Word(stack_top);
  register long a2 __asm__("a2") = 0;
  register long a3 __asm__("a3") = 0;
  register long a4 __asm__("a4") = 0;
  __asm__ volatile(
      "ecall\n\t"
      "bnez a0, 1f\n\t"
      "mv a0, %[argument]\n\t"
      "jalr %[run]\n\t"
      "li a7, %[exit]\n\t"
      "ecall\n\t"
      "ebreak\n"
      "1:"
      : "+r"(a0)
      : "r"(a7), "r"(a1), "r"(a2), "r"(a3), "r"(a4), [run] "r"(run), [argument] "r"(argument), [exit] "i"(SYS_exit)
      : "memory");
  return a0;
#else
  const int kept = errno;
  long result = clone(run, stack_top, static_cast<int>(flags), argument);
  if (result == -1) result = -errno;
  errno = kept;
  return result;
#endif
}

}  // namespace flaky_recorder
#pragma GCC visibility pop

#endif  // FLAKY_RECORDER_RAW_CALL_H_
