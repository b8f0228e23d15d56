/* SPDX-License-Identifier: MIT */
#include "core/fleet/config.h"

#include "core/base/uncleared.h"
#include "core/fleet/vendor_match.h"

#include <errno.h>

/* What the names in a URL stand for; the last three only in a maker's shape. */
struct expansion {
	const struct device *device;
	const struct config_server *server;
	uint16_t port;
	struct span base; /* data NULL: not in a shape */
	struct writer *problem;
};

static int refuse(const struct expansion *e, int error, const char *what, struct span name)
{
	writer_text(e->problem, what);
	if (name.length > 0) {
		writer_text(e->problem, ": %{");
		writer_escaped(e->problem, name, 40);
		writer_char(e->problem, '}');
	}
	return error;
}

/* Up to and with the first '/' behind the host. */
static size_t origin_length(struct span url)
{
	size_t scheme = span_search(url, SPAN("://"));
	size_t host = scheme < url.length ? scheme + 3 : 0;
	size_t slash = host + span_find(span_slice(url, host, url.length), '/');

	return slash < url.length ? slash + 1 : url.length;
}

/*
 * RFC 3986 2.3, a bit for each: letters, digits, "-._~". Looked up, because whether the next octet
 * of a key is a letter or a digit nobody could guess, nor the processor.
 */
static bool is_unreserved(unsigned char c)
{
	static const uint32_t bits[8] = {0, 0x03ff6000, 0x87fffffe, 0x47fffffe};

	return (bits[c >> 5] >> (c & 31) & 1) != 0;
}

/* RFC 3986 2.1: everything else, in upper case as 6.2.2.1 likes it. */
static void write_encoded(struct writer *w, struct span text)
{
	static const char digits[] = "0123456789ABCDEF";

	size_t start = 0;

	for (size_t i = 0; i < text.length; i++) {
		unsigned char c = (unsigned char)text.data[i];

		if (!is_unreserved(c)) {
			writer_put(w, span_slice(text, start, i));
			writer_put(w, span_make((char[]){'%', digits[c >> 4], digits[c & 15]}, 3));
			start = i + 1;
		}
	}
	writer_put(w, span_slice(text, start, text.length));
}

static int write_known(const struct expansion *e, struct span name, struct span value,
		       struct writer *w)
{
	if (value.length == 0) {
		return refuse(e, -ENODATA, "is not known of this device", name);
	}
	write_encoded(w, value);
	return 0;
}

static int write_port(const struct expansion *e, struct span name, struct writer *w)
{
	if (e->port == 0) {
		return refuse(e, -ENODATA, "the door that the URL names is shut", name);
	}
	writer_unsigned(w, e->port);
	return 0;
}

/* The part of a base that a shape asks for; -ENOENT when the name is none of them. */
static int write_base(const struct expansion *e, struct span name, struct writer *w)
{
	size_t origin;

	if (!e->base.data) {
		return -ENOENT;
	}
	origin = origin_length(e->base);
	if (span_equal(name, SPAN("base"))) {
		writer_put(w, e->base);
	} else if (span_equal(name, SPAN("origin"))) {
		writer_put(w, span_slice(e->base, 0, origin));
	} else if (span_equal(name, SPAN("path"))) {
		writer_put(w, span_slice(e->base, origin, e->base.length));
	} else {
		return -ENOENT;
	}
	return 0;
}

