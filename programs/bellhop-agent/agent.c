/* SPDX-License-Identifier: MIT */
#include "programs/bellhop-agent/agent.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

static void turn(struct agent *agent);

/* ---- what the phone sends and tells ---- */

static void send_effects(struct agent *agent)
{
	struct effects *wire = &agent->effects.wire;

	for (size_t i = 0; i < wire->count; i++) {
		const struct effect_send *send = &wire->items[i].send;
		struct udp_datagram datagram;

		if (wire->items[i].kind != EFFECT_SEND) {
			continue;
		}
		datagram = (struct udp_datagram){.to = send->to,
						 .from = send->from.address,
						 .interface = send->interface,
						 .bytes = send->bytes};
		show_message(&agent->show, send->from, send->to, send->bytes);
		udp_send(agent->udp, &datagram, 1);
	}
}

static void tell_effects(struct agent *agent)
{
	for (size_t i = 0; i < agent->effects.event_count; i++) {
		show_event(&agent->show, &agent->effects.events[i], loop_utc_ms());
	}
}

/* ---- the phone's tasks ---- */

static void task_done(struct agent *agent, const struct phone_change *change)
{
	struct phone_change done = *change;

	done.kind = PHONE_CHANGE_TASK_DONE;
	done.task_number = agent->task_number;
	phone_change(agent->phone, &done, loop_now_ms(&agent->loop), &agent->effects);
}

static void task_failed(struct agent *agent, int error)
{
	task_done(agent,
		  &(struct phone_change){.error = error, .text = span_text(strerror(-error))});
}

static void download_done(void *context, const struct download_result *result)
{
	struct agent *agent = context;
	struct phone_change change = {.error = result->error,
				      .status = result->status,
				      .bytes = result->bytes,
				      .byte_count = result->byte_count,
				      .text = span_text(result->text)};

	if (agent->image_file >= 0) {
		if (close(agent->image_file) != 0 && change.error == 0) {
			change.error = -errno;
		}
		agent->image_file = -1;
		if (change.error != 0) {
			unlink(agent->image_part);
		}
	}
	task_done(agent, &change);
	turn(agent);
}

