/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Measures what expensive instructions cost here, those that user programs may execute, in cycles of the core; writes
 * a file for pathcost.py --weights. The unit comes from a chain of additions of registers, each of which takes one
 * cycle whatever the clock's frequency is; the least of many tries is without interrupts and preemption. All on one
 * CPU: those of a hybrid processor differ.
 */
#define _GNU_SOURCE
#include <cpuid.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <x86intrin.h>

#define REPEAT 256 /* instructions in a row */
#define TRIES 4000
#define STATE_SIZE 16384
#define HWCAP2_FSGSBASE 2 /* the kernel lets programs use them */
#define CPUID_RDTSCP (1u << 27)

/* x87, SSE, AVX, AVX-512: what programs have; not the tiles of AMX, which need leave. */
#define STATE_COMPONENTS 0xe7u

static uint64_t word __attribute__((aligned(64)));
static uint8_t state[STATE_SIZE] __attribute__((aligned(64)));
static uint64_t from[REPEAT], to[REPEAT];

#define STRING_(x) #x
#define STRING(x) STRING_(x)

/* A function that executes some instructions REPEAT times and returns the ticks this took. */
#define SEQUENCE(name, text, ...)                                                                \
	static uint64_t name(void)                                                               \
	{                                                                                        \
		unsigned aux;                                                                    \
		uint64_t start;                                                                  \
                                                                                                 \
		_mm_lfence();                                                                    \
		start = __rdtsc();                                                               \
		_mm_lfence();                                                                    \
		__asm__ volatile(".rept " STRING(REPEAT) "\n\t" text "\n\t.endr" : __VA_ARGS__); \
		return __rdtscp(&aux) - start;                                                   \
	}

SEQUENCE(run_nothing, "", : : "memory")
SEQUENCE(run_chain, "add %%rdx, %%rax", : "d"(word) : "rax", "cc")
SEQUENCE(run_lock, "lock addq $1, %[word]", [word] "+m"(word) : : "cc")
SEQUENCE(run_xchg, "xchg %%rax, %[word]", [word] "+m"(word) : : "rax")
SEQUENCE(run_rdbase, "rdgsbase %%rax", : : "rax")
SEQUENCE(run_wrbase, "wrgsbase %[base]", : [base] "r"(_readgsbase_u64()) : "memory")
SEQUENCE(run_xgetbv, "xgetbv", : "c"(1) : "rax", "rdx")
SEQUENCE(run_xsave, "xsave64 %[area]", [area] "+m"(state) : "a"(STATE_COMPONENTS), "d"(0))
SEQUENCE(run_xrstor, "xrstor64 %[area]", : [area] "m"(state), "a"(STATE_COMPONENTS), "d"(0) : "memory")
SEQUENCE(run_rdtsc, "rdtsc", : : "rax", "rdx")
SEQUENCE(run_mfence, "mfence", : : "memory")
SEQUENCE(run_lfence, "lfence", : : "memory")
SEQUENCE(run_sfence, "sfence", : : "memory")
SEQUENCE(run_pause, "pause", : : "memory")
SEQUENCE(run_div, "xor %%edx, %%edx\n\tmov $1000000, %%eax\n\tdiv %[by]", : [by] "r"(3ul) : "rax", "rdx", "cc")
SEQUENCE(run_rep, "lea %[from], %%rsi\n\tlea %[to], %%rdi\n\tmov $8, %%ecx\n\trep movsq", [to] "+m"(to)
	 : [from] "m"(from)
	 : "rsi", "rdi", "rcx", "memory")
SEQUENCE(run_popf, "pushfq\n\tpopfq", : : "memory", "cc")

static bool always(void)
{
	return true;
}

static bool has_bases(void)
{
	return getauxval(AT_HWCAP2) & HWCAP2_FSGSBASE;
}

static bool has_xsave(void)
{
	unsigned a, b, c, d;

	return __get_cpuid(1, &a, &b, &c, &d) && (c & bit_OSXSAVE);
}

/* XGETBV with ECX 1, and an area that is large enough. */
static bool has_xgetbv1(void)
{
	unsigned a, b, c, d;

	return has_xsave() && __get_cpuid_count(0xd, 1, &a, &b, &c, &d) && (a & 4);
}

static bool state_fits(void)
{
	unsigned a, b, c, d;

	return has_xsave() && __get_cpuid_count(0xd, 0, &a, &b, &c, &d) && b <= STATE_SIZE;
}

/* The sequences themselves take the time with RDTSCP. */
static bool has_rdtscp(void)
{
	unsigned a, b, c, d;

	return __get_cpuid(0x80000001, &a, &b, &c, &d) && (d & CPUID_RDTSCP);
}

