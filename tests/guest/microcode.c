/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Microcode updates: nothing reaches the processor that is not a whole update, in memory that user land may have, for
 * just this processor.
 *
 * Updates are made up here, so each is refused in the end: by the kernel, or by the processor, which wants a
 * signature. What the processor is decides how: BAD_FTR where there is no such thing (Intel and AMD have different
 * formats), BAD_PAR where a processor keeps its revision. Whatever is wrong with the argument comes first, on any
 * processor.
 */
#include "guest.h"

#include "rt/cpu.h"
#include "rt/hip.h"
#include "rt/panic.h"
#include "rt/pool.h"
#include "rt/size.h"
#include "rt/start.h"
#include "rt/string.h"
#include "rt/thread.h"

#define MSR_PLATFORM_ID 0x17
#define MSR_REVISION 0x8b
#define HEADER 48u
#define SIZE_MAX_ARG 0x200000ul
#define BLOB_PAGES (SIZE_MAX_ARG / RT_PAGE + 1)

/* Words of a header. */
enum {
	VERSION,
	REVISION,
	DATE,
	SIGNATURE,
	CHECKSUM,
	LOADER,
	PLATFORMS,
	DATA_SIZE,
	TOTAL_SIZE,
	HEADER_WORDS = HEADER / 4
};
/* Words of the table behind the data, and of its entries. */
enum { COUNT, EXT_CHECKSUM, EXT_WORDS = 5, ENTRY_WORDS = 3 };

static uint32_t *blob; /* room for the largest, at the start of a page */

static bool is_intel(void)
{
	struct rt_cpuid l = rt_cpuid(0, 0);

	return l.ebx == 0x756e6547 && l.edx == 0x49656e69 && l.ecx == 0x6c65746e;
}

static bool is_amd(void)
{
	return rt_cpuid(0, 0).ebx == 0x68747541;
}

/* 0: none, or the processor does not say. AMD's is in the low half. */
static uint32_t revision(void)
{
	unsigned long v;

	return hc_msr_read(MSR_REVISION, &v) == SUCCESS ? (uint32_t)(v >> (is_amd() ? 0 : 32)) : 0;
}

static bool has_revision(void)
{
	unsigned long v;

	return hc_msr_read(MSR_REVISION, &v) == SUCCESS;
}

static uint32_t platform_bit(void)
{
	unsigned long v;

	return 1u << (hc_msr_read(MSR_PLATFORM_ID, &v) == SUCCESS ? v >> 50 & 7 : 0);
}

/* Registers stay as they are, and so does the revision unless it is SUCCESS. */
static enum status load_at(uint64_t pa, unsigned long size)
{
	struct hc_regs r = {HC_ARG1(HC_MACHINE_CTRL, MACHINE_CTRL_MICROCODE, size), pa, 0x33, 0x44, 0x55};
	uint32_t before = revision();
	enum status st = hc_raw(&r);

	EXPECT_EQ(r.rsi, pa);
	EXPECT_EQ(r.rdx, 0x33);
	EXPECT_EQ(r.rax, 0x44);
	EXPECT_EQ(r.r8, 0x55);
	if (st != SUCCESS)
		EXPECT_EQ(revision(), before);
	return st;
}

static enum status load(unsigned long size)
{
	return load_at(rt_phys(blob), size);
}

static void seal_words(uint32_t *words, uint32_t bytes, unsigned at)
{
	uint32_t sum = 0;

	words[at] = 0;
	for (uint32_t i = 0; i < bytes / 4; i++)
		sum += words[i];
	words[at] = -sum;
}

static void seal(void)
{
	seal_words(blob, blob[DATA_SIZE] ? blob[TOTAL_SIZE] : 2048, CHECKSUM);
}

static void provide(void)
{
	if (!blob)
		blob = rt_pages_aligned(BLOB_PAGES, 1);
	if (!blob)
		rt_panic("out of memory");
}

