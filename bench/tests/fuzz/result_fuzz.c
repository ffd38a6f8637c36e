/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A result file: never a crash, and what is accepted survives being written and read again. */
#include "result/result.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	json_t *root = json_loadb((const char *)data, size, JSON_REJECT_DUPLICATES, NULL), *again;
	struct result result, second;
	struct error error;

	if (!root)
		return 0;
	if (result_from_json(&result, root, &error)) {
		again = result_to_json(&result);
		if (!again || !result_from_json(&second, again, &error) || second.count != result.count)
			abort();
		json_decref(again);
		result_free(&second);
		result_free(&result);
	}
	json_decref(root);
	return 0;
}
