/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the compiler calls with -fsanitize=thread, before each plain or volatile access and in place of each atomic
 * operation (LLVM's compiler-rt, "tsan_interface"; GCC's options `tsan-distinguish-volatile`). No library is linked:
 * this is all of it.
 */
#include "machine.h"
#include "memory.h"

#include <string.h>

#define PC __builtin_return_address(0)

#define PLAIN(size)                                                      \
	void __tsan_read##size(void *p);                                 \
	void __tsan_read##size(void *p)                                  \
	{                                                                \
		memory_before(p, size, ACCESS_READ, PC);                 \
	}                                                                \
	void __tsan_write##size(void *p);                                \
	void __tsan_write##size(void *p)                                 \
	{                                                                \
		memory_before(p, size, ACCESS_WRITE, PC);                \
	}                                                                \
	void __tsan_unaligned_read##size(void *p);                       \
	void __tsan_unaligned_read##size(void *p)                        \
	{                                                                \
		memory_before(p, size, ACCESS_READ, PC);                 \
	}                                                                \
	void __tsan_unaligned_write##size(void *p);                      \
	void __tsan_unaligned_write##size(void *p)                       \
	{                                                                \
		memory_before(p, size, ACCESS_WRITE, PC);                \
	}                                                                \
	void __tsan_volatile_read##size(void *p);                        \
	void __tsan_volatile_read##size(void *p)                         \
	{                                                                \
		memory_before(p, size, ACCESS_READ | ACCESS_MARKED, PC); \
	}
PLAIN(1)
PLAIN(2)
PLAIN(4)
PLAIN(8)

/* A volatile store is buffered like a plain one, but is no data race. */
#define VOLATILE_WRITE(size)                                              \
	void __tsan_volatile_write##size(void *p);                        \
	void __tsan_volatile_write##size(void *p)                         \
	{                                                                 \
		memory_before(p, size, ACCESS_WRITE | ACCESS_MARKED, PC); \
	}
VOLATILE_WRITE(1)
VOLATILE_WRITE(2)
VOLATILE_WRITE(4)
VOLATILE_WRITE(8)

/* Wider ones and whole structures: word by word. */
static void range(char *p, unsigned long size, unsigned access, const void *pc)
{
	while (size) {
		unsigned long room = 8 - ((unsigned long)p & 7), n = size < room ? size : room;
		memory_before(p, (unsigned)n, access, pc);
		p += n;
		size -= n;
	}
}

void __tsan_read16(void *p);
void __tsan_read16(void *p)
{
	range(p, 16, ACCESS_READ, PC);
}
void __tsan_write16(void *p);
void __tsan_write16(void *p)
{
	range(p, 16, ACCESS_WRITE, PC);
	memory_drain();
}
void __tsan_read_range(void *p, unsigned long size);
void __tsan_read_range(void *p, unsigned long size)
{
	range(p, size, ACCESS_READ, PC);
}
void __tsan_write_range(void *p, unsigned long size);
void __tsan_write_range(void *p, unsigned long size)
{
	range(p, size, ACCESS_WRITE, PC);
	memory_drain();
}

void __tsan_init(void);
void __tsan_init(void) {}
void __tsan_func_entry(void *pc);
void __tsan_func_entry(void *pc)
{
	(void)pc;
}
void __tsan_func_exit(void);
void __tsan_func_exit(void) {}

#define SEQ_CST __ATOMIC_SEQ_CST

#define ATOMIC_RMW(bits, type, name, op)                                             \
	type __tsan_atomic##bits##_##name(volatile type *p, type v, int order);      \
	type __tsan_atomic##bits##_##name(volatile type *p, type v, int order)       \
	{                                                                            \
		(void)order;                                                         \
		memory_before((void *)p, bits / 8, ACCESS_READ | ACCESS_MARKED, PC); \
		memory_locked_write((void *)p, bits / 8, PC);                        \
		type old = *p;                                                       \
		*p = op;                                                             \
		return old;                                                          \
	}

#define ATOMIC(bits, type)                                                                                         \
	type __tsan_atomic##bits##_load(const volatile type *p, int order);                                        \
	type __tsan_atomic##bits##_load(const volatile type *p, int order)                                         \
	{                                                                                                          \
		(void)order;                                                                                       \
		memory_before((void *)p, bits / 8, ACCESS_READ | ACCESS_MARKED, PC);                               \
		return *p;                                                                                         \
	}                                                                                                          \
	void __tsan_atomic##bits##_store(volatile type *p, type v, int order);                                     \
	void __tsan_atomic##bits##_store(volatile type *p, type v, int order)                                      \
	{                                                                                                          \
		memory_before((void *)p, bits / 8, ACCESS_WRITE | ACCESS_MARKED | ACCESS_BY_CALL, PC);             \
		memory_store((void *)p, bits / 8, (uint64_t)v);                                                    \
		if (order == SEQ_CST) /* XCHG */                                                                   \
			memory_drain();                                                                            \
	}                                                                                                          \
	ATOMIC_RMW(bits, type, exchange, v)                                                                        \
	ATOMIC_RMW(bits, type, fetch_add, (type)(old + v))                                                         \
	ATOMIC_RMW(bits, type, fetch_sub, (type)(old - v))                                                         \
	ATOMIC_RMW(bits, type, fetch_and, (type)(old & v))                                                         \
	ATOMIC_RMW(bits, type, fetch_or, (type)(old | v))                                                          \
	ATOMIC_RMW(bits, type, fetch_xor, (type)(old ^ v))                                                         \
	int __tsan_atomic##bits##_compare_exchange_strong(volatile type *p, type *expected, type v, int a, int b); \
	int __tsan_atomic##bits##_compare_exchange_strong(volatile type *p, type *expected, type v, int a, int b)  \
	{                                                                                                          \
		(void)a;                                                                                           \
		(void)b;                                                                                           \
		memory_before((void *)p, bits / 8, ACCESS_READ | ACCESS_MARKED, PC);                               \
		memory_drain();                                                                                    \
		type old = *p;                                                                                     \
		bool same = old == *expected;                                                                      \
		if (same) {                                                                                        \
			memory_locked_write((void *)p, bits / 8, PC);                                              \
			*p = v;                                                                                    \
		}                                                                                                  \
		*expected = old;                                                                                   \
		return same;                                                                                       \
	}                                                                                                          \
	int __tsan_atomic##bits##_compare_exchange_weak(volatile type *p, type *expected, type v, int a, int b);   \
	int __tsan_atomic##bits##_compare_exchange_weak(volatile type *p, type *expected, type v, int a, int b)    \
	{                                                                                                          \
		return __tsan_atomic##bits##_compare_exchange_strong(p, expected, v, a, b);                        \
	}
ATOMIC(8, uint8_t)
ATOMIC(16, uint16_t)
ATOMIC(32, uint32_t)
ATOMIC(64, uint64_t)

void *interleave_memset(void *p, int c, size_t n);
void *interleave_memset(void *p, int c, size_t n)
{
	memory_drain();
	return memset(p, c, n);
}

void __tsan_atomic_thread_fence(int order);
void __tsan_atomic_thread_fence(int order)
{
	if (order == SEQ_CST)
		memory_drain();
}
