/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fleet/ipmi.h"

#include "host/mem.h"

enum { OWN_WORDS_MAX = 16 };

struct words {
	char **list;
	size_t count;
};

static void add(struct words *w, const char *word)
{
	w->list[w->count++] = xstrdup(word);
}

static void add_option(struct words *w, const char *option, const char *value)
{
	add(w, option);
	add(w, value);
}

static void add_number(struct words *w, const char *option, unsigned number)
{
	add(w, option);
	w->list[w->count++] = xasprintf("%u", number);
}

char **ipmi_command(const struct inventory_bmc *bmc, const char *interface, const char *const words[], size_t count)
{
	static const char *const privileges[] = {"ADMINISTRATOR", "USER", "OPERATOR", "ADMINISTRATOR"};
	struct words w = {xcalloc(OWN_WORDS_MAX + bmc->options_count + count + 1, sizeof(*w.list)), 0};

	add(&w, "ipmitool");
	add_option(&w, "-I", interface);
	add_option(&w, "-H", bmc->host);
	add_number(&w, "-p", bmc->port);
	add_option(&w, "-U", bmc->user);
	add_option(&w, "-f", bmc->password_file);
	add_option(&w, "-L", privileges[bmc->privilege]);
	if (bmc->cipher_suite)
		add_number(&w, "-C", *bmc->cipher_suite);
	for (unsigned i = 0; i < bmc->options_count; i++)
		add(&w, bmc->options[i]);
	for (size_t i = 0; i < count; i++)
		add(&w, words[i]);
	return w.list;
}
