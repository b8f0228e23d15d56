/* SPDX-License-Identifier: MIT */
/* Statements, and what a rendering keeps while it runs. */
#include "core/jinja/render.h"

#include "core/jinja/escape.h"
#include "core/jinja/text.h"

#include <errno.h>

int jinja_charge(struct jinja_render *render, const struct jinja_node *node, uint64_t steps)
{
	if (steps > render->limits.steps - render->steps) {
		render->steps = render->limits.steps;
		return jinja_fail_limit(render, node, "the limit of steps is reached");
	}
	render->steps += steps;
	return 0;
}

int jinja_fail_detail(struct jinja_render *render, const struct jinja_node *node, const char *text,
		      struct span detail)
{
	return jinja_error_set(render->error, -EINVAL, render->template->name, node, text, detail);
}

int jinja_fail(struct jinja_render *render, const struct jinja_node *node, const char *text)
{
	return jinja_fail_detail(render, node, text, (struct span){0});
}

int jinja_fail_limit(struct jinja_render *render, const struct jinja_node *node, const char *text)
{
	return jinja_error_set(render->error, -E2BIG, render->template->name, node, text,
			       (struct span){0});
}

int jinja_fail_memory(struct jinja_render *render, const struct jinja_node *node)
{
	return jinja_error_set(render->error, -ENOMEM, render->template->name, node,
			       "the limit of memory is reached", (struct span){0});
}

struct span jinja_kind_name(const struct jinja_value *value)
{
	switch ((enum jinja_kind)value->kind) {
	case JINJA_UNDEFINED:
		return SPAN("undefined");
	case JINJA_NONE:
		return SPAN("none");
	case JINJA_BOOL:
		return SPAN("boolean");
	case JINJA_INT:
		return SPAN("integer");
	case JINJA_DOUBLE:
		return SPAN("float");
	case JINJA_STRING:
		return SPAN("string");
	case JINJA_LIST:
		return value->flags & JINJA_TUPLE ? SPAN("tuple") : SPAN("list");
	case JINJA_DICT:
		return value->flags & JINJA_NAMESPACE ? SPAN("namespace") : SPAN("dictionary");
	case JINJA_LOOP:
		return SPAN("loop");
	}
	return SPAN("value");
}

int jinja_fail_value(struct jinja_render *render, const struct jinja_node *node, const char *text,
		     const struct jinja_value *value)
{
	struct writer w = writer_over(render->error->setting, sizeof(render->error->setting) - 1);

	if (value->kind == JINJA_UNDEFINED) {
		return jinja_fail_undefined(render, node, value);
	}
	jinja_fail_detail(render, node, text, jinja_kind_name(value));
	writer_escaped(&w, value->origin, sizeof(render->error->setting) / 5);
	render->error->setting[w.length] = '\0';
	return -EINVAL;
}

/* a.b[1]["c"], as far as it is names and constants. */
static void write_path(struct writer *w, const struct jinja_node *node)
{
	switch (node->kind) {
	case NODE_NAME:
		writer_put(w, node->variable->name);
		return;
	case NODE_ATTRIBUTE:
		write_path(w, node->attribute.object);
		writer_char(w, '.');
		writer_put(w, node->attribute.name);
		return;
	case NODE_ITEM:
		write_path(w, node->item.object);
		if (node->item.index->kind == NODE_CONSTANT &&
		    node->item.index->constant.kind == JINJA_INT) {
			writer_char(w, '.');
			writer_signed(w, node->item.index->constant.integer);
		} else if (node->item.index->kind == NODE_CONSTANT &&
			   node->item.index->constant.kind == JINJA_STRING) {
			writer_char(w, '.');
			writer_put(w, node->item.index->constant.string);
		} else {
			writer_text(w, "[...]");
		}
		return;
	case NODE_CONDITION:
		writer_text(w, "an if without else");
		return;
	case NODE_FUNCTION:
	case NODE_METHOD:
	case NODE_FILTER:
		if (node->kind == NODE_FILTER && !node->call.object) {
			writer_text(w, "...");
			return;
		}
		if (node->kind != NODE_FUNCTION) {
			write_path(w, node->call.object);
			writer_char(w, node->kind == NODE_FILTER ? '|' : '.');
		}
		writer_put(w, node->call.name);
		return;
	default:
		writer_text(w, "...");
		return;
	}
}

int jinja_fail_undefined(struct jinja_render *render, const struct jinja_node *node,
			 const struct jinja_value *value)
{
	char path[jinja_message_size / 3];
	struct writer w = writer_over(path, sizeof(path));

	if (!value->expression) {
		return jinja_fail(render, node, "a value is undefined");
	}
	write_path(&w, value->expression);
	return jinja_fail_detail(render, node, "'%' is undefined", writer_span(&w));
}