/* A sound one for this processor, newer than what it has. */
static void make(uint32_t data_size, uint32_t total_size)
{
	provide();
	memset(blob, 0, data_size ? total_size : 2048);
	for (uint32_t i = 0; i < (data_size ? data_size : 2000) / 4; i++)
		blob[HEADER_WORDS + i] = (uint32_t)guest_random();
	blob[VERSION] = blob[LOADER] = 1;
	blob[REVISION] = revision() + 0x1000;
	blob[DATE] = 0x01022024;
	blob[SIGNATURE] = rt_cpuid(1, 0).eax;
	blob[PLATFORMS] = platform_bit();
	blob[DATA_SIZE] = data_size;
	blob[TOTAL_SIZE] = total_size;
	seal();
}

/* What a sound update for this processor leads to. */
static enum status refusal(void)
{
	return is_intel() && has_revision() ? BAD_PAR : BAD_FTR;
}

static void not_passthrough(void)
{
	struct agent a;
	struct hc_regs r;

	make(2000, 2048);
	agent_make(&a);
	r = (struct hc_regs){HC_ARG1(HC_MACHINE_CTRL, MACHINE_CTRL_MICROCODE, 2048), rt_phys(blob), 0, 0, 0};
	ASSERT_ST(agent_hc(&a, &r), BAD_CAP);
	r = (struct hc_regs){HC_ARG1(HC_MACHINE_CTRL, MACHINE_CTRL_MICROCODE, ~0ul >> 12), ~0ul, 0, 0, 0};
	ASSERT_ST(agent_hc(&a, &r), BAD_CAP);
}

static void sound(void)
{
	make(2000, 2048);
	ASSERT_ST(load(2048), refusal());
	ASSERT_ST(load(2064), refusal()); /* the rest of the memory does not matter */
	make(0, 0);
	ASSERT_ST(load(2048), refusal());
	make(0, 77); /* without the one size the other does not count */
	ASSERT_ST(load(2048), refusal());
	make(4, 1024);
	ASSERT_ST(load(1024), refusal());
}

static void largest(void)
{
	make(SIZE_MAX_ARG - HEADER, SIZE_MAX_ARG);
	ASSERT_ST(load(SIZE_MAX_ARG), refusal());
	ASSERT_ST(load(SIZE_MAX_ARG + 1), BAD_PAR);
	ASSERT_ST(load(SIZE_MAX_ARG - 1), BAD_PAR);
	blob[SIZE_MAX_ARG / 4 - 1] ^= 0x80000000;
	ASSERT_ST(load(SIZE_MAX_ARG), BAD_PAR);
}

static void sizes(void)
{
	make(2000, 2048);
	for (unsigned long size = 0; size < 2048; size += size < 64 ? 1 : 61)
		ASSERT_ST(load(size), BAD_PAR);
	ASSERT_ST(load(2047), BAD_PAR);
	for (unsigned b = 22; b < 41; b++)
		ASSERT_ST(load(1ul << b | 2048), BAD_PAR);
	ASSERT_ST(load(1ul << 41 | 2048), refusal()); /* bits 63:53 of ARG1 mean nothing */
}

/* An update may lie at each multiple of 16, across pages as it likes. */
static void alignment(void)
{
	uint8_t copy[2048], *bytes;

	make(2000, 2048);
	bytes = (uint8_t *)blob;
	memcpy(copy, blob, sizeof(copy));
	for (unsigned at = 0; at < 2 * RT_PAGE; at += 16 * 37) {
		memcpy(bytes + at, copy, sizeof(copy));
		ASSERT_ST(load_at(rt_phys(blob) + at, 2048), refusal());
		bytes[at + 2047] ^= 1;
		ASSERT_ST(load_at(rt_phys(blob) + at, 2048), BAD_PAR);
	}
	for (unsigned at = 1; at < 16; at++) {
		memcpy(bytes + at, copy, sizeof(copy));
		ASSERT_ST(load_at(rt_phys(blob) + at, 2048), BAD_PAR);
	}
}

