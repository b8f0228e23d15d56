/* SPDX-License-Identifier: MIT */
#include "programs/bellhop/doctor.h"

#include "programs/bellhop/client.h"
#include "programs/bellhop/print.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { arena_bytes_max = 16 << 20, text_size = 1000, line_max = 4096 };

static const char default_config[] = "/etc/bellhop/bellhop.conf";

static const char *const level_names[] = {
	[DOCTOR_OK] = "ok",	  [DOCTOR_NOTE] = "note",	[DOCTOR_WARNING] = "warning",
	[DOCTOR_FAULT] = "fault", [DOCTOR_SKIPPED] = "skipped",
};

static void print_finding(enum doctor_level level, const char *check, const char *text,
			  const char *what_to_do)
{
	printf("%-8s %-10s ", level == DOCTOR_FAULT ? "FAULT" : level_names[level], check);
	(void)table_put(text);
	putchar('\n');
	if (what_to_do) {
		printf("%-8s %-10s -> ", "", "");
		(void)table_put(what_to_do);
		putchar('\n');
	}
	fflush(stdout);
}

void doctor_tell(struct doctor *doctor, enum doctor_level level, const char *check,
		 const char *what_to_do, const char *format, ...)
{
	char text[text_size];
	va_list arguments;
	json_t *finding;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	doctor->fault_count += level == DOCTOR_FAULT;
	doctor->warning_count += level == DOCTOR_WARNING;
	if (!doctor->is_json) {
		print_finding(level, check, text, what_to_do);
		return;
	}
	finding = json_pack("{s:s, s:s, s:s, s:s?}", "check", check, "level", level_names[level],
			    "text", text, "what_to_do", what_to_do);
	if (!finding || json_array_append_new(doctor->findings, finding) != 0) {
		doctor->fault_count++; /* without memory nothing is well */
	}
}

/* --- What the server was told. --- */

/* The file behind -c in the server's own command line, from where it was started. */
static bool config_of_server(const struct doctor *doctor, char path[static PATH_MAX])
{
	char line[line_max] = "";
	char name[64];
	char folder[PATH_MAX];
	ssize_t folder_length;
	size_t length;
	FILE *file;

	snprintf(name, sizeof(name), "/proc/%lld/cmdline", doctor->pid);
	file = doctor->pid > 0 ? fopen(name, "re") : NULL;
	if (!file) {
		return false;
	}
	length = fread(line, 1, sizeof(line) - 1, file);
	fclose(file);
	snprintf(name, sizeof(name), "/proc/%lld/cwd", doctor->pid);
	folder_length = readlink(name, folder, sizeof(folder) - 1);
	for (size_t at = 0; at < length; at += strlen(line + at) + 1) {
		const char *given = line + at + 3;

		if (strcmp(line + at, "-c") != 0 || at + 3 >= length) {
			continue;
		}
		if (given[0] == '/' || folder_length <= 0) {
			return snprintf(path, PATH_MAX, "%s", given) < PATH_MAX;
		}
		return snprintf(path, PATH_MAX, "%.*s/%s", (int)folder_length, folder, given) <
		       PATH_MAX;
	}
	return false;
}

static int parse(struct doctor *doctor, const char *path)
{
	char *text = calloc(1, configuration_bytes_max + 1);
	struct ini ini = {0};
	FILE *file = path ? fopen(path, "re") : NULL;
	size_t length = file && text ? fread(text, 1, configuration_bytes_max, file) : 0;
	int error = !text ? -ENOMEM : path && !file ? -errno : 0;

	if (!error) {
		error = configuration_parse(&doctor->config, &doctor->arena,
					    span_make(text, length), &ini);
	}
	if (!error && ini.mistake_count > 0) {
		doctor_tell(doctor, DOCTOR_FAULT, "config",
			    "see all of them with bellhopd --check -c FILE", "%s:%u: %.*s",
			    path ? path : "(defaults)", ini.mistakes[0].line,
			    (int)ini.mistakes[0].text.length, ini.mistakes[0].text.data);
		error = -EINVAL;
	}
	if (file) {
		fclose(file);
	}
	free(text);
	return error;
}

static int read_config(struct doctor *doctor)
{
	char path[PATH_MAX];
	const char *chosen = NULL;
	int error;

	if (doctor->arguments->word_count > 0) {
		chosen = doctor->arguments->words[0];
	} else if (config_of_server(doctor, path)) {
		chosen = path;
	} else if (access(default_config, R_OK) == 0 || errno != ENOENT) {
		chosen = default_config;
	}
	error = parse(doctor, chosen);
	if (error == 0) {
		doctor_tell(doctor, DOCTOR_OK, "config", NULL, "read %s",
			    chosen ? chosen : "the defaults, for there is no file");
	} else if (error == -EACCES && geteuid() != 0) {
		doctor_tell(doctor, DOCTOR_SKIPPED, "config", "run it as root: sudo bellhop doctor",
			    "%s may not be read by this user; what follows is told of the defaults",
			    chosen);
	} else if (error != -EINVAL) {
		doctor_tell(doctor, DOCTOR_FAULT, "config", "name the file: bellhop doctor FILE",
			    "%s cannot be read: %s", chosen ? chosen : "the configuration",
			    strerror(-error));
	}
	return error;
}

