/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The first program of a Linux guest that has virtio devices: loads their drivers, which are in /modules, tries each
 * device, says what is right, and resets the machine. Arguments: which devices; "net" is followed by the guest's own
 * address and another guest's, which it pings; "apics" looks at where interrupts come from, "cpus" has each of so
 * many processors do something, "state" looks at extended state, "off" switches the machine off instead.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <cpuid.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <net/if.h>
#include <netinet/ip_icmp.h>
#include <poll.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MODULES_MAX = 32, SECTOR = 512 };

static int console;

static void say(const char *what, bool right)
{
	if (right)
		dprintf(console, "%s: right\n", what);
	else
		dprintf(console, "%s: WRONG (%s)\n", what, strerror(errno));
}

/* They are numbered in the order in which they need each other. */
static bool load_drivers(void)
{
	for (unsigned n = 0; n < MODULES_MAX; n++) {
		char path[32];
		int file;

		snprintf(path, sizeof(path), "/modules/%02u.ko", n);
		file = open(path, O_RDONLY);
		if (file < 0)
			return n;
		if (syscall(SYS_finit_module, file, "", 0) && errno != EEXIST)
			return false;
		close(file);
	}
	return true;
}

/* ---- Disk: each sector of the image begins with its number; sector n ends with the byte ~n. ---- */

static bool has_sector(int disk, unsigned n)
{
	uint8_t sector[SECTOR];
	unsigned number;

	if (pread(disk, sector, SECTOR, (off_t)n * SECTOR) != SECTOR)
		return false;
	memcpy(&number, sector, sizeof(number));
	return number == n && sector[SECTOR - 1] == (uint8_t)~n;
}

static bool reads(int disk, unsigned long long size)
{
	for (unsigned n = 0; n < size / SECTOR; n++)
		if (!has_sector(disk, n))
			return false;
	return size;
}

/* Behind a flush Linux asks the device again for what it reads. */
static bool keeps(int disk)
{
	uint8_t written[SECTOR], sector[SECTOR];

	memset(written, 0x5a, sizeof(written));
	return pwrite(disk, written, SECTOR, 5 * SECTOR) == SECTOR && !fsync(disk) && !ioctl(disk, BLKFLSBUF, 0) &&
	       pread(disk, sector, SECTOR, 5 * SECTOR) == SECTOR && !memcmp(sector, written, SECTOR) &&
	       has_sector(disk, 4) && has_sector(disk, 6);
}

static void try_disk(void)
{
	int disk = open("/dev/vda", O_RDWR);
	unsigned long long size = 0;

	ioctl(disk, BLKGETSIZE64, &size);
	dprintf(console, "disk: %llu bytes\n", size);
	say("disk is read", reads(disk, size));
	say("disk is written", keeps(disk));
	close(disk);
}

/* ---- */

static void try_random(void)
{
	int file = open("/dev/hwrng", O_RDONLY);
	uint64_t first[4] = {0}, second[4] = {0};

	say("random", read(file, first, sizeof(first)) == sizeof(first) &&
			      read(file, second, sizeof(second)) == sizeof(second) &&
			      memcmp(first, second, sizeof(first)));
	close(file);
}

static void try_console(void)
{
	int file = open("/dev/hvc0", O_WRONLY | O_NOCTTY);

	say("console", dprintf(file, "by virtio\n") > 0);
	close(file);
}

/* ---- Network ---- */

enum { PINGS = 5, PING_SIZE = 1400, TRIES = 600, TRY_MS = 100, END_PORT = 7, END_MS = 60000 };

static struct sockaddr_in place(const char *address, uint16_t port)
{
	struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(port)};

	inet_pton(AF_INET, address, &in.sin_addr);
	return in;
}

static bool set_address(int file, struct ifreq *r, const char *address, unsigned long request)
{
	struct sockaddr_in in = place(address, 0);

	memcpy(&r->ifr_addr, &in, sizeof(in));
	return !ioctl(file, request, r);
}

