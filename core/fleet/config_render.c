/* SPDX-License-Identifier: MIT */
#include "core/fleet/config_context.h"
#include "core/fleet/parameters.h"
#include "core/jinja/jinja.h"

#include <errno.h>

/* Renders with the settings in force; `w` takes what is wrong. */
static int render(const struct config_scope *scope, const struct vendor_file *rule,
		  struct arena *arena, struct span *bytes, struct writer *w)
{
	const struct jinja_render_options options = {
		.format = (enum jinja_format)rule->format,
		/* What was left out must not be missed. */
		.undefined = scope->server->hides_secrets ? JINJA_LENIENT : JINJA_STRICT,
		.limits = {.output_bytes = config_file_bytes_max},
	};
	struct jinja_value context;
	struct jinja_error mistake;
	struct span path = {0};
	int error = config_context(scope, arena, &context, &path);

	if (error) {
		writer_put(w, rule->template_name);
		writer_text(w, ": ");
		writer_escaped(w, path, 80);
		writer_text(w, error == -ENOMEM ? "out of memory"
						: ": is a value, and others stand below it");
		return error;
	}
	error = jinja_render(rule->template, &context, &options, arena, bytes, &mistake);
	if (error) {
		jinja_error_write(w, &mistake);
	}
	return error;
}

/* A parameter that the phone would not take is found here, and not on the phone. */
static int check(const struct vendor_pack *pack, const struct vendor_file *rule, struct span bytes,
		 struct writer *w)
{
	struct span name;
	const char *mistake;

	if (rule->format != JINJA_FORMAT_LINE || pack->parameter_count == 0) {
		return 0;
	}
	mistake = parameters_check(pack, bytes, &name);
	if (!mistake) {
		return 0;
	}
	writer_put(w, rule->template_name);
	writer_text(w, ": ");
	writer_escaped(w, name, 100);
	writer_text(w, ": ");
	writer_text(w, mistake);
	return -EINVAL;
}

/* The pack that a rule stands in. */
static const struct vendor_pack *pack_of(const struct inventory *inventory,
					 const struct vendor_file *rule)
{
	for (size_t i = 0; i < inventory->vendors.count; i++) {
		const struct vendor_pack *pack = inventory->vendors.packs[i];

		for (size_t j = 0; j < pack->file_count; j++) {
			if (&pack->files[j] == rule) {
				return pack;
			}
		}
	}
	return NULL;
}

static void leave_out_secrets(struct settings *settings)
{
	size_t i = settings->count;

	while (i-- > 0) {
		struct span path = span_text(settings->items[i].path);

		if (setting_is_secret(path)) {
			(void)settings_unset(settings, path);
		}
	}
}

/* What opens to weaker proofs than a secret must not hold one, and a device's key is one. */
static void hide_secrets(struct settings *settings, struct config_server *server)
{
	leave_out_secrets(settings);
	if (!server->hides_secrets &&
	    span_search(server->url, SPAN("%{key}")) < server->url.length) {
		server->url = SPAN("");
	}
}

int config_render(const struct inventory *inventory, const struct config_wish *wish,
		  struct arena *arena, struct span *bytes, char *problem, size_t problem_size)
{
	const struct vendor_file *rule = wish->rule;
	const struct vendor_pack *pack = pack_of(inventory, rule);
	struct writer w = writer_over(problem, problem_size > 0 ? problem_size - 1 : 0);
	struct config_server shown = *wish->server;
	struct settings settings = {0};
	const struct config_scope scope = {wish->device, pack, &shown, &settings};
	struct span output = {0};
	int error;

	if (!pack || rule->kind != VENDOR_FILE_CONFIG) {
		writer_text(&w, "the file is not one that is rendered");
		error = -EINVAL;
	} else {
		error = profile_effective(inventory, wish->device, SPAN(""), &settings);
		if (error == -ELOOP) {
			writer_text(&w, "the profiles of this device inherit in a circle");
			error = -EINVAL;
		}
	}
	if (!error && (!rule->has_secrets || wish->server->hides_secrets)) {
		hide_secrets(&settings, &shown);
	}
	if (!error) {
		error = render(&scope, rule, arena, &output, &w);
	}
	if (!error) {
		error = check(pack, rule, output, &w);
	}
	settings_free(&settings);
	if (error && problem_size > 0) {
		problem[w.length] = '\0';
	}
	if (!error) {
		*bytes = output;
	}
	return error;
}