/* --- Interfaces, for all checks. --- */

static bool is_candidate(const struct interface *interface)
{
	return !interface->is_loopback && interface->is_up && interface->is_multicast;
}

bool doctor_interface_name(const struct doctor *doctor, size_t i, char name[static IF_NAMESIZE])
{
	return i < doctor->config.sip_interface_count &&
	       span_to_text(doctor->config.sip_interfaces[i], name, IF_NAMESIZE) == 0;
}

const struct interface *doctor_interface(const struct doctor *doctor, size_t i)
{
	const struct interface *interface;

	if (doctor->config.sip_interface_count > 0) {
		char name[IF_NAMESIZE];

		return doctor_interface_name(doctor, i, name)
			       ? interfaces_by_name(doctor->interfaces, name)
			       : NULL;
	}
	for (size_t at = 0; (interface = interfaces_at(doctor->interfaces, at)); at++) {
		if (is_candidate(interface) && i-- == 0) {
			return interface;
		}
	}
	return NULL;
}

const struct interface_address *doctor_address(const struct doctor *doctor,
					       const struct interface *interface)
{
	const struct interface_address *address;

	for (size_t i = 0; (address = interfaces_address_at(doctor->interfaces, i)); i++) {
		if (address->interface == interface->index &&
		    address->address.family == ADDRESS_IPV4) {
			return address;
		}
	}
	return NULL;
}

static int open_parts(struct doctor *doctor)
{
	int error = loop_open(&doctor->loop);

	if (error) {
		return error;
	}
	error = interfaces_open(&doctor->interfaces, &doctor->loop, NULL);
	if (error) {
		loop_close(&doctor->loop);
	}
	return error;
}

static void close_parts(struct doctor *doctor)
{
	interfaces_close(doctor->interfaces);
	uv_run(&doctor->loop.uv, UV_RUN_NOWAIT);
	loop_close(&doctor->loop);
}

static void ask_server(struct doctor *doctor)
{
	say_quiet(true);
	if (client_try(doctor->arguments, "GET", "/api/v1/status", NULL, &doctor->status) !=
	    EXIT_DONE) {
		/* What is there then is its refusal. */
		doctor->may_not_ask = doctor->status || client_is_forbidden(doctor->arguments);
		json_decref(doctor->status);
		doctor->status = NULL;
	}
	say_quiet(false);
	doctor->pid = json_integer_value(json_object_get(doctor->status, "pid"));
}

static void run_checks(struct doctor *doctor)
{
	static void (*const checks[])(struct doctor *) = {
		doctor_check_server, doctor_check_interfaces, doctor_check_bridges,
		doctor_check_ports,  doctor_check_firewall,   doctor_check_canary,
		doctor_check_phones, doctor_check_dhcp,	      doctor_check_tls,
		doctor_check_clock,  doctor_check_disk,
	};

	for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++) {
		checks[i](doctor);
	}
}

static int conclude(const struct doctor *doctor)
{
	if (doctor->is_json) {
		return print_json(doctor->findings) == EXIT_DONE && doctor->fault_count == 0
			       ? EXIT_DONE
			       : EXIT_FAILED;
	}
	if (doctor->fault_count > 0) {
		printf("\n%zu fault%s, %zu warning%s\n", doctor->fault_count,
		       doctor->fault_count == 1 ? "" : "s", doctor->warning_count,
		       doctor->warning_count == 1 ? "" : "s");
		return EXIT_FAILED;
	}
	printf("\nno fault, %zu warning%s\n", doctor->warning_count,
	       doctor->warning_count == 1 ? "" : "s");
	return EXIT_DONE;
}

int run_doctor(const struct arguments *arguments)
{
	struct doctor doctor = {.arguments = arguments,
				.is_json = argument(arguments, OPTION_JSON) != NULL,
				.findings = json_array()};
	int error = open_parts(&doctor);
	int result;

	if (error) {
		json_decref(doctor.findings);
		return fail("the network interfaces cannot be read: %s", strerror(-error));
	}
	arena_init(&doctor.arena, arena_bytes_max);
	ask_server(&doctor);
	/* With a broken file the defaults are looked at: most of it is the same. */
	if (read_config(&doctor) != 0 &&
	    configuration_parse(&doctor.config, &doctor.arena, SPAN(""), &(struct ini){0}) != 0) {
		result = fail("out of memory");
	} else {
		run_checks(&doctor);
		result = conclude(&doctor);
	}
	close_parts(&doctor);
	arena_free(&doctor.arena);
	json_decref(doctor.status);
	json_decref(doctor.findings);
	return result;
}