static void begin_fetch(struct agent *agent, const struct phone_task *task)
{
	struct download_request request = {.url = task->url,
					   .bytes_max = task->bytes_max,
					   .is_head = task->is_head,
					   .file = -1,
					   .done = download_done,
					   .context = agent};
	int error;

	if (task->to_file) {
		agent->image_file =
			open(agent->image_part,
			     O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
		if (agent->image_file < 0) {
			task_failed(agent, -errno);
			return;
		}
		request.file = agent->image_file;
	}
	error = downloads_start(agent->downloads, &request);
	if (error != 0) {
		if (agent->image_file >= 0) {
			close(agent->image_file);
			agent->image_file = -1;
		}
		task_failed(agent, error);
	}
}

/* What is known of the image that was burnt, in the format of the settings. */
static int remember_image(struct agent *agent, const struct phone_task *task)
{
	char buffer[256];
	struct writer w = writer_over(buffer, sizeof(buffer));

	writer_text(&w, "version=");
	writer_put(&w, task->version);
	writer_text(&w, "\nfingerprint=");
	writer_put(&w, task->fingerprint);
	writer_char(&w, '\n');
	return w.failed ? -E2BIG : filesystem_replace(agent->image_facts, writer_span(&w));
}

/* What the command did not take is not in force: the next round, in this life or another, tries
 * anew. */
static void put_settings_back(struct agent *agent)
{
	int error = agent->had_settings ? filesystem_replace(agent->options.settings_path,
							     agent->settings_before)
		    : unlink(agent->options.settings_path) == 0 ? 0
								: -errno;

	if (error != 0) {
		show_problem("%s: %s", agent->options.settings_path, strerror(-error));
	}
}

static void forget_settings_before(struct agent *agent)
{
	free((char *)(uintptr_t)agent->settings_before.data);
	agent->settings_before = (struct span){0};
	agent->had_settings = false;
}

static void command_done(void *context, int error)
{
	struct agent *agent = context;
	enum agent_command ended = agent->running;
	const struct phone_task *task = phone_task(agent->phone);
	struct phone_change change = {.error = error};

	agent->running = AGENT_NO_COMMAND;
	if (error != 0 && ended == AGENT_ON_CONFIG) {
		put_settings_back(agent);
		change.text = error == -ETIMEDOUT ? SPAN("the command of --on-config took too long")
						  : SPAN("the command of --on-config failed");
	} else if (error != 0) {
		show_problem("--on-firmware: the command %s",
			     error == -ETIMEDOUT ? "took too long" : "failed");
	} else if (ended == AGENT_ON_FIRMWARE && task) {
		change.error = remember_image(agent, task);
	}
	if (agent->is_over) {
		return;
	}
	task_done(agent, &change);
	turn(agent);
}

static void run_command(struct agent *agent, enum agent_command which, const char *file)
{
	const struct phone_identity *identity = phone_identity(agent->phone);
	const struct phone_task *task = phone_task(agent->phone);
	struct command *command = &agent->command;
	char text[phone_firmware_version_max + 1];
	char mac[mac_text_size];
	int error;

	command_reset(command);
	command_set(command, "BELLHOP_FILE", file);
	mac_text(identity->mac, mac);
	command_set(command, "BELLHOP_MAC", mac);
	if (span_to_text(identity->model, text, sizeof(text)) == 0) {
		command_set(command, "BELLHOP_MODEL", text);
	}
	if (which == AGENT_ON_FIRMWARE && span_to_text(task->version, text, sizeof(text)) == 0) {
		command_set(command, "BELLHOP_VERSION", text);
	}
	command_set(command, "BELLHOP_REBOOT", task->effects & PHONE_EFFECT_REBOOT ? "1" : "0");
	command->done = command_done;
	command->context = agent;
	agent->running = which;
	error = command_run(command, &agent->loop,
			    which == AGENT_ON_CONFIG ? agent->options.on_config
						     : agent->options.on_firmware,
			    file);
	if (error != 0) {
		agent->running = AGENT_NO_COMMAND;
		task_failed(agent, error);
	}
}

static void begin_burn(struct agent *agent, const struct phone_task *task)
{
	int error = filesystem_move_into_place(agent->image_part, agent->image);

	if (error == 0 && agent->options.on_firmware) {
		run_command(agent, AGENT_ON_FIRMWARE, agent->image);
		return;
	}
	if (error == 0) {
		error = remember_image(agent, task);
	}
	task_done(agent, &(struct phone_change){.error = error});
}

static void begin_store(struct agent *agent, const struct phone_task *task)
{
	const char *path = agent->options.settings_path;
	int error;

	forget_settings_before(agent);
	error = filesystem_read(path, phone_config_bytes_max, &agent->settings_before);
	agent->had_settings = error == 0;
	if (error == 0 || error == -ENOENT) {
		error = filesystem_replace(path, task->text);
	}
	if (error != 0) {
		task_failed(agent, error);
	} else if (agent->options.on_config) {
		run_command(agent, AGENT_ON_CONFIG, path);
	} else {
		task_done(agent, &(struct phone_change){.error = 0});
	}
}

static void begin_task(struct agent *agent, const struct phone_task *task)
{
	agent->task_number = task->number;
	switch (task->kind) {
	case PHONE_TASK_FETCH:
		begin_fetch(agent, task);
		break;
	case PHONE_TASK_BURN:
		begin_burn(agent, task);
		break;
	case PHONE_TASK_STORE:
		begin_store(agent, task);
		break;
	case PHONE_TASK_NONE:
		break;
	}
}

/* After every call of the phone: carry out what it decided, until it waits for something. */
static void turn(struct agent *agent)
{
	for (;;) {
		const struct phone_task *task;

		send_effects(agent);
		tell_effects(agent);
		phone_effects_reset(&agent->effects);
		task = phone_task(agent->phone);
		if (!task || task->number == agent->task_number) {
			break;
		}
		begin_task(agent, task);
	}
	loop_timer_set(&agent->timer, phone_next_wake(agent->phone));
	if (agent->options.is_once && phone_last_round(agent->phone)->number > 0) {
		agent->is_over = true;
		loop_stop(&agent->loop);
	}
}

/* ---- what comes in ---- */

static void received(void *context, const struct udp_received *datagrams, size_t count)
{
	struct agent *agent = context;

	for (size_t i = 0; i < count; i++) {
		struct packet packet = {.bytes = datagrams[i].bytes,
					.source = datagrams[i].source,
					.target = datagrams[i].target,
					.local = datagrams[i].local,
					.interface = datagrams[i].interface};

		show_message(&agent->show, packet.source, agent->place.local, packet.bytes);
		phone_receive(agent->phone, &packet, loop_now_ms(&agent->loop), &agent->effects);
		turn(agent);
	}
}

/* Nobody there (yet): the phone resends all the same, and gives up by its own clock. */
static void unreachable(void *context, struct endpoint to, int error)
{
	struct agent *agent = context;
	char text[endpoint_text_size];

	if (agent->show.has_messages) {
		endpoint_text(to, text);
		show_problem("%s: %s", text, strerror(error));
	}
}

static void set_clock(struct agent *agent)
{
	struct phone_change change = {.kind = PHONE_CHANGE_CLOCK, .utc_ms = loop_utc_ms()};
	time_t utc_s = (time_t)(change.utc_ms / 1000);
	struct tm local;

	if (localtime_r(&utc_s, &local)) {
		change.utc_offset_s = (int)local.tm_gmtoff;
	}
	phone_change(agent->phone, &change, loop_now_ms(&agent->loop), &agent->effects);
}

static void rang(void *context)
{
	struct agent *agent = context;

	set_clock(agent);
	phone_expire(agent->phone, loop_now_ms(&agent->loop), &agent->effects);
	turn(agent);
}

static void signalled(uv_signal_t *handle, int number)
{
	struct agent *agent = handle->data;

	(void)number;
	agent->is_over = true;
	loop_stop(&agent->loop);
}

/* ---- opening and closing ---- */

static int state_path(struct agent *agent, const char *name, char path[filesystem_path_max])
{
	if (snprintf(path, filesystem_path_max, "%s/%s", agent->options.state, name) >=
	    filesystem_path_max) {
		show_problem("--state %s: too long", agent->options.state);
		return -ENAMETOOLONG;
	}
	return 0;
}

/* A missing or damaged file means that nothing is known of the image: it is taken anew. */
static void recall_image(struct agent *agent)
{
	struct span bytes;
	struct phone_config facts;
	struct arena arena;
	unsigned line;

	if (filesystem_read(agent->image_facts, 4096, &bytes) != 0) {
		return;
	}
	arena_init(&arena, 1 << 16);
	if (phone_config_parse(bytes, &arena, &facts, &line) == 0 &&
	    sip_is_token(phone_config_get(&facts, "version"))) {
		span_to_text(phone_config_get(&facts, "version"), agent->version,
			     sizeof(agent->version));
	}
	if (phone_config_parse(bytes, &arena, &facts, &line) == 0) {
		span_to_text(phone_config_get(&facts, "fingerprint"), agent->fingerprint,
			     sizeof(agent->fingerprint));
	}
	arena_free(&arena);
	free((char *)(uintptr_t)bytes.data);
}

static int open_state(struct agent *agent)
{
	int error = filesystem_make_folder(agent->options.state);

	if (error != 0) {
		show_problem("--state %s: %s", agent->options.state, strerror(-error));
		return error;
	}
	error = state_path(agent, "firmware.part", agent->image_part);
	if (error == 0) {
		error = state_path(agent, "firmware.img", agent->image);
	}
	if (error == 0) {
		error = state_path(agent, "firmware.cfg", agent->image_facts);
	}
	if (error == 0) {
		recall_image(agent);
	}
	return error;
}

static int make_phone(struct agent *agent, struct span settings)
{
	const struct options *options = &agent->options;
	const char *version = options->version ? options->version : agent->version;
	struct phone_options with = {
		.identity = {.mac = agent->place.mac,
			     .model = span_text(options->model),
			     .version = span_text(version),
			     .mac_is_lower = options->mac_is_lower},
		.dhcp = options->dhcp,
		.local = agent->place.local,
		.target = agent->place.target,
		.interface = agent->place.interface,
		.allowed = options->allowed,
		.allowed_count = options->allowed_count,
		.is_once = options->is_once,
		.fingerprint = span_text(agent->fingerprint),
		.message = &agent->message,
		.random = &agent->random,
	};
	unsigned line = 0;
	int error = phone_new(&agent->phone, &with, settings, &line);

	if (error != 0 && line > 0) {
		show_problem("%s:%u: wanted name=value", options->settings_path, line);
	} else if (error == -EINVAL) {
		show_problem("--model, --version or --dhcp-option cannot be used as it is");
	} else if (error != 0) {
		show_problem("%s: %s", options->settings_path, strerror(-error));
	}
	return error;
}

static int open_phone(struct agent *agent)
{
	const char *path = agent->options.settings_path;
	struct span settings = SPAN("");
	uint8_t seed[random_seed_size];
	int error = filesystem_read(path, phone_config_bytes_max, &settings);
	bool is_there = error == 0;

	if (error != 0 && error != -ENOENT) {
		show_problem("%s: %s", path, strerror(-error));
		return error;
	}
	if (getrandom(seed, sizeof(seed), 0) != (ssize_t)sizeof(seed)) {
		error = -EIO;
		show_problem("no random numbers: %s", strerror(errno));
	} else {
		random_init(&agent->random, seed);
		error = make_phone(agent, settings);
	}
	if (is_there) {
		free((char *)(uintptr_t)settings.data);
	}
	return error;
}

static int open_signals(struct agent *agent)
{
	static const int numbers[] = {SIGINT, SIGTERM};

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		int error = uv_signal_init(&agent->loop.uv, &agent->signals[i]);

		if (error == 0) {
			agent->signals[i].data = agent;
			agent->signal_count++;
			error = uv_signal_start(&agent->signals[i], signalled, numbers[i]);
		}
		if (error != 0) {
			show_problem("signals: %s", strerror(-error));
			return error;
		}
	}
	return 0;
}

