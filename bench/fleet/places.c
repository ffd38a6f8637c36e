/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fleet/places.h"

#include "host/error.h"
#include "host/mem.h"

#include <stdlib.h>
#include <string.h>
#include <yaml.h>

struct places {
	yaml_document_t document;
};

static bool is_text(const yaml_node_t *node, const char *text, size_t len)
{
	return node && node->type == YAML_SCALAR_NODE && node->data.scalar.length == len &&
	       !memcmp(node->data.scalar.value, text, len);
}

static yaml_node_t *in_mapping(yaml_document_t *document, const yaml_node_t *node, const char *step, size_t len)
{
	for (yaml_node_pair_t *pair = node->data.mapping.pairs.start; pair < node->data.mapping.pairs.top; pair++)
		if (is_text(yaml_document_get_node(document, pair->key), step, len))
			return yaml_document_get_node(document, pair->value);
	return NULL;
}

static yaml_node_t *in_sequence(yaml_document_t *document, const yaml_node_t *node, const char *step)
{
	yaml_node_item_t *item = node->data.sequence.items.start;
	size_t index = strtoul(step, NULL, 10);

	return index < (size_t)(node->data.sequence.items.top - item) ? yaml_document_get_node(document, item[index])
								      : NULL;
}

static yaml_node_t *step_down(yaml_document_t *document, const yaml_node_t *node, const char *step, size_t len)
{
	if (node->type == YAML_MAPPING_NODE)
		return in_mapping(document, node, step, len);
	return node->type == YAML_SEQUENCE_NODE ? in_sequence(document, node, step) : NULL;
}

unsigned places_line(const struct places *places, const char *path)
{
	yaml_document_t *document = (yaml_document_t *)&places->document;
	const yaml_node_t *node = yaml_document_get_root_node(document), *next = node;
	unsigned line = 1;

	while (next) {
		size_t len = strcspn(path, "/");

		node = next;
		line = (unsigned)node->start_mark.line + 1;
		if (!*path)
			break;
		next = step_down(document, node, path, len);
		path += len + (path[len] == '/');
	}
	return line;
}

/* NULL when not every step is there. */
static const yaml_node_t *find(yaml_document_t *document, const char *path)
{
	const yaml_node_t *node = yaml_document_get_root_node(document);

	while (node && *path) {
		size_t len = strcspn(path, "/");

		node = step_down(document, node, path, len);
		path += len + (path[len] == '/');
	}
	return node;
}

const char *places_text(const struct places *places, const char *path)
{
	const yaml_node_t *node = find((yaml_document_t *)&places->document, path);

	return node && node->type == YAML_SCALAR_NODE ? (const char *)node->data.scalar.value : NULL;
}

unsigned places_count(const struct places *places, const char *path)
{
	const yaml_node_t *node = find((yaml_document_t *)&places->document, path);

	if (!node || node->type != YAML_SEQUENCE_NODE)
		return 0;
	return (unsigned)(node->data.sequence.items.top - node->data.sequence.items.start);
}

const char *places_key(const struct places *places, const char *path, unsigned number, unsigned *line)
{
	yaml_document_t *document = (yaml_document_t *)&places->document;
	const yaml_node_t *node = find(document, path), *key = NULL;

	if (!node || node->type != YAML_MAPPING_NODE)
		return NULL;
	if (number < (size_t)(node->data.mapping.pairs.top - node->data.mapping.pairs.start))
		key = yaml_document_get_node(document, node->data.mapping.pairs.start[number].key);
	if (!key || key->type != YAML_SCALAR_NODE)
		return NULL;
	*line = (unsigned)key->start_mark.line + 1;
	return (const char *)key->data.scalar.value;
}

static const yaml_node_t *first_twin(yaml_document_t *document, const yaml_node_t *node)
{
	for (yaml_node_pair_t *pair = node->data.mapping.pairs.start; pair < node->data.mapping.pairs.top; pair++) {
		const yaml_node_t *key = yaml_document_get_node(document, pair->key);

		for (yaml_node_pair_t *old = node->data.mapping.pairs.start; key && old < pair; old++)
			if (key->type == YAML_SCALAR_NODE &&
			    is_text(yaml_document_get_node(document, old->key), (const char *)key->data.scalar.value,
				    key->data.scalar.length))
				return key;
	}
	return NULL;
}

/* YAML leaves open which of two values would count. */
static bool check_keys(yaml_document_t *document, struct error *error)
{
	const yaml_node_t *node;

	for (int i = 1; (node = yaml_document_get_node(document, i)); i++) {
		const yaml_node_t *twin = node->type == YAML_MAPPING_NODE ? first_twin(document, node) : NULL;

		if (twin)
			return error_set(error, "%zu: `%.60s` is there twice", twin->start_mark.line + 1,
					 (const char *)twin->data.scalar.value);
	}
	return true;
}

static bool load(yaml_parser_t *parser, struct places *places, struct error *error)
{
	if (!yaml_parser_load(parser, &places->document)) {
		memset(&places->document, 0, sizeof(places->document));
		return error_set(error, "%zu: %s", parser->problem_mark.line + 1,
				 parser->problem ? parser->problem : "this is not YAML");
	}
	if (!yaml_document_get_root_node(&places->document))
		return error_set(error, "1: the file is empty");
	return check_keys(&places->document, error);
}

struct places *places_read(const char *data, size_t size, struct error *error)
{
	struct places *places = xcalloc(1, sizeof(*places));
	yaml_parser_t parser;
	bool good = yaml_parser_initialize(&parser) || error_set(error, "1: out of memory");

	if (good) {
		yaml_parser_set_input_string(&parser, (const unsigned char *)data, size);
		good = load(&parser, places, error);
		yaml_parser_delete(&parser);
	}
	if (good)
		return places;
	places_free(places);
	return NULL;
}

void places_free(struct places *places)
{
	if (places)
		yaml_document_delete(&places->document);
	free(places);
}
