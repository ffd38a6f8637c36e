/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The examples of docs/statistics.md are what hbench prints: of imaginary boots, which fixed seeds make the same each
 * time. */
#include "test.h"

#include "report/report.h"

#include "build.h"
#include "stats/noise.h"

#include <stdio.h>
#include <string.h>

enum { BOOTS = 10 };

/* Ten boots of one case, by the model of the row "log-normal". */
static struct result measure(unsigned seed)
{
	gsl_rng *rng = gsl_rng_alloc(gsl_rng_taus2);
	struct result r;

	gsl_rng_set(rng, seed);
	result_init(&r, "nuc11", "ipc", "ticks");
	for (unsigned boot = 0; boot < BOOTS; boot++) {
		struct sample s = noise_boot(&noises[1], 800, boot, rng);

		result_add(&r, "ipc/call_reply_cross/words:0", &s);
	}
	result_merge(&r);
	gsl_rng_free(rng);
	return r;
}

static char *print(void)
{
	struct result old = measure(1), new = measure(2);
	struct comparison c;
	struct error error;
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	assert_true(compare_results(&c, &old, &new, NULL, &error));
	report_result(out, &old, NULL, NULL);
	report_comparison(out, &c, NULL);
	fclose(out);
	compare_free(&c);
	result_free(&old);
	result_free(&new);
	return text;
}

/* A long line is broken in the manual; what it is broken at is a blank in the original. */
static void expect_line(const char *text, char *line, char *broken, size_t room)
{
	line[strcspn(line, "\n")] = '\0';
	snprintf(broken + strlen(broken), room - strlen(broken), "%s%s", *broken ? " " : "", line);
	if (!strstr(text, broken)) {
		fputs(text, stderr);
		fail_msg("docs/statistics.md says `%s`, and hbench what is above", broken);
	}
	if (strncmp(broken, "not enough data", strlen("not enough data")))
		*broken = '\0';
}

UNIT_TEST(statistics)
{
	FILE *in = fopen(TEST_DOCS "/statistics.md", "re");
	char *text = print(), line[300], broken[600] = "";
	unsigned lines = 0;
	bool inside = false;

	assert_non_null(in);
	while (fgets(line, sizeof(line), in)) {
		if (!strncmp(line, "```", 3)) {
			inside = !inside;
		} else if (inside && *line != '$' && strncmp(line, "...", 3)) {
			expect_line(text, line, broken, sizeof(broken));
			lines++;
		}
	}
	fclose(in);
	free(text);
	assert_true(lines >= 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(statistics)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