static bool switch_on(const char *address)
{
	int file = socket(AF_INET, SOCK_DGRAM, 0);
	struct ifreq r = {.ifr_name = "eth0"};
	bool good =
		set_address(file, &r, address, SIOCSIFADDR) && set_address(file, &r, "255.255.255.0", SIOCSIFNETMASK);

	r.ifr_flags = IFF_UP | IFF_RUNNING;
	good = good && !ioctl(file, SIOCSIFFLAGS, &r);
	close(file);
	return good;
}

static uint16_t checksum(const uint8_t *bytes, unsigned size)
{
	uint32_t sum = 0;

	for (unsigned n = 0; n < size; n += 2)
		sum += bytes[n] | (uint32_t)bytes[n + 1] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

static void make_ping(uint8_t ping[PING_SIZE], unsigned number)
{
	struct icmphdr h = {.type = ICMP_ECHO, .un.echo = {.sequence = (uint16_t)number}};

	for (unsigned n = 0; n < PING_SIZE; n++)
		ping[n] = (uint8_t)(n + number);
	memcpy(ping, &h, sizeof(h));
	h.checksum = checksum(ping, PING_SIZE);
	memcpy(ping, &h, sizeof(h));
}

/* Sends a ping again and again until its answer is there: the other guest may not have come so far. */
static bool ping(int file, unsigned number)
{
	uint8_t sent[PING_SIZE], got[PING_SIZE + 60];

	make_ping(sent, number);
	for (unsigned n = 0; n < TRIES; n++) {
		struct pollfd p = {file, POLLIN, 0};

		send(file, sent, PING_SIZE, 0);
		while (poll(&p, 1, TRY_MS) > 0) {
			ssize_t size = recv(file, got, sizeof(got), 0);
			struct icmphdr h;

			memcpy(&h, got + sizeof(struct iphdr), sizeof(h));
			if (size == (ssize_t)sizeof(struct iphdr) + PING_SIZE && h.type == ICMP_ECHOREPLY &&
			    h.un.echo.sequence == number)
				return !memcmp(got + sizeof(struct iphdr) + sizeof(h), sent + sizeof(h),
					       PING_SIZE - sizeof(h));
		}
	}
	return false;
}

static bool ping_all(const char *address)
{
	struct sockaddr_in in = place(address, 0);
	int file = socket(AF_INET, SOCK_RAW, IPPROTO_ICMP);

	if (connect(file, (struct sockaddr *)&in, sizeof(in)))
		return false;
	for (unsigned n = 0; n < PINGS; n++)
		if (!ping(file, n))
			return false;
	return true;
}

/* Tells the other guest that it is not needed any more, and waits for the same. */
static bool end_together(int file, const char *address)
{
	struct sockaddr_in in = place(address, END_PORT);
	struct pollfd p = {file, POLLIN, 0};

	return sendto(file, "end", 3, 0, (struct sockaddr *)&in, sizeof(in)) == 3 && poll(&p, 1, END_MS) == 1;
}

/* Who answers pings can already be told of the end. */
static void try_net(char **addresses)
{
	struct sockaddr_in own = place("0.0.0.0", END_PORT);
	int file = socket(AF_INET, SOCK_DGRAM, 0);

	say("network is on", !bind(file, (struct sockaddr *)&own, sizeof(own)) && switch_on(addresses[0]));
	say("ping", ping_all(addresses[1]));
	say("end", end_together(file, addresses[1]));
}

/* ---- */

/* Counts of interrupts that came so to a processor: a line of Linux's list ends with it, or begins with its name. */
static unsigned long interrupts(const char *how, unsigned processor)
{
	FILE *list = fopen("/proc/interrupts", "r");
	char line[512];
	unsigned long sum = 0;

	while (list && fgets(line, sizeof(line), list)) {
		char *at = strchr(line, ':');

		if (!at || !strstr(line, how))
			continue;
		at++;
		for (unsigned n = 0; n < processor; n++)
			strtoul(at, &at, 10);
		sum += strtoul(at, NULL, 10);
	}
	if (list)
		fclose(list);
	return sum;
}

static void mount_proc(void)
{
	mkdir("/proc", 0700);
	mount("proc", "/proc", "proc", 0, NULL);
}

static void try_apics(void)
{
	mount_proc();
	say("pins of the IO-APIC", interrupts(" IO-APIC ", 0) > 0 && !interrupts(" XT-PIC ", 0));
	say("timer of the local APIC", interrupts("LOC:", 0) > 0);
}

/* ---- Processors ---- */

static unsigned listed(void)
{
	FILE *list = fopen("/proc/cpuinfo", "r");
	char line[1024];
	unsigned count = 0;

	while (list && fgets(line, sizeof(line), list))
		count += !strncmp(line, "processor\t", 10);
	if (list)
		fclose(list);
	return count;
}

static bool go_to(unsigned processor)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(processor, &set);
	return !sched_setaffinity(0, sizeof(set), &set) && sched_getcpu() == (int)processor;
}

