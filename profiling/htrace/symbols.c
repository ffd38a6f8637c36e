/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "symbols.h"

#include "host/error.h"
#include "host/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool is_code(Elf *elf, unsigned index)
{
	Elf_Scn *section = index == SHN_UNDEF || index >= SHN_LORESERVE ? NULL : elf_getscn(elf, index);
	GElf_Shdr head;

	return section && gelf_getshdr(section, &head) && head.sh_flags & SHF_EXECINSTR;
}

/* Functions, and labels of assembly, which have no type. */
static bool is_function(Elf *elf, const GElf_Sym *symbol, const char *name)
{
	unsigned type = GELF_ST_TYPE(symbol->st_info);

	return name && *name && (type == STT_FUNC || type == STT_NOTYPE) && is_code(elf, symbol->st_shndx);
}

static void add(struct symbols *s, const GElf_Sym *symbol, const char *name)
{
	if (!(s->count & (s->count - 1)))
		s->list = xreallocarray(s->list, s->count ? 2 * s->count : 1, sizeof(*s->list));
	s->list[s->count++] = (struct symbol){symbol->st_value, symbol->st_size, xstrdup(name)};
}

static void read_table(struct symbols *s, Elf *elf, Elf_Scn *section, const GElf_Shdr *head)
{
	Elf_Data *data = elf_getdata(section, NULL);
	size_t count = data && head->sh_entsize ? data->d_size / head->sh_entsize : 0;
	GElf_Sym symbol;

	for (size_t i = 0; i < count && i < INT_MAX; i++) {
		const char *name =
			gelf_getsym(data, (int)i, &symbol) ? elf_strptr(elf, head->sh_link, symbol.st_name) : NULL;

		if (is_function(elf, &symbol, name))
			add(s, &symbol, name);
	}
}

static void read_code(struct symbols *s, Elf *elf)
{
	size_t count = 0;
	GElf_Phdr segment;

	if (elf_getphdrnum(elf, &count))
		return;
	s->code = xcalloc(count, sizeof(*s->code));
	for (size_t i = 0; i < count; i++)
		if (gelf_getphdr(elf, (int)i, &segment) && segment.p_type == PT_LOAD && segment.p_flags & PF_X)
			s->code[s->code_count++] =
				(struct symbols_code){segment.p_vaddr, segment.p_filesz, segment.p_offset};
}

/* Of several names of one address the one with a size comes last: it wins. */
static int by_address(const void *a, const void *b)
{
	const struct symbol *x = a, *y = b;

	if (x->address != y->address)
		return x->address < y->address ? -1 : 1;
	if (x->size != y->size)
		return x->size < y->size ? -1 : 1;
	return strcmp(x->name, y->name);
}

static bool read_elf(struct symbols *s, Elf *elf, struct error *error)
{
	GElf_Shdr head;

	if (elf_kind(elf) != ELF_K_ELF)
		return error_set(error, "it is no ELF file");
	for (Elf_Scn *section = elf_nextscn(elf, NULL); section; section = elf_nextscn(elf, section))
		if (gelf_getshdr(section, &head) && head.sh_type == SHT_SYMTAB)
			read_table(s, elf, section, &head);
	if (!s->count)
		return error_set(error, "it has no symbols of functions (it may have been stripped)");
	read_code(s, elf);
	qsort(s->list, s->count, sizeof(*s->list), by_address);
	return true;
}

static bool read_file(struct symbols *s, int fd, struct error *error)
{
	Elf *elf = NULL;
	bool good;

	if (elf_version(EV_CURRENT) != EV_NONE)
		elf = elf_begin(fd, ELF_C_READ, NULL);
	good = elf ? read_elf(s, elf, error) : error_set(error, "%s", elf_errmsg(-1));
	elf_end(elf);
	return good;
}

bool symbols_load(struct symbols *s, const char *path, struct error *error)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct error why;
	bool good;

	*s = (struct symbols){.path = realpath(path, NULL)};
	good = fd >= 0 && s->path ? read_file(s, fd, &why) : error_set(&why, "%s", strerror(errno));
	if (fd >= 0)
		close(fd);
	if (!good) {
		symbols_free(s);
		error_store(error, "cannot read the symbols of %s: %.900s", path, why.text);
	}
	return good;
}

static bool in_code(const struct symbols *s, uint64_t address)
{
	for (size_t i = 0; i < s->code_count; i++)
		if (address - s->code[i].address < s->code[i].size)
			return true;
	return false;
}

const struct symbol *symbols_find(const struct symbols *s, uint64_t address)
{
	size_t low = 0, high = s->count;
	const struct symbol *found;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (s->list[middle].address <= address)
			low = middle + 1;
		else
			high = middle;
	}
	if (!low || !in_code(s, address))
		return NULL;
	found = &s->list[low - 1];
	return !found->size || address - found->address < found->size ? found : NULL;
}

void symbols_free(struct symbols *s)
{
	for (size_t i = 0; i < s->count; i++)
		free(s->list[i].name);
	free(s->list);
	free(s->code);
	free(s->path);
	*s = (struct symbols){0};
}
