/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "measure/target.h"

#include "host/mem.h"

#include <ctype.h>
#include <string.h>

#define ID_CHARACTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-"

static const struct target *const targets[] = {&target_qemu,   &target_qemu_kvm, &target_bochs,
					       &target_serial, &target_tcp,      &target_file};

const struct target *target_find(const char *name, const char *accel)
{
	bool kvm = !strcmp(accel, "kvm");

	for (size_t i = 0; i < array_size(targets); i++)
		if (!strcmp(targets[i]->name, name) && kvm == (targets[i] == &target_qemu_kvm))
			return targets[i];
	return NULL;
}

bool target_id_valid(const char *id)
{
	return *id && *id != '.' && !id[strspn(id, ID_CHARACTERS)];
}

/* Small letters only: the name is one of folders, and not every file system tells EPYC from epyc. */
char *target_machine_id(const struct target *target, const char *cpu, unsigned cpus)
{
	char *id = cpus == 1 ? xasprintf("%s-%s", target->machine_prefix, cpu)
			     : xasprintf("%s-%s-smp%u", target->machine_prefix, cpu, cpus);

	for (char *c = id; *c; c++) {
		if (strchr(ID_CHARACTERS, *c))
			*c = (char)tolower((unsigned char)*c);
		else
			*c = '-';
	}
	return id;
}
