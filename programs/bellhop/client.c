/* SPDX-License-Identifier: MIT */
#include "programs/bellhop/client_request.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { answer_bytes_max = 512 << 20, ask_timeout_s = 60, connect_timeout_s = 5 };

const char *const json_content_type = "Content-Type: application/json";

int text_add(struct text *text, const char *bytes, size_t length)
{
	char *data = realloc(text->data, text->length + length + 1);

	if (!data) {
		return -ENOMEM;
	}
	memcpy(data + text->length, bytes, length);
	data[text->length + length] = '\0';
	text->data = data;
	text->length += length;
	return 0;
}

int text_add_encoded(struct text *text, const char *value, bool keep_slash)
{
	static const char unreserved[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
					 "0123456789-._~";
	int result = 0;

	for (; *value && result == 0; value++) {
		char code[4];

		if (strchr(unreserved, *value) || (keep_slash && *value == '/')) {
			result = text_add(text, value, 1);
		} else {
			snprintf(code, sizeof(code), "%%%02X", (unsigned char)*value);
			result = text_add(text, code, 3);
		}
	}
	return result;
}

int text_add_member(struct text *path, const char *collection, const char *name, bool keep_slash)
{
	int result = text_add(path, collection, strlen(collection));

	return result == 0 ? text_add_encoded(path, name, keep_slash) : result;
}

int text_add_parameter(struct text *path, const char *name, const char *value)
{
	int result;

	if (!value) {
		return 0;
	}
	result = text_add(path, path->data && strchr(path->data, '?') ? "&" : "?", 1);
	if (result == 0) {
		result = text_add(path, name, strlen(name));
	}
	if (result == 0) {
		result = text_add(path, "=", 1);
	}
	return result == 0 ? text_add_encoded(path, value, false) : result;
}

/* --- Where the server is. --- */

static int try_socket(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd;
	int result = 0;

	if (strlen(path) >= sizeof(address.sun_path)) {
		return -ENAMETOOLONG;
	}
	memcpy(address.sun_path, path, strlen(path) + 1);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0) {
		return -errno;
	}
	if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0) {
		result = -errno;
	}
	close(fd);
	return result;
}

static const char *const places[] = {"/run/bellhop/admin.sock", "/var/lib/bellhop/admin.sock",
				     "./var/admin.sock"};
enum { place_count = sizeof(places) / sizeof(places[0]) };

/* The socket that somebody named, or NULL. */
static const char *named_socket(const struct arguments *arguments)
{
	const char *named = argument(arguments, OPTION_SOCKET);

	if (!named) {
		named = getenv("BELLHOP_SOCKET");
	}
	return named && *named ? named : NULL;
}

/* A socket that somebody named is the only one that is tried: no other server is meant. */
static const char *find_socket(const struct arguments *arguments)
{
	const char *named = named_socket(arguments);
	const char *forbidden = NULL;

	if (named) {
		int result = try_socket(named);

		if (result == 0) {
			return named;
		}
		say("no server answers at %s (%s); start bellhopd, or name its socket with "
		    "--socket%s",
		    named, strerror(-result),
		    result == -EACCES ? "; to use this one be root or in its group" : "");
		return NULL;
	}
	for (size_t i = 0; i < place_count; i++) {
		int result = try_socket(places[i]);

		if (result == 0) {
			return places[i];
		}
		if (result == -EACCES && !forbidden) {
			forbidden = places[i];
		}
	}
	if (forbidden) {
		say("you may not use %s; be root (sudo), or join the group that it belongs to",
		    forbidden);
	} else {
		say("no server answers at %s, %s or %s; start bellhopd, or name its socket with "
		    "--socket or BELLHOP_SOCKET",
		    places[0], places[1], places[2]);
	}
	return NULL;
}