static void addresses(void)
{
	unsigned long end = 1ul << (rt_cpuid(0x80000008, 0).eax & 0xff);

	ASSERT_ST(load_at(end, 2048), BAD_PAR);
	ASSERT_ST(load_at(end - 1024, 2048), BAD_PAR);
	ASSERT_ST(load_at(1ul << 52, 2048), BAD_PAR);
	ASSERT_ST(load_at(1ul << 63, 2048), BAD_PAR);
	ASSERT_ST(load_at(-2048ul, 2048), BAD_PAR);
	ASSERT_ST(load_at(-1024ul, 2048), BAD_PAR);
	ASSERT_ST(load_at(-16ul, 48), BAD_PAR);
}

/* Not one byte of the kernel's memory: neither is it read, nor does a status tell what is there. */
static void kernel_memory(void)
{
	unsigned seen = 0;

	for (unsigned i = 0; i < rt_mem_count(); i++) {
		const struct hip_mem *m = &rt_hip->mem[i];

		if (m->type != (uint32_t)HIP_MEM_HYPERVISOR)
			continue;
		seen++;
		ASSERT_ST(load_at(m->addr, 2048), BAD_PAR);
		ASSERT_ST(load_at(m->addr - 16, 2048), BAD_PAR);
		ASSERT_ST(load_at(m->addr + m->size - 16, 2048), BAD_PAR);
		ASSERT_ST(load_at(m->addr - SIZE_MAX_ARG + 16, SIZE_MAX_ARG), BAD_PAR);
	}
	ASSERT(seen > 0);
}

static void spoil(unsigned word, uint32_t value)
{
	make(2000, 2048);
	blob[word] = value;
	seal();
	if (load(2048) != BAD_PAR)
		test_fail(__FILE__, __LINE__, "word %u of the header may be %#x", word, value);
}

static void headers(void)
{
	spoil(VERSION, 0);
	spoil(VERSION, 2);
	spoil(VERSION, 0x10001);
	spoil(LOADER, 0);
	spoil(LOADER, 2);
	spoil(REVISION, 0);
	spoil(DATA_SIZE, 2004);
	spoil(DATA_SIZE, 1999);
	spoil(DATA_SIZE, 1998);
	spoil(DATA_SIZE, -4u);
	spoil(DATA_SIZE, -HEADER);
	spoil(DATA_SIZE, 1u << 31);
}

/* Sizes are checked before anything is added up. */
static void total_sizes(void)
{
	static const uint32_t bad[] = {0, 48, 1024, 2047, 2044, 3072, 4096, 0x80000000, -1024u};

	for (unsigned i = 0; i < RT_ARRAY(bad); i++) {
		make(2000, 2048);
		blob[TOTAL_SIZE] = bad[i];
		seal_words(blob, 2048, CHECKSUM);
		ASSERT_ST(load(2048), BAD_PAR);
	}
}

static void checksums(void)
{
	make(2000, 2048);
	for (unsigned i = 0; i < 2048 * 8; i += 13) {
		uint8_t *byte = (uint8_t *)blob + i / 8;

		*byte ^= (uint8_t)(1 << i % 8);
		ASSERT_ST(load(2048), BAD_PAR);
		*byte ^= (uint8_t)(1 << i % 8);
	}
	ASSERT_ST(load(2048), refusal());
}

static void other_processors(void)
{
	make(2000, 2048);
	for (unsigned b = 0; b < 28; b++) {
		blob[SIGNATURE] ^= 1u << b;
		seal();
		ASSERT_ST(load(2048), refusal());
		blob[SIGNATURE] ^= 1u << b;
	}
	blob[PLATFORMS] = ~platform_bit();
	seal();
	ASSERT_ST(load(2048), refusal());
	blob[PLATFORMS] = 0;
	seal();
	ASSERT_ST(load(2048), refusal());
}

/* The revision that the processor has: there is nothing to do. For that it must be the right processor. */
static void same_revision(void)
{
	uint32_t now = revision();

	if (!is_intel() || !now)
		SKIP("this processor has no revision");
	make(2000, 2048);
	blob[REVISION] = now;
	seal();
	ASSERT_ST(load(2048), SUCCESS);
	blob[PLATFORMS] = ~platform_bit();
	seal();
	ASSERT_ST(load(2048), BAD_PAR);
	blob[SIGNATURE] ^= 0x10;
	blob[PLATFORMS] = platform_bit();
	seal();
	ASSERT_ST(load(2048), BAD_PAR);
	ASSERT_EQ(revision(), now);
}