static int write_name(const struct expansion *e, struct span name, struct writer *w)
{
	const struct device *device = e->device;

	if (write_base(e, name, w) == 0) {
		return 0;
	}
	if (span_equal(name, SPAN("address"))) {
		if (!address_is_set(e->server->address)) {
			return refuse(e, -ENODATA, "our own address is not known", name);
		}
		address_write_host(w, e->server->address);
	} else if (span_equal(name, SPAN("mac"))) {
		mac_write(w, device->mac);
	} else if (span_equal(name, SPAN("MAC"))) {
		mac_write_upper(w, device->mac);
	} else if (span_equal(name, SPAN("key"))) {
		return write_known(e, name, span_text(device->key), w);
	} else if (span_equal(name, SPAN("model"))) {
		return write_known(e, name, span_text(device->model), w);
	} else if (span_equal(name, SPAN("vendor"))) {
		return write_known(e, name, span_text(device->vendor), w);
	} else if (span_equal(name, SPAN("port"))) {
		return write_port(e, name, w);
	} else {
		return refuse(e, -EINVAL, "there is no such name", name);
	}
	return 0;
}

static int expand(const struct expansion *e, struct span text, struct writer *w)
{
	while (text.length > 0) {
		size_t at = span_search(text, SPAN("%{"));
		size_t end;
		int error;

		writer_put(w, span_slice(text, 0, at));
		text = span_slice(text, at, text.length);
		if (text.length == 0) {
			break;
		}
		end = span_find(text, '}');
		if (end == text.length) {
			return refuse(e, -EINVAL, "a %{ has no }", SPAN(""));
		}
		error = write_name(e, span_slice(text, 2, end), w);
		if (error) {
			return error;
		}
		text = span_slice(text, end + 1, text.length);
	}
	return w->failed ? refuse(e, -E2BIG, "the URL is too long", SPAN("")) : 0;
}

static uint16_t port_of(const struct config_server *server)
{
	if (span_starts_with_nocase(server->url, SPAN("https:"))) {
		return server->https_port;
	}
	if (span_starts_with_nocase(server->url, SPAN("tftp:"))) {
		return server->tftp_port;
	}
	return server->http_port;
}

static struct span shape_of(const struct device *device, const struct vendor_pack *pack,
			    struct span name)
{
	const struct vendor_shape *shape = vendor_shape_find(pack, name);

	if (!shape) {
		return SPAN("");
	}
	if (!device->model[0] && shape->without_model.length > 0) {
		return shape->without_model;
	}
	return shape->shape;
}

static int write_url(struct expansion *e, const struct vendor_pack *pack, struct writer *w)
{
	UNCLEARED char base[config_url_max];
	struct writer b = writer_over(base, sizeof(base));
	int error = expand(e, e->server->url, &b);
	struct span shape;

	if (error) {
		return error;
	}
	if (!pack || !span_ends_with(writer_span(&b), SPAN("/"))) {
		writer_put(w, writer_span(&b));
		return 0;
	}
	shape = shape_of(e->device, pack, e->server->shape);
	e->base = writer_span(&b);
	return expand(e, shape.length > 0 ? shape : SPAN("%{base}"), w);
}

int config_url(const struct device *device, const struct vendor_pack *pack,
	       const struct config_server *server, struct writer *url, char *problem,
	       size_t problem_size)
{
	size_t length_max = pack && pack->url_max < config_url_max ? pack->url_max : config_url_max;
	struct writer p = writer_over(problem, problem_size > 0 ? problem_size - 1 : 0);
	UNCLEARED char text[config_url_max];
	struct writer w = writer_over(text, sizeof(text));
	struct expansion e = {.device = device,
			      .server = server,
			      .port = port_of(server),
			      .problem = &p};
	int error = write_url(&e, pack, &w);

	if (!error && w.length > length_max) {
		error = -E2BIG;
		writer_text(&p, "the URL is ");
		writer_unsigned(&p, w.length);
		writer_text(&p, " bytes long, and this phone takes ");
		writer_unsigned(&p, length_max);
	}
	if (!error && w.length > url->size - url->length) {
		error = refuse(&e, -E2BIG, "the URL is too long", SPAN(""));
	}
	if (error && problem_size > 0) {
		problem[p.length] = '\0';
	}
	if (!error) {
		writer_put(url, writer_span(&w));
	}
	return error;
}

/* --- names of files --- */