/* Sends back what it is sent until there is no more. */
static void answer(unsigned processor, int from, int to)
{
	char byte;

	if (!go_to(processor))
		_exit(1);
	while (read(from, &byte, 1) == 1)
		if (write(to, &byte, 1) != 1)
			_exit(1);
	_exit(0);
}

/* Two processes on two processors that wait for each other: each time one of these wakes the other. */
static bool talk(unsigned processor)
{
	enum { ROUNDS = 50 };
	int there[2], back[2], status = 1;
	pid_t other;
	bool good = go_to(0) && !pipe(there) && !pipe(back);

	other = good ? fork() : -1;
	if (!other) {
		close(there[1]);
		answer(processor, there[0], back[1]);
	}
	for (int n = 0; n < ROUNDS && good; n++) {
		char byte = (char)n;

		good = write(there[1], &byte, 1) == 1 && read(back[0], &byte, 1) == 1 && byte == n;
	}
	close(there[1]);
	return good && waitpid(other, &status, 0) == other && !status;
}

/* Linux wakes another processor by one of these. */
static unsigned long calls(unsigned processor)
{
	return interrupts("RES:", processor) + interrupts("CAL:", processor);
}

static void try_processors(unsigned count)
{
	mount_proc();
	say("processors", listed() == count);
	for (unsigned n = 1; n < count; n++) {
		unsigned long first = calls(0), other = calls(n), ticks = interrupts("LOC:", n);

		say("processors wake each other", talk(n) && calls(0) > first && calls(n) > other);
		say("timer of another processor", go_to(n) && !usleep(50000) && interrupts("LOC:", n) > ticks);
	}
}

/* ---- Extended state ---- */

/* The size of an area with these components, of which x87 and SSE are the first two. */
static unsigned size_of(unsigned components)
{
	unsigned size = 576, a, b, c, d;

	for (unsigned n = 2; n < 32; n++) {
		__cpuid_count(0xd, n, a, b, c, d);
		if (components >> n & 1 && a + b > size)
			size = a + b;
	}
	return size;
}

/* Linux uses XSAVE and knows the components that are in use, and CPUID says how large they are now. */
static void try_state(void)
{
	enum { XSAVE = 1 << 26, IN_USE = 1 << 27, SSE = 2 };
	unsigned a, b, c, d, low = 0, high;

	__cpuid(1, a, b, c, d);
	if (c & IN_USE)
		__asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
	if (c & XSAVE) {
		__cpuid_count(0xd, 0, a, b, c, d);
		say("extended state", low & SSE && !(low & ~a) && b == size_of(low));
	}
}

int main(int count, char **words)
{
	int end = RB_AUTOBOOT;

	mount("devtmpfs", "/dev", "devtmpfs", 0, NULL);
	console = open("/dev/console", O_WRONLY);
	say("drivers", load_drivers());
	for (int n = 1; n < count; n++) {
		if (!strcmp(words[n], "disk"))
			try_disk();
		else if (!strcmp(words[n], "random"))
			try_random();
		else if (!strcmp(words[n], "console"))
			try_console();
		else if (!strcmp(words[n], "apics"))
			try_apics();
		else if (!strcmp(words[n], "cpus") && n + 1 < count)
			try_processors((unsigned)atoi(words[n + 1]));
		else if (!strcmp(words[n], "state"))
			try_state();
		else if (!strcmp(words[n], "off"))
			end = RB_POWER_OFF;
		else if (!strcmp(words[n], "net") && n + 2 < count)
			try_net(words + n + 1);
	}
	reboot(end);
	return 1;
}