int jinja_allocate(struct jinja_render *render, const struct jinja_node *node, size_t size,
		   void *place)
{
	void *memory = arena_allocate(render->arena, size);

	if (!memory) {
		return jinja_fail_memory(render, node);
	}
	memcpy(place, &memory, sizeof(memory));
	return 0;
}

int jinja_append(struct jinja_render *render, const struct jinja_node *node,
		 struct jinja_buffer *buffer, struct span bytes)
{
	if (bytes.length > buffer->capacity - buffer->length) {
		size_t larger = buffer->capacity < 64 ? 128 : buffer->capacity * 2;
		char *data;
		int result;

		if (bytes.length > render->limits.memory_bytes) {
			return jinja_fail_memory(render, node);
		}
		larger = larger < buffer->length + bytes.length ? buffer->length + bytes.length
								: larger;
		result = jinja_allocate(render, node, larger, &data);
		if (result < 0) {
			return result;
		}
		if (buffer->length > 0) {
			memcpy(data, buffer->data, buffer->length);
		}
		buffer->data = data;
		buffer->capacity = larger;
	}
	if (bytes.length > 0) {
		memcpy(buffer->data + buffer->length, bytes.data, bytes.length);
		buffer->length += bytes.length;
	}
	return 0;
}

static int check_output(struct jinja_render *render, const struct jinja_node *node)
{
	if (render->output.length > render->limits.output_bytes) {
		return jinja_fail_limit(render, node, "the limit of output is reached");
	}
	return 0;
}

static void assign_variable(struct jinja_render *render, const struct jinja_variable *variable,
			    struct jinja_value value)
{
	if (variable->is_symbol) {
		render->symbols[variable->index] = value;
	} else {
		render->slots[variable->index] = value;
	}
}

/* Only what `namespace()` made may be changed, so that no value contains itself by accident. */
static int assign_attribute(struct jinja_render *render, const struct jinja_node *target,
			    struct jinja_value value)
{
	struct jinja_value object;
	int result = jinja_evaluate(render, target->attribute.object, &object);

	if (result < 0) {
		return result;
	}
	if (object.kind != JINJA_DICT || !(object.flags & JINJA_NAMESPACE)) {
		return jinja_fail_value(render, target,
					"cannot set an attribute of a %, only of a namespace",
					&object);
	}
	if (jinja_dict_set(render->arena, &object, target->attribute.name, value) != 0) {
		return jinja_fail_memory(render, target);
	}
	return 0;
}

static int assign(struct jinja_render *render, const struct jinja_node *target,
		  const struct jinja_value *value)
{
	const struct jinja_list *items;
	const struct jinja_node *item = target->first;
	int result;

	if (target->kind == NODE_NAME) {
		assign_variable(render, target->variable, *value);
		return 0;
	}
	if (target->kind == NODE_ATTRIBUTE) {
		return assign_attribute(render, target, *value);
	}
	result = jinja_iterate(render, target, value, &items);
	for (size_t i = 0; result == 0 && i < items->count && item; i++, item = item->next) {
		result = assign(render, item, &items->items[i]);
		if (i + 1 < items->count && !item->next) {
			return jinja_fail_value(render, target,
						"the % has more items than there are names", value);
		}
	}
	if (result == 0 && item) {
		return jinja_fail_value(render, target,
					"the % has fewer items than there are names", value);
	}
	return result;
}

static int render_body(struct jinja_render *render, const struct jinja_node *body);

/* Nothing that an earlier turn of the loop set is seen by the next one. */
static void forget_slots(struct jinja_render *render, const struct jinja_node *node)
{
	for (uint32_t i = node->loop.slot_first; i < node->loop.slot_end; i++) {
		render->slots[i] = (struct jinja_value){.flags = JINJA_UNSET};
	}
}

static int charge_turn(struct jinja_render *render, const struct jinja_node *node)
{
	return jinja_charge(render, node, 1 + (node->loop.slot_end - node->loop.slot_first) / 16);
}

/* The items for which the loop's `if` holds. */
static int filter_items(struct jinja_render *render, const struct jinja_node *node,
			const struct jinja_list **items)
{
	struct jinja_value kept;

	if (jinja_list(render->arena, &kept) != 0) {
		return jinja_fail_memory(render, node);
	}
	for (size_t i = 0; i < (*items)->count; i++) {
		struct jinja_value test;
		bool truth;
		int result = charge_turn(render, node);

		forget_slots(render, node);
		if (result == 0) {
			result = assign(render, node->loop.target, &(*items)->items[i]);
		}
		if (result == 0) {
			result = jinja_evaluate(render, node->loop.condition, &test);
		}
		if (result == 0) {
			result = jinja_truth(render, node->loop.condition, &test, &truth);
		}
		if (result < 0) {
			return result;
		}
		if (truth && jinja_list_append(render->arena, &kept, (*items)->items[i]) != 0) {
			return jinja_fail_memory(render, node);
		}
	}
	*items = kept.list;
	return 0;
}