/* The name that a pattern stands for, for this device; false when a part of it is not known. */
static bool write_pattern(const struct device *device, struct span pattern, struct writer *w)
{
	while (pattern.length > 0) {
		size_t at = span_find(pattern, '<');
		size_t end;

		writer_put(w, span_slice(pattern, 0, at));
		pattern = span_slice(pattern, at, pattern.length);
		if (pattern.length == 0) {
			break;
		}
		end = span_find(pattern, '>') + 1;
		if (span_starts_with(pattern, SPAN("<MAC>"))) {
			mac_write_upper(w, device->mac);
		} else if (span_starts_with(pattern, SPAN("<mac>"))) {
			mac_write(w, device->mac);
		} else if (device->model[0]) {
			writer_text(w, device->model);
		} else {
			return false;
		}
		pattern = span_slice(pattern, end, pattern.length);
	}
	return !w->failed;
}

static bool names_file(const struct device *device, const struct vendor_file *rule,
		       struct span name)
{
	char text[catalogue_name_max];
	struct writer w = writer_over(text, sizeof(text));

	return write_pattern(device, rule->pattern, &w) && span_equal_nocase(writer_span(&w), name);
}

/* What a row of the pack comes to: a catalogue row needs its file there. */
static struct config_file file_of_rule(const struct inventory *inventory,
				       const struct vendor_file *rule, struct span name)
{
	struct config_file file = {.rule = rule,
				   .content_type = rule->content_type,
				   .has_secrets = rule->has_secrets,
				   .is_essential = rule->is_essential};

	if (rule->kind == VENDOR_FILE_CONFIG) {
		file.kind = CONFIG_FILE_RENDERED;
		return file;
	}
	file.catalogue = inventory_file(inventory, name);
	if (!file.catalogue) {
		return (struct config_file){0};
	}
	file.kind = CONFIG_FILE_CATALOGUE;
	return file;
}

static struct config_file file_of_catalogue(const struct catalogue_file *catalogue)
{
	if (!catalogue) {
		return (struct config_file){0};
	}
	return (struct config_file){.kind = CONFIG_FILE_CATALOGUE,
				    .catalogue = catalogue,
				    .content_type = SPAN("application/octet-stream")};
}

/*
 * A file that is in the catalogue and no rule of the device's own maker knows. What some pack calls
 * a secret is one whoever asks, and with another phone's MAC in its name it is not for this one.
 */
static struct config_file file_of_others(const struct inventory *inventory,
					 const struct device *device, struct span name,
					 struct vendor_work *work)
{
	const struct catalogue_file *catalogue = inventory_file(inventory, name);

	for (size_t i = 0; catalogue && i < inventory->vendors.count; i++) {
		const struct vendor_pack *pack = inventory->vendors.packs[i];

		for (size_t row = 0; row < pack->file_count; row++) {
			const struct vendor_file *rule = &pack->files[row];
			struct vendor_file_match match;

			if (rule->kind != VENDOR_FILE_STORED || !rule->has_secrets ||
			    !vendor_file_matches(work, rule, &match) || match.is_by_model_alone) {
				continue;
			}
			return match.has_mac && !mac_equal(match.mac, device->mac)
				       ? (struct config_file){0}
				       : file_of_rule(inventory, rule, name);
		}
	}
	return file_of_catalogue(catalogue);
}

/*
 * What else its phones ask for and mean by it. A MAC in the name is this device's, or the name is
 * not for it; a model alone tells nothing that write_pattern does not know better.
 */
static bool fits_pattern(struct vendor_work *work, const struct device *device,
			 const struct vendor_file *rule)
{
	struct vendor_file_match match;

	return vendor_file_matches(work, rule, &match) && !match.is_by_model_alone &&
	       (!match.has_mac || mac_equal(match.mac, device->mac));
}