bool client_is_forbidden(const struct arguments *arguments)
{
	const char *named = named_socket(arguments);
	bool is_forbidden = false;

	if (argument(arguments, OPTION_URL)) {
		return false;
	}
	if (named) {
		return try_socket(named) == -EACCES;
	}
	for (size_t i = 0; i < place_count; i++) {
		int result = try_socket(places[i]);

		if (result == 0) {
			return false;
		}
		is_forbidden |= result == -EACCES;
	}
	return is_forbidden;
}

/* --- One request. --- */

long request_timeout_s(const struct arguments *arguments)
{
	return (long)(arguments->timeout_s > 0 ? arguments->timeout_s : (unsigned)ask_timeout_s);
}

void request_free(struct request *request)
{
	curl_easy_cleanup(request->curl);
	curl_slist_free_all(request->headers);
	free(request->url.data);
	free(request->answer.data);
	free(request->body);
}

static size_t take_answer(char *bytes, size_t size, size_t count, void *context)
{
	struct request *request = context;

	if (request->answer.length + size * count > answer_bytes_max) {
		request->is_too_long = true;
		return 0;
	}
	return text_add(&request->answer, bytes, size * count) == 0 ? size * count : 0;
}

/* The token's first line; anything else in the file is not sent. */
static int add_token(struct request *request, const char *path)
{
	char token[1024];
	char header[1100];
	FILE *file = fopen(path, "re");

	if (!file) {
		return fail("cannot read the token from %s: %s", path, strerror(errno));
	}
	if (!fgets(token, sizeof(token), file)) {
		token[0] = '\0';
	}
	fclose(file);
	token[strcspn(token, "\r\n")] = '\0';
	if (token[0] == '\0') {
		return fail("%s holds no token; its first line should be one", path);
	}
	snprintf(header, sizeof(header), "Authorization: Bearer %s", token);
	request->headers = curl_slist_append(request->headers, header);
	return EXIT_DONE;
}

static int set_destination(struct request *request, const struct arguments *arguments)
{
	const char *base = argument(arguments, OPTION_URL);
	const char *token = argument(arguments, OPTION_TOKEN_FILE);
	const char *socket_path = NULL;
	size_t length;

	if (!base) {
		socket_path = find_socket(arguments);
		if (!socket_path) {
			return EXIT_FAILED;
		}
		base = "http://bellhop";
		curl_easy_setopt(request->curl, CURLOPT_UNIX_SOCKET_PATH, socket_path);
		curl_easy_setopt(request->curl, CURLOPT_PROXY, "");
	}
	length = strlen(base);
	while (length > 0 && base[length - 1] == '/') {
		length--;
	}
	if (text_add(&request->url, base, length) < 0) {
		return fail("out of memory");
	}
	request->base_length = length;
	return token ? add_token(request, token) : EXIT_DONE;
}