static int open_udp(struct agent *agent)
{
	struct udp_options options = {.bind = agent->place.local,
				      .received = received,
				      .unreachable = unreachable,
				      .context = agent};
	char problem[udp_problem_size];
	int error = udp_open(&agent->udp, &agent->loop, &options, problem);

	if (error != 0) {
		show_problem("%s (see --address and --port)", problem);
		return error;
	}
	agent->place.local = udp_endpoint(agent->udp);
	return 0;
}

/* As the phones write it: AUDC-IPPhone/2.2.8.61 (440HD; 00908F602AAC) */
static void write_user_agent(struct agent *agent)
{
	const struct phone_identity *identity = phone_identity(agent->phone);
	struct writer w = writer_over(agent->user_agent, sizeof(agent->user_agent));

	writer_text(&w, "AUDC-IPPhone/");
	writer_put(&w, identity->version);
	writer_text(&w, " (");
	writer_put(&w, identity->model);
	writer_text(&w, "; ");
	mac_write_upper(&w, identity->mac);
	writer_char(&w, ')');
	writer_terminate(&w);
}

static int open_downloads(struct agent *agent)
{
	struct downloads_options options = {.user_agent = agent->user_agent,
					    .ca_file = agent->options.ca_file,
					    .is_insecure = agent->options.is_insecure,
					    .local = agent->place.local.address};
	int error;

	write_user_agent(agent);
	error = downloads_open(&agent->downloads, &agent->loop, &options);
	if (error != 0) {
		show_problem("downloads: %s", strerror(-error));
	}
	return error;
}

