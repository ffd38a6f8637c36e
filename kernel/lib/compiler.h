/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Attributes and hints, spelled once. */
#pragma once

#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)

#define must_check __attribute__((warn_unused_result))
#define cold __attribute__((__cold__, __noinline__))
#define hot __attribute__((hot))
#define noinline __attribute__((noinline))
#if __has_attribute(noipa)
#define keep_arguments __attribute__((noipa)) /* those without a use, too, in the order given */
#else
#define keep_arguments noinline
#endif
#define always_inline inline __attribute__((always_inline))
#define packed __attribute__((packed))
#define aligned(n) __attribute__((aligned(n)))
#define section(name) __attribute__((section(name)))
#define printf_like(f, a) __attribute__((format(printf, f, a)))
#define unreachable() __builtin_unreachable()

#define barrier() __asm__ volatile("" ::: "memory")

#define array_size(a) (sizeof(a) / sizeof((a)[0]))
#define container_of(ptr, type, member) ((type *)((char *)(ptr)-offsetof(type, member)))

/* A plain load or store that the compiler may not merge, split or repeat. */
#ifdef __SANITIZE_THREAD__ /* takes volatile accesses for plain ones */
#define READ_ONCE(x) __atomic_load_n(&(x), __ATOMIC_RELAXED)
#define WRITE_ONCE(x, v) __atomic_store_n(&(x), v, __ATOMIC_RELAXED)
#else
#define READ_ONCE(x) (*(const volatile __typeof__(x) *)&(x))
#define WRITE_ONCE(x, v) (*(volatile __typeof__(x) *)&(x) = (v))
#endif