int request_open(struct request *request, const struct arguments *arguments)
{
	*request = (struct request){.curl = curl_easy_init()};
	if (!request->curl) {
		return fail("out of memory");
	}
	if (set_destination(request, arguments) != EXIT_DONE) {
		return EXIT_FAILED;
	}
	/* 100 Continue would only cost a round: the server takes the body anyway. */
	request->headers = curl_slist_append(request->headers, "Expect:");
	curl_easy_setopt(request->curl, CURLOPT_PATH_AS_IS,
			 1L); /* ".." is the server's to refuse */
	curl_easy_setopt(request->curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(request->curl, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(request->curl, CURLOPT_CONNECTTIMEOUT, (long)connect_timeout_s);
	curl_easy_setopt(request->curl, CURLOPT_WRITEFUNCTION, take_answer);
	return EXIT_DONE;
}

int request_aim(struct request *request, const char *method, const char *path)
{
	request->url.length = request->base_length;
	request->answer.length = 0;
	request->is_too_long = false;
	request->error[0] = '\0';
	if (text_add(&request->url, path, strlen(path)) < 0) {
		return -ENOMEM;
	}
	curl_easy_setopt(request->curl, CURLOPT_URL, request->url.data);
	curl_easy_setopt(request->curl, CURLOPT_CUSTOMREQUEST, method);
	curl_easy_setopt(request->curl, CURLOPT_ERRORBUFFER, request->error);
	curl_easy_setopt(request->curl, CURLOPT_WRITEDATA, request);
	return 0;
}

int request_set_body(struct request *request, const json_t *body)
{
	free(request->body);
	request->body = json_dumps(body, JSON_COMPACT);
	if (!request->body) {
		return -ENOMEM;
	}
	curl_easy_setopt(request->curl, CURLOPT_POSTFIELDS, request->body);
	curl_easy_setopt(request->curl, CURLOPT_POSTFIELDSIZE_LARGE,
			 (curl_off_t)strlen(request->body));
	return 0;
}

static int request_init(struct request *request, const struct arguments *arguments,
			const char *method, const char *path)
{
	int result = request_open(request, arguments);

	if (result == EXIT_DONE && request_aim(request, method, path) < 0) {
		return fail("out of memory");
	}
	return result;
}

void client_say_refusal(const json_t *refusal)
{
	const char *error = json_string_value(json_object_get(refusal, "error"));
	const char *what_to_do = json_string_value(json_object_get(refusal, "what_to_do"));

	say("%s%s%s", error ? error : "", what_to_do && *what_to_do ? "; " : "",
	    what_to_do ? what_to_do : "");
}

/* Keeps a sentence, to be said when it is its turn. */
static int because(struct request *request, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static int because(struct request *request, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(request->why, sizeof(request->why), format, arguments);
	va_end(arguments);
	return EXIT_FAILED;
}

static const char *answer_of(const struct request *request)
{
	return request->answer.data ? request->answer.data : "";
}

int request_judge(struct request *request, CURLcode code, json_t **refusal)
{
	json_t *json;
	long status = 0;

	if (request->is_too_long) {
		return because(request, "the server's answer is too long; ask for less");
	}
	if (request->write_error) {
		return because(request, "the answer cannot be written: %s",
			       strerror(request->write_error));
	}
	if (code != CURLE_OK) {
		return because(request, "the server cannot be asked: %s; look whether it runs",
			       request->error[0] ? request->error : curl_easy_strerror(code));
	}
	curl_easy_getinfo(request->curl, CURLINFO_RESPONSE_CODE, &status);
	if (status >= 200 && status < 300) {
		return EXIT_DONE;
	}
	json = json_loadb(answer_of(request), request->answer.length, JSON_ALLOW_NUL, NULL);
	if (json_is_string(json_object_get(json, "error"))) {
		*refusal = json;
		return EXIT_FAILED;
	}
	json_decref(json);
	switch (status) {
	case 413:
		return because(request, "the server takes nothing that long; send less");
	case 503:
		return because(request, "the server is asked by too many at once; try again later");
	default:
		return because(request, "the server answered %ld; is that a bellhopd?", status);
	}
}

int request_read_json(struct request *request, json_t **reply)
{
	json_error_t error;
	json_t *json =
		json_loadb(answer_of(request), request->answer.length, JSON_ALLOW_NUL, &error);

	if (!json) {
		return because(request, "the server's answer is not JSON: %s", error.text);
	}
	*reply = json;
	return EXIT_DONE;
}

/* EXIT_FAILED with the server's error object in `*refusal`, or after saying why there is none. */
static int judge(struct request *request, CURLcode code, json_t **refusal)
{
	int result = request_judge(request, code, refusal);

	if (result != EXIT_DONE && !*refusal) {
		say("%s", request->why);
	}
	return result;
}

static int perform(struct request *request, json_t **refusal)
{
	curl_easy_setopt(request->curl, CURLOPT_HTTPHEADER, request->headers);
	return judge(request, curl_easy_perform(request->curl), refusal);
}

/* As perform, and a refusal is said. */
static int perform_or_say(struct request *request)
{
	json_t *refusal = NULL;
	int result = perform(request, &refusal);

	if (refusal) {
		client_say_refusal(refusal);
		json_decref(refusal);
	}
	return result;
}

static int read_json(struct request *request, json_t **reply)
{
	int result = request_read_json(request, reply);

	return result == EXIT_DONE ? result : fail("%s", request->why);
}

int client_try(const struct arguments *arguments, const char *method, const char *path,
	       json_t *body, json_t **reply)
{
	struct request request;
	int result = request_init(&request, arguments, method, path);

	if (result == EXIT_DONE && body) {
		request.headers = curl_slist_append(request.headers, json_content_type);
		result = request_set_body(&request, body) < 0 ? fail("out of memory") : EXIT_DONE;
	}
	if (result == EXIT_DONE) {
		curl_easy_setopt(request.curl, CURLOPT_TIMEOUT, request_timeout_s(arguments));
		result = perform(&request, reply);
	}
	if (result == EXIT_DONE) {
		result = read_json(&request, reply);
	}
	json_decref(body);
	request_free(&request);
	return result;
}

int client_ask(const struct arguments *arguments, const char *method, const char *path,
	       json_t *body, json_t **reply)
{
	int result = client_try(arguments, method, path, body, reply);

	if (result != EXIT_DONE && *reply) {
		client_say_refusal(*reply);
		json_decref(*reply);
		*reply = NULL;
	}
	return result;
}

int client_fetch(const struct arguments *arguments, const char *path, struct text *bytes)
{
	struct request request;
	int result = request_init(&request, arguments, "GET", path);

	if (result == EXIT_DONE) {
		curl_easy_setopt(request.curl, CURLOPT_TIMEOUT, request_timeout_s(arguments));
		result = perform_or_say(&request);
	}
	if (result == EXIT_DONE) {
		*bytes = request.answer;
		request.answer = (struct text){.data = NULL};
	}
	request_free(&request);
	return result;
}

/* --- Sending a file. --- */

static size_t give_file(char *bytes, size_t size, size_t count, void *context)
{
	FILE *file = context;
	size_t given = fread(bytes, size, count, file);

	return given == 0 && ferror(file) ? CURL_READFUNC_ABORT : given * size;
}

struct progress {
	const char *verb;
	int last_percent;
};

static int show_progress(void *context, curl_off_t down_total, curl_off_t down, curl_off_t up_total,
			 curl_off_t up)
{
	struct progress *progress = context;
	curl_off_t total = up_total > 0 ? up_total : down_total;
	curl_off_t done = up_total > 0 ? up : down;
	int percent = total > 0 ? (int)(done * 100 / total) : 0;

	if (total > 0 && percent != progress->last_percent) {
		fprintf(stderr, "\r%s %lld of %lld KiB (%d %%)", progress->verb,
			(long long)done / 1024, (long long)total / 1024, percent);
		progress->last_percent = percent;
	}
	return 0;
}

/* Performs a request that may take long, and shows how far it is. */
static int perform_shown(struct request *request, const char *verb)
{
	struct progress progress = {.verb = verb, .last_percent = -1};
	int result;

	curl_easy_setopt(request->curl, CURLOPT_NOPROGRESS, isatty(STDERR_FILENO) == 1 ? 0L : 1L);
	curl_easy_setopt(request->curl, CURLOPT_XFERINFOFUNCTION, show_progress);
	curl_easy_setopt(request->curl, CURLOPT_XFERINFODATA, &progress);
	result = perform_or_say(request);
	if (progress.last_percent >= 0) {
		fputc('\n', stderr);
	}
	return result;
}

int client_upload(const struct arguments *arguments, const char *path, FILE *file, long long size,
		  json_t **reply)
{
	struct request request;
	int result = request_init(&request, arguments, "PUT", path);

	if (result == EXIT_DONE) {
		curl_easy_setopt(request.curl, CURLOPT_UPLOAD, 1L);
		curl_easy_setopt(request.curl, CURLOPT_READFUNCTION, give_file);
		curl_easy_setopt(request.curl, CURLOPT_READDATA, file);
		curl_easy_setopt(request.curl, CURLOPT_INFILESIZE_LARGE, (curl_off_t)size);
		result = perform_shown(&request, "sent");
	}
	if (result == EXIT_DONE) {
		result = read_json(&request, reply);
	}
	request_free(&request);
	return result;
}

/* --- Fetching a file. --- */

/* What is no success is an error's text. */
static size_t take_file(char *bytes, size_t size, size_t count, void *context)
{
	struct request *request = context;
	long status = 0;

	curl_easy_getinfo(request->curl, CURLINFO_RESPONSE_CODE, &status);
	if (status != 200) {
		return take_answer(bytes, size, count, context);
	}
	if (fwrite(bytes, size, count, request->file) != count) {
		request->write_error = errno;
		return 0;
	}
	return size * count;
}

static void read_numbers(const struct request *request, struct client_number *numbers,
			 size_t number_count)
{
	for (size_t i = 0; i < number_count; i++) {
		struct curl_header *header = NULL;

		if (curl_easy_header(request->curl, numbers[i].name, 0, CURLH_HEADER, -1,
				     &header) == CURLHE_OK) {
			numbers[i].value = strtoll(header->value, NULL, 10);
		}
	}
}

int client_download(const struct arguments *arguments, const char *path, FILE *file,
		    struct client_number *numbers, size_t number_count)
{
	struct request request;
	int result = request_init(&request, arguments, "GET", path);

	if (result == EXIT_DONE) {
		request.file = file;
		curl_easy_setopt(request.curl, CURLOPT_WRITEFUNCTION, take_file);
		result = perform_shown(&request, "received");
		read_numbers(&request, numbers, number_count);
	}
	request_free(&request);
	return result;
}

/* --- Lines as they come. --- */

static size_t take_lines(char *bytes, size_t size, size_t count, void *context)
{
	struct request *request = context;
	size_t start = 0;
	long status = 0;

	if (take_answer(bytes, size, count, request) == 0) {
		return 0;
	}
	curl_easy_getinfo(request->curl, CURLINFO_RESPONSE_CODE, &status);
	if (status != 200) {
		return size * count;
	}
	for (size_t i = 0; i < request->answer.length; i++) {
		if (request->answer.data[i] == '\n') {
			request->answer.data[i] = '\0';
			if (!request->line(request->context, request->answer.data + start)) {
				request->is_stopped = true;
				return 0;
			}
			start = i + 1;
		}
	}
	memmove(request->answer.data, request->answer.data + start, request->answer.length - start);
	request->answer.length -= start;
	return size * count;
}

static enum stream_end end_of(struct request *request, CURLcode code)
{
	json_t *refusal = NULL;
	long status = 0;

	curl_easy_getinfo(request->curl, CURLINFO_RESPONSE_CODE, &status);
	if (request->is_stopped) {
		return STREAM_STOPPED;
	}
	if (code != CURLE_OK && status == 200 && !request->is_too_long) {
		return STREAM_CUT;
	}
	if (judge(request, code, &refusal) == EXIT_DONE) {
		return STREAM_WHOLE;
	}
	if (refusal) {
		client_say_refusal(refusal);
		json_decref(refusal);
	}
	return code == CURLE_OK || request->is_too_long ? STREAM_REFUSED : STREAM_UNREACHABLE;
}

enum stream_end client_stream(const struct arguments *arguments, const char *path,
			      client_line_fn *line, void *context)
{
	struct request request;
	enum stream_end end = STREAM_UNREACHABLE;

	if (request_init(&request, arguments, "GET", path) == EXIT_DONE) {
		request.line = line;
		request.context = context;
		curl_easy_setopt(request.curl, CURLOPT_WRITEFUNCTION, take_lines);
		curl_easy_setopt(request.curl, CURLOPT_HTTPHEADER, request.headers);
		end = end_of(&request, curl_easy_perform(request.curl));
	}
	request_free(&request);
	return end;
}