int agent_open(struct agent *agent, const struct options *options)
{
	int error;

	*agent = (struct agent){.options = *options,
				.show = {options->is_json, options->shows_messages},
				.image_file = -1};
	error = loop_open(&agent->loop);
	agent->loop_is_open = error == 0;
	if (error == 0) {
		error = loop_timer_open(&agent->timer, &agent->loop, rang, agent);
	}
	if (error == 0) {
		error = phone_effects_init(&agent->effects);
	}
	if (error != 0) {
		show_problem("%s", strerror(-error));
		return error;
	}
	error = place_find(&agent->options, &agent->place);
	if (error == 0) {
		error = open_signals(agent);
	}
	if (error == 0) {
		error = open_state(agent);
	}
	if (error == 0) {
		error = open_udp(agent);
	}
	if (error == 0) {
		error = open_phone(agent);
	}
	return error == 0 ? open_downloads(agent) : error;
}

void agent_run(struct agent *agent)
{
	struct phone_change start = {.kind = PHONE_CHANGE_START};

	set_clock(agent);
	phone_change(agent->phone, &start, loop_now_ms(&agent->loop), &agent->effects);
	turn(agent);
	if (!agent->is_over) {
		loop_run(&agent->loop);
	}
}

void agent_close(struct agent *agent)
{
	agent->is_over = true;
	if (agent->running != AGENT_NO_COMMAND) {
		uv_kill(-agent->command.process.pid, SIGTERM);
	}
	if (agent->running == AGENT_ON_CONFIG) {
		put_settings_back(agent);
	}
	if (agent->downloads) {
		downloads_close(agent->downloads);
	}
	if (agent->image_file >= 0) {
		close(agent->image_file);
		unlink(agent->image_part);
	}
	if (agent->udp) {
		udp_close(agent->udp);
	}
	if (agent->timer.is_open) {
		loop_timer_close(&agent->timer, NULL);
	}
	for (unsigned i = 0; i < agent->signal_count; i++) {
		uv_close((uv_handle_t *)&agent->signals[i], NULL);
	}
	if (agent->loop_is_open) {
		loop_close(&agent->loop);
	}
	forget_settings_before(agent);
	phone_free(agent->phone);
	phone_effects_free(&agent->effects);
}