static bool in_virtual_machine(void)
{
	unsigned a, b, c, d;

	return __get_cpuid(1, &a, &b, &c, &d) && (c >> 31);
}

/* DIV, REP and POPF with what they need around them, which is little. */
static const struct {
	const char *kind;
	bool (*possible)(void);
	uint64_t (*run)(void), (*other)(void); /* the kind costs what the dearer of both does */
} measurements[] = {
	{"lock", always, run_lock, run_xchg},     {"rdbase", has_bases, run_rdbase, NULL},
	{"wrbase", has_bases, run_wrbase, NULL},  {"xsave", state_fits, run_xsave, NULL},
	{"xrstor", state_fits, run_xrstor, NULL}, {"xgetbv", has_xgetbv1, run_xgetbv, NULL},
	{"rdtsc", always, run_rdtsc, NULL},       {"mfence", always, run_mfence, NULL},
	{"lfence", always, run_lfence, NULL},     {"sfence", always, run_sfence, NULL},
	{"pause", always, run_pause, NULL},       {"popf", always, run_popf, NULL},
	{"rep", always, run_rep, NULL},           {"div", always, run_div, NULL},
};

/* Cycles of one of the instructions. The chain runs in between, so that both see the same frequency. */
static double cycles(uint64_t (*run)(void))
{
	uint64_t least = UINT64_MAX, chain = UINT64_MAX, nothing = UINT64_MAX;

	for (unsigned i = 0; i < TRIES; i++) {
		uint64_t t = run(), c = run_chain(), n = run_nothing();

		least = t < least ? t : least;
		chain = c < chain ? c : chain;
		nothing = n < nothing ? n : nothing;
	}
	if (chain <= nothing) {
		fprintf(stderr, "measure-weights: the clock is too coarse\n");
		exit(1);
	}
	return least > nothing ? (double)(least - nothing) / (double)(chain - nothing) : 0;
}

static void print_brand(void)
{
	unsigned brand[13] = {0};

	for (unsigned i = 0; i < 3; i++)
		__get_cpuid(0x80000002 + i, &brand[4 * i], &brand[4 * i + 1], &brand[4 * i + 2], &brand[4 * i + 3]);
	for (const char *p = (const char *)brand; *p; p++)
		putchar(*p < ' ' || *p > '~' || *p == '"' || *p == '\\' ? '?' : *p);
}

static void print_signature(void)
{
	unsigned a = 0, b, c, d, family, model;

	__get_cpuid(1, &a, &b, &c, &d);
	family = a >> 8 & 15;
	model = (a >> 4 & 15) | (family == 6 || family == 15 ? a >> 12 & 0xf0 : 0);
	printf(", family %u, model %u, stepping %u", family == 15 ? family + (a >> 20 & 255) : family, model, a & 15);
}

/* If that is refused, the figures may be those of several kinds of CPUs, which is no reason to have none. */
static void stay_here(void)
{
	cpu_set_t here;

	CPU_ZERO(&here);
	CPU_SET(sched_getcpu() < 0 ? 0 : (unsigned)sched_getcpu(), &here);
	if (sched_setaffinity(0, sizeof(here), &here))
		perror("measure-weights: cannot stay on one CPU");
}

static void print_weights(void)
{
	const char *where =
		in_virtual_machine() ? "measured on this machine, in a virtual machine" : "measured on this machine";
	const char *separator = "";

	for (size_t i = 0; i < sizeof(measurements) / sizeof(measurements[0]); i++) {
		double cost, other;

		if (!measurements[i].possible())
			continue;
		cost = cycles(measurements[i].run);
		other = measurements[i].other ? cycles(measurements[i].other) : 0;
		printf("%s\t\t\"%s\": {\"cycles\": %.1f, \"source\": \"%s\"}", separator, measurements[i].kind,
		       cost > other ? cost : other, where);
		separator = ",\n";
	}
}

int main(int argc, char **argv)
{
	if (argc > 1) {
		bool help = !strcmp(argv[1], "--help");

		fprintf(help ? stdout : stderr,
			"usage: measure-weights >FILE.json; then pathcost.py --weights FILE.json\n");
		return help ? 0 : 2;
	}
	if (!has_rdtscp()) {
		fprintf(stderr, "measure-weights: this CPU has no RDTSCP\n");
		return 1;
	}
	stay_here();
	if (state_fits())
		_xsave64(state, STATE_COMPONENTS);
	printf("{\n\t\"microarchitecture\": \"");
	print_brand();
	print_signature();
	printf("\",\n\t\"base\": \"icelake\",\n\t\"weights\": {\n");
	print_weights();
	printf("\n\t}\n}\n");
	if (fflush(stdout) || ferror(stdout)) {
		perror("measure-weights: writing the result");
		return 1;
	}
	return 0;
}
