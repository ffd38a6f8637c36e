/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "host/util.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <gcrypt.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void error_store(struct error *error, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(error->text, sizeof(error->text), fmt, args);
	va_end(args);
}

void complain(const char *fmt, ...)
{
	va_list args;

	fprintf(stderr, "%s: ", program_invocation_short_name);
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fputc('\n', stderr);
}

static void *or_die(void *memory)
{
	if (!memory) {
		complain("out of memory");
		exit(EXIT_RUN_INVALID);
	}
	return memory;
}

void *xcalloc(size_t count, size_t size)
{
	return or_die(calloc(count ? count : 1, size ? size : 1));
}

void *xreallocarray(void *old, size_t count, size_t size)
{
	return or_die(reallocarray(old, count ? count : 1, size));
}

char *xstrdup(const char *s)
{
	return or_die(strdup(s));
}

char *xvasprintf(const char *fmt, va_list args)
{
	char *s = NULL;

	if (vasprintf(&s, fmt, args) < 0)
		s = NULL;
	return or_die(s);
}

char *xasprintf(const char *fmt, ...)
{
	va_list args;
	char *s;

	va_start(args, fmt);
	s = xvasprintf(fmt, args);
	va_end(args);
	return s;
}

void strings_free(char **strings)
{
	for (char **s = strings; s && *s; s++)
		free(*s);
	free(strings);
}

static char *read_all(FILE *file, size_t max, size_t *size)
{
	size_t room = 4096, used = 0;
	char *data = xreallocarray(NULL, room + 1, 1);

	for (;;) {
		used += fread(data + used, 1, room - used, file);
		if (used < room || used > max)
			break;
		room *= 2;
		data = xreallocarray(data, room + 1, 1);
	}
	data[used] = '\0';
	*size = used;
	return data;
}

char *file_read(const char *path, size_t max, size_t *size, struct error *error)
{
	FILE *file = fopen(path, "re");
	char *data;

	if (!file) {
		error_store(error, "cannot open %s: %s", path, strerror(errno));
		return NULL;
	}
	errno = 0;
	data = read_all(file, max, size);
	if (ferror(file)) {
		error_store(error, "cannot read %s: %s", path, strerror(errno));
	} else if (*size > max) {
		error_store(error, "%s is larger than the %zu MiB that make sense here", path, max >> 20);
	} else {
		fclose(file);
		return data;
	}
	fclose(file);
	free(data);
	return NULL;
}

bool file_replace(const char *path, const char *data, size_t size, struct error *error)
{
	char *scratch = xasprintf("%s.XXXXXX", path);
	int fd = mkostemp(scratch, O_CLOEXEC);
	FILE *file = fd < 0 ? NULL : fdopen(fd, "w");
	bool good = file && fwrite(data, 1, size, file) == size && !fflush(file) && !fchmod(fd, 0644);

	if (file && fclose(file))
		good = false;
	if (good && rename(scratch, path))
		good = false;
	if (!good) {
		error_store(error, "cannot write %s: %s", path, strerror(errno));
		if (fd >= 0)
			unlink(scratch);
	}
	free(scratch);
	return good;
}

bool make_folders(const char *path, struct error *error)
{
	char *copy = xstrdup(path);
	bool good = true;

	for (char *end = copy; good && *end; *end = '/') {
		end += strspn(end, "/");
		end += strcspn(end, "/");
		bool last = !*end;

		*end = '\0';
		if (mkdir(copy, 0777) && errno != EEXIST)
			good = error_set(error, "cannot create the folder %s: %s", copy, strerror(errno));
		if (last)
			break;
	}
	free(copy);
	return good;
}

static int remove_one(const char *path, const struct stat *stat, int type, struct FTW *walk)
{
	(void)stat;
	(void)type;
	(void)walk;
	return remove(path);
}

void remove_folder(const char *path)
{
	nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

bool sha256_hex(const void *data, size_t size, char out[65])
{
	unsigned char digest[32];

	if (!gcry_check_version(NULL))
		return false;
	gcry_md_hash_buffer(GCRY_MD_SHA256, digest, data, size);
	for (size_t i = 0; i < sizeof(digest); i++)
		snprintf(out + 2 * i, 3, "%02x", digest[i]);
	return true;
}

double seconds_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

void date_now(char out[32])
{
	const char *epoch = getenv("SOURCE_DATE_EPOCH");
	time_t when = time(NULL);
	struct tm tm;
	char *end;

	if (epoch && *epoch) {
		errno = 0;
		long long value = strtoll(epoch, &end, 10);

		if (!errno && !*end && value >= 0)
			when = (time_t)value;
		else
			complain("SOURCE_DATE_EPOCH is not a number of seconds, so the present time is used");
	}
	if (!gmtime_r(&when, &tm) || !strftime(out, 32, "%Y-%m-%dT%H:%M:%S+00:00", &tm))
		snprintf(out, 32, "1970-01-01T00:00:00+00:00");
}

void write_harmless(FILE *out, const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)s[i];

		if (c == '\n' || c == '\t' || (c >= 0x20 && c < 0x7f))
			fputc(c, out);
		else if (c != '\r' || (i + 1 < len && s[i + 1] != '\n'))
			fprintf(out, "\\x%02x", c);
	}
}

void make_harmless(char *text)
{
	for (; *text; text++)
		if (*text < ' ' || *text > '~')
			*text = '?';
}

bool want_colour(FILE *out)
{
	const char *no_color = getenv("NO_COLOR");
	const char *term = getenv("TERM");

	if (no_color && *no_color)
		return false;
	return isatty(fileno(out)) && !(term && !strcmp(term, "dumb"));
}
