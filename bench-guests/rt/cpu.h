/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Instructions of the processor that C has no words for. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* The time-stamp counter, in ticks of rt_hip->freq_tsc kHz. Not ordered with what surrounds it. */
static inline uint64_t rt_rdtsc(void)
{
	uint32_t lo, hi;

	__asm__ volatile("rdtsc" : "=a"(lo), "=d"(hi));
	return (uint64_t)hi << 32 | lo;
}

/* For loops that wait for another CPU. The compiler reads memory again behind it. */
static inline void rt_pause(void)
{
	__asm__ volatile("pause" : : : "memory");
}

struct rt_cpuid {
	uint32_t eax, ebx, ecx, edx;
};

static inline struct rt_cpuid rt_cpuid(uint32_t leaf, uint32_t sub)
{
	struct rt_cpuid r;

	__asm__ volatile("cpuid" : "=a"(r.eax), "=b"(r.ebx), "=c"(r.ecx), "=d"(r.edx) : "a"(leaf), "c"(sub));
	return r;
}

/* AMD's, or Hygon's: "Auth", "Hygo". */
static inline bool rt_cpu_is_amd(void)
{
	uint32_t vendor = rt_cpuid(0, 0).ebx;

	return vendor == 0x68747541 || vendor == 0x6f677948;
}