static const struct vendor_file *rule_of(const struct vendor_pack *pack,
					 const struct device *device, struct span name,
					 struct vendor_work *work)
{
	for (size_t i = 0; pack && i < pack->file_count; i++) {
		if (names_file(device, &pack->files[i], name)) {
			return &pack->files[i];
		}
	}
	for (size_t i = 0; pack && i < pack->file_count; i++) {
		if (fits_pattern(work, device, &pack->files[i])) {
			return &pack->files[i];
		}
	}
	return NULL;
}

/*
 * For a device whose maker is not recorded (yet): a name that only one maker's phones ask for, or
 * that of the maker whose OUI it has.
 */
static const struct vendor_file *rule_of_anybody(const struct inventory *inventory,
						 const struct device *device, struct span name,
						 struct vendor_work *work)
{
	const struct vendor_pack *by_oui = vendor_by_oui(&inventory->vendors, device->mac);
	const struct vendor_file *found = rule_of(by_oui, device, name, work);

	for (size_t i = 0; !by_oui && i < inventory->vendors.count; i++) {
		const struct vendor_file *rule =
			rule_of(inventory->vendors.packs[i], device, name, work);

		if (rule && found) {
			return NULL;
		}
		found = rule ? rule : found;
	}
	return found;
}

/* Patterns see the last part of a name; of one that is too long, nothing. */
static void begin_work(struct vendor_work *work, struct span name)
{
	size_t start = name.length;

	while (start > 0 && name.data[start - 1] != '/') {
		start--;
	}
	vendor_work_begin(work);
	if (name.length - start <= vendor_text_max) {
		vendor_work_text(work, span_slice(name, start, name.length));
	}
}

struct config_file config_file_find(const struct inventory *inventory, const struct device *device,
				    struct span name)
{
	const struct vendor_pack *pack =
		vendor_find(&inventory->vendors, span_text(device->vendor));
	const struct vendor_file *rule;
	UNCLEARED struct vendor_work work;

	begin_work(&work, name);
	rule = device->vendor[0] ? rule_of(pack, device, name, &work)
				 : rule_of_anybody(inventory, device, name, &work);
	if (rule) {
		return file_of_rule(inventory, rule, name);
	}
	begin_work(&work, name);
	return file_of_others(inventory, device, name, &work);
}

/* The i-th of the pack's files that there are; `*i` is lowered by those passed. */
static bool ith_of_pack(const struct inventory *inventory, const struct device *device,
			const struct vendor_pack *pack, size_t *i, struct writer *name,
			struct config_file *file)
{
	for (size_t row = 0; pack && row < pack->file_count; row++) {
		char text[catalogue_name_max];
		struct writer w = writer_over(text, sizeof(text));
		struct config_file found;

		if (!write_pattern(device, pack->files[row].pattern, &w)) {
			continue;
		}
		found = file_of_rule(inventory, &pack->files[row], writer_span(&w));
		if (found.kind != CONFIG_FILE_NONE && (*i)-- == 0) {
			writer_put(name, writer_span(&w));
			*file = found;
			return true;
		}
	}
	return false;
}

int config_file_name(const struct inventory *inventory, const struct device *device, size_t i,
		     struct writer *name, struct config_file *file)
{
	const struct vendor_pack *pack =
		vendor_find(&inventory->vendors, span_text(device->vendor));
	const struct catalogue_file *catalogue;
	size_t cursor = 0;

	if (ith_of_pack(inventory, device, pack, &i, name, file)) {
		return 0;
	}
	while ((catalogue = inventory_next_file(inventory, &cursor))) {
		struct config_file found =
			config_file_find(inventory, device, span_text(catalogue->name));

		/* Those that a row of the pack names were counted there; what is not for it is
		 * none. */
		if (found.kind == CONFIG_FILE_CATALOGUE && !found.rule && i-- == 0) {
			writer_text(name, catalogue->name);
			*file = found;
			return 0;
		}
	}
	return -ENOENT;
}