#define EXT_DATA 976 /* the table starts at a multiple of 1024 */

/* The table adds up to 0 by itself, so the header's checksum is the same with it and without. */
static void seal_extension(uint32_t *ext, uint32_t entries)
{
	seal_words(ext, (EXT_WORDS + entries * ENTRY_WORDS) * 4, EXT_CHECKSUM);
}

/* An update for another processor; the last entry of the table is this one. */
static uint32_t *extend(uint32_t entries)
{
	uint32_t *ext, sum;

	make(EXT_DATA, 2048);
	blob[SIGNATURE] ^= 0x10;
	if (revision())
		blob[REVISION] = revision();
	seal();
	sum = blob[SIGNATURE] + blob[PLATFORMS] + blob[CHECKSUM];
	ext = blob + (HEADER + EXT_DATA) / 4;
	ext[COUNT] = entries;
	for (uint32_t i = 0; i < entries; i++) {
		uint32_t *e = ext + EXT_WORDS + i * ENTRY_WORDS;

		e[0] = i == entries - 1 ? rt_cpuid(1, 0).eax : 0x1000 + i;
		e[1] = platform_bit();
		e[2] = sum - e[0] - e[1];
	}
	seal_extension(ext, entries);
	return ext;
}

static void more_signatures(void)
{
	bool same = is_intel() && revision();

	for (uint32_t entries = 1; entries <= 83; entries += 41) {
		uint32_t *ext = extend(entries), *last = ext + EXT_WORDS + (entries - 1) * ENTRY_WORDS;

		ASSERT_ST(load(2048), same ? SUCCESS : refusal());
		last[0] ^= 0x20; /* nobody's */
		last[2] += blob[SIGNATURE] + blob[PLATFORMS] + blob[CHECKSUM] - last[0] - last[1] - last[2];
		seal_extension(ext, entries);
		ASSERT_ST(load(2048), refusal());
		ext[EXT_CHECKSUM]++;
		seal();
		ASSERT_ST(load(2048), BAD_PAR);
		ext = extend(entries);
		last[2]++;
		seal_extension(ext, entries);
		seal();
		ASSERT_ST(load(2048), BAD_PAR);
	}
}

static void too_many_signatures(void)
{
	static const uint32_t counts[] = {84, 85, 0x15555556, 0x55555555, 0x80000000, ~0u};

	for (unsigned i = 0; i < RT_ARRAY(counts); i++) {
		uint32_t *ext = extend(1);

		ext[COUNT] = counts[i];
		seal_extension(ext, 1);
		seal();
		ASSERT_ST(load(2048), BAD_PAR);
	}
}

/* What is used is what was checked, also while somebody writes. */
static volatile unsigned long writing;

static void scribble(void *arg)
{
	volatile uint32_t *word = arg;

	while (writing) {
		*word = 0xfffffffc;
		*word = 1u << 20;
		*word = 2000;
	}
}

static void changing(void)
{
	struct rt_ec ec = {.cpu = rt_cpu_other()};

	if (ec.cpu == HEDRON_CPU_MAX)
		SKIP("one CPU only");
	make(2000, 2048);
	writing = 1;
	ASSERT_OK(rt_thread(&ec, RT_PRIO, scribble, &blob[DATA_SIZE]));
	for (unsigned i = 0; i < 20000; i++) {
		enum status st = load(2048);

		ASSERT(st == BAD_PAR || st == refusal());
	}
	writing = 0;
}

/* Words of a container for one kind of AMD's processors, and a single patch in it. */
enum {
	MAGIC,
	TABLE_TYPE,
	TABLE_SIZE,
	ENTRY_SIGNATURE,
	ENTRY_NUMBER = ENTRY_SIGNATURE + 3,
	PATCH_TYPE = ENTRY_SIGNATURE + 8, /* behind the entry that ends the table */
	PATCH_SIZE,
	PATCH_REVISION = PATCH_SIZE + 2,
	PATCH_NUMBER = PATCH_SIZE + 7,
	PATCH_BYTES = 3200,
	CONTAINER_BYTES = (PATCH_SIZE + 1) * 4 + PATCH_BYTES
};