static int render_turns(struct jinja_render *render, const struct jinja_node *node,
			struct jinja_loop *loop)
{
	struct jinja_value self = {.kind = JINJA_LOOP, .loop = loop};
	int result = 0;

	for (; result == 0 && loop->index < loop->items->count; loop->index++) {
		result = charge_turn(render, node);
		if (result < 0) {
			return result;
		}
		forget_slots(render, node);
		assign_variable(render, node->loop.loop, self);
		result = assign(render, node->loop.target, &loop->items->items[loop->index]);
		if (result == 0) {
			result = render_body(render, node->loop.body);
		}
	}
	return result;
}

static int render_for(struct jinja_render *render, const struct jinja_node *node)
{
	struct jinja_value iterable;
	const struct jinja_list *items;
	struct jinja_loop *loop;
	int result = jinja_evaluate(render, node->loop.iterable, &iterable);

	if (result == 0) {
		result = jinja_iterate(render, node->loop.iterable, &iterable, &items);
	}
	if (result == 0 && node->loop.condition) {
		result = filter_items(render, node, &items);
	}
	if (result < 0) {
		return result;
	}
	forget_slots(render, node);
	if (items->count == 0) {
		return render_body(render, node->loop.otherwise);
	}
	/* In the arena, since `loop` may be kept in a namespace beyond the end of the loop. */
	result = jinja_allocate(render, node, sizeof(*loop), &loop);
	if (result < 0) {
		return result;
	}
	loop->items = items;
	loop->changed.flags = JINJA_UNSET;
	return render_turns(render, node, loop);
}

static int render_if(struct jinja_render *render, const struct jinja_node *node)
{
	for (;;) {
		struct jinja_value test;
		bool truth;
		int result = jinja_charge(render, node, 1);

		if (result == 0) {
			result = jinja_evaluate(render, node->condition.test, &test);
		}
		if (result == 0) {
			result = jinja_truth(render, node->condition.test, &test, &truth);
		}
		if (result < 0) {
			return result;
		}
		if (truth) {
			return render_body(render, node->condition.then);
		}
		if (!node->condition.is_elif) {
			return render_body(render, node->condition.otherwise);
		}
		node = node->condition.otherwise;
	}
}

static int render_statement(struct jinja_render *render, const struct jinja_node *node)
{
	struct jinja_value value;
	int result;

	switch (node->kind) {
	case NODE_TEXT:
		result = jinja_append(render, node, &render->output, node->text);
		return result == 0 ? check_output(render, node) : result;
	case NODE_OUTPUT:
		result = jinja_evaluate(render, node->pair.left, &value);
		if (result == 0) {
			result = jinja_escape_value(render, node, &value);
		}
		return result == 0 ? check_output(render, node) : result;
	case NODE_IF:
		return render_if(render, node);
	case NODE_FOR:
		return render_for(render, node);
	case NODE_SET:
		result = jinja_evaluate(render, node->assign.value, &value);
		return result == 0 ? assign(render, node->assign.target, &value) : result;
	default:
		return jinja_fail(render, node, "this statement cannot be rendered");
	}
}

static int render_body(struct jinja_render *render, const struct jinja_node *body)
{
	int result = 0;

	for (; result == 0 && body; body = body->next) {
		result = jinja_charge(render, body, 1);
		if (result == 0) {
			result = render_statement(render, body);
		}
	}
	return result;
}

/* Places for what names stand for, none of them set. */
static int make_places(struct jinja_render *render, size_t count, struct jinja_value **places)
{
	int result = jinja_allocate(render, NULL, (count + 1) * sizeof(**places), places);

	for (size_t i = 0; result == 0 && i < count; i++) {
		(*places)[i].flags = JINJA_UNSET;
	}
	return result;
}

int jinja_render(const struct jinja_template *template, const struct jinja_value *context,
		 const struct jinja_render_options *options, struct arena *arena,
		 struct span *output, struct jinja_error *error)
{
	struct jinja_render render = {
		.template = template,
		.context = context && context->kind == JINJA_DICT ? context : NULL,
		.format = options ? options->format : JINJA_FORMAT_TEXT,
		.undefined = options ? options->undefined : JINJA_STRICT,
		.limits = jinja_limits_effective(options ? &options->limits : NULL),
		.arena = arena,
		.error = error,
	};
	size_t bytes_max = arena->bytes_max;
	int result;

	/* The limit of memory is the arena's own ceiling, lowered for this call. */
	if (render.limits.memory_bytes < bytes_max - arena->bytes_used) {
		arena->bytes_max = arena->bytes_used + render.limits.memory_bytes;
	}
	result = make_places(&render, template->slot_count, &render.slots);
	if (result == 0) {
		result = make_places(&render, template->symbol_count, &render.symbols);
	}
	if (result == 0) {
		result = render_body(&render, template->body);
	}
	arena->bytes_max = bytes_max;
	if (result == 0) {
		*output = jinja_buffer_span(&render.output);
	}
	return result;
}