#define NUMBER 0x8012

/* A sound one for this processor. */
static void make_container(uint32_t patch_revision)
{
	provide();
	memset(blob, 0, CONTAINER_BYTES);
	for (unsigned i = PATCH_SIZE + 17; i < CONTAINER_BYTES / 4; i++)
		blob[i] = (uint32_t)guest_random();
	blob[MAGIC] = 0x00414d44;
	blob[TABLE_SIZE] = 32;
	blob[ENTRY_SIGNATURE] = rt_cpuid(1, 0).eax;
	blob[ENTRY_NUMBER] = NUMBER;
	blob[PATCH_TYPE] = 1;
	blob[PATCH_SIZE] = PATCH_BYTES;
	blob[PATCH_REVISION] = patch_revision;
	blob[PATCH_NUMBER] = NUMBER;
}

/* What a sound container leads to, unless the processor has the revision already. */
static enum status container_refusal(void)
{
	return is_amd() && has_revision() ? BAD_PAR : BAD_FTR;
}

static void container_sound(void)
{
	make_container(revision() + 1);
	ASSERT_ST(load(CONTAINER_BYTES), container_refusal());
	make_container(~0u);
	ASSERT_ST(load(CONTAINER_BYTES), container_refusal());
}

/* There is nothing to do if it is the right processor, also where this is found late in the memory. */
static void container_known(void)
{
	uint32_t now = revision();

	if (!is_amd() || !now)
		SKIP("no processor of AMD's with a revision");
	make_container(now);
	ASSERT_ST(load(CONTAINER_BYTES), SUCCESS);
	memcpy((uint8_t *)blob + CONTAINER_BYTES, blob, CONTAINER_BYTES);
	blob[ENTRY_SIGNATURE] ^= 0x10;
	ASSERT_ST(load(CONTAINER_BYTES), BAD_PAR);
	ASSERT_ST(load(2 * CONTAINER_BYTES), SUCCESS);
	make_container(now);
	blob[PATCH_NUMBER]++;
	ASSERT_ST(load(CONTAINER_BYTES), BAD_PAR);
	ASSERT_EQ(revision(), now);
}

static void container_damaged(void)
{
	static const struct {
		unsigned word;
		uint32_t value;
	} bad[] = {{TABLE_TYPE, 1},
		   {TABLE_SIZE, 0},
		   {TABLE_SIZE, 16},
		   {TABLE_SIZE, -16u},
		   {PATCH_TYPE, 2},
		   {PATCH_SIZE, 63},
		   {PATCH_SIZE, PATCH_BYTES + 1},
		   {PATCH_SIZE, ~0u},
		   {PATCH_TYPE, 0},
		   {PATCH_REVISION, 0},
		   {ENTRY_SIGNATURE + 4, 1}};

	for (unsigned i = 0; i < RT_ARRAY(bad); i++) {
		make_container(revision());
		blob[bad[i].word] = bad[i].value;
		if (load(CONTAINER_BYTES) != BAD_PAR)
			test_fail(__FILE__, __LINE__, "word %u of a container may be %#x", bad[i].word, bad[i].value);
	}
	make_container(revision() + 1);
	ASSERT_ST(load(CONTAINER_BYTES - 1), BAD_PAR);
	ASSERT_ST(load(CONTAINER_BYTES + 4), BAD_PAR);
	ASSERT_ST(load(HEADER), BAD_PAR);
}

static const struct test tests[] = {
	TEST(not_passthrough),  TEST(sound),
	TEST(largest),          TEST(sizes),
	TEST(alignment),        TEST(addresses),
	TEST(kernel_memory),    TEST(headers),
	TEST(total_sizes),      TEST(checksums),
	TEST(other_processors), TEST(same_revision),
	TEST(more_signatures),  TEST(too_many_signatures),
	TEST(changing),         TEST(container_sound),
	TEST(container_known),  TEST(container_damaged),
};

bool main(void)
{
	return guest_run("microcode", tests, RT_ARRAY(tests));
}
