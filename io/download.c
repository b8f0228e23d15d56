/* SPDX-License-Identifier: MIT */
#include "io/download.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { redirects_max = 5, memory_first = 4096 };

struct download {
	struct downloads *owner;
	struct download_request request;
	char url[download_url_size];
	CURL *easy; /* NULL: free */
	char *data;
	size_t length;
	size_t room;
	uint64_t byte_count;
	int error; /* ours, from the write callback */
	bool is_full;
};

struct downloads {
	struct loop *loop;
	struct downloads_options options;
	CURLM *multi;
	uv_timer_t timer;
	bool is_closing;
	struct download items[downloads_max];
};

/* One socket of libcurl's that the loop watches; frees itself. */
struct watched {
	uv_poll_t poll;
	struct downloads *owner;
	curl_socket_t socket;
};

/* ---- octets ---- */

static bool make_room(struct download *download, size_t count)
{
	size_t room = download->room > 0 ? download->room : memory_first;
	char *data;

	while (room < download->length + count) {
		room *= 2;
	}
	if (room == download->room) {
		return true;
	}
	data = realloc(download->data, room);
	if (!data) {
		return false;
	}
	download->data = data;
	download->room = room;
	return true;
}

static int write_file(int file, const char *data, size_t count)
{
	while (count > 0) {
		ssize_t written = write(file, data, count);

		if (written < 0 && errno == EINTR) {
			continue;
		}
		if (written <= 0) {
			return written < 0 ? -errno : -EIO;
		}
		data += written;
		count -= (size_t)written;
	}
	return 0;
}

static size_t take_bytes(char *data, size_t size, size_t count, void *context)
{
	struct download *download = context;
	size_t length = size * count;
	uint64_t left = download->request.bytes_max - download->byte_count;
	size_t taken = length < left ? length : (size_t)left;

	if (length > left && !download->request.is_head) {
		download->error = -EFBIG;
		return CURL_WRITEFUNC_ERROR;
	}
	if (download->request.file >= 0) {
		download->error = write_file(download->request.file, data, taken);
	} else if (make_room(download, taken)) {
		memcpy(download->data + download->length, data, taken);
		download->length += taken;
	} else {
		download->error = -ENOMEM;
	}
	if (download->error != 0) {
		return CURL_WRITEFUNC_ERROR;
	}
	download->byte_count += taken;
	download->is_full =
		download->request.is_head && download->byte_count == download->request.bytes_max;
	return download->is_full ? CURL_WRITEFUNC_ERROR : length;
}

/* ---- the end of one ---- */

static int error_of(CURLcode code, unsigned status)
{
	switch ((int)code) {
	case CURLE_OK:
		return 0;
	case CURLE_HTTP_RETURNED_ERROR:
		return status == 404 || status == 410	? -ENOENT
		       : status == 401 || status == 403 ? -EACCES
							: -EIO;
	case CURLE_TFTP_NOTFOUND:
	case CURLE_REMOTE_FILE_NOT_FOUND:
	case CURLE_REMOTE_ACCESS_DENIED: /* FTP: a folder on the way is not there */
		return -ENOENT;
	case CURLE_TFTP_PERM:
	case CURLE_LOGIN_DENIED:
		return -EACCES;
	case CURLE_OPERATION_TIMEDOUT:
		return -ETIMEDOUT;
	case CURLE_COULDNT_CONNECT:
		return -ECONNREFUSED;
	case CURLE_COULDNT_RESOLVE_HOST:
		return -EHOSTUNREACH;
	case CURLE_FILESIZE_EXCEEDED:
		return -EFBIG;
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CONNECT_ERROR:
	case CURLE_SSL_CACERT_BADFILE:
	case CURLE_SSL_ISSUER_ERROR:
		return -EKEYREJECTED;
	default:
		return -EIO;
	}
}

static void release(struct download *download)
{
	if (download->easy) {
		curl_multi_remove_handle(download->owner->multi, download->easy);
		curl_easy_cleanup(download->easy);
	}
	free(download->data);
	*download = (struct download){.owner = download->owner};
}

static void finish(struct download *download, CURLcode code)
{
	struct download ended = *download;
	char *scheme = NULL;
	long status = 0;
	struct download_result result = {.text = ""};

	curl_easy_getinfo(download->easy, CURLINFO_SCHEME, &scheme);
	curl_easy_getinfo(download->easy, CURLINFO_RESPONSE_CODE, &status);
	if (scheme && strncasecmp(scheme, "http", 4) == 0) {
		result.status = (unsigned)status;
	}
	result.error = ended.error;
	if (result.error == 0 && !ended.is_full) {
		result.error = error_of(code, result.status);
	}
	if (result.error != 0) {
		result.text = ended.error == -EFBIG ? "larger than what is taken"
						    : curl_easy_strerror(code);
	}
	result.bytes = span_make(ended.data, ended.length);
	result.byte_count = ended.byte_count;
	/* The slot is free before the caller may start the next. */
	download->data = NULL;
	release(download);
	ended.request.done(ended.request.context, &result);
	free(ended.data);
}

/* A callback may close us: then nothing of `downloads` but its memory is left. */
static void collect(struct downloads *downloads)
{
	CURLMsg *message;
	int left;

	while (!downloads->is_closing &&
	       (message = curl_multi_info_read(downloads->multi, &left))) {
		struct download *download = NULL;

		if (message->msg != CURLMSG_DONE) {
			continue;
		}
		curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&download);
		finish(download, message->data.result);
	}
}

/* ---- libcurl on the loop ---- */

static void act(struct downloads *downloads, curl_socket_t socket, int flags)
{
	int running;

	curl_multi_socket_action(downloads->multi, socket, flags, &running);
	collect(downloads);
}

static void polled(uv_poll_t *poll, int status, int events)
{
	struct watched *watched = poll->data;
	int flags = status < 0 ? CURL_CSELECT_ERR : 0;

	if (events & UV_READABLE) {
		flags |= CURL_CSELECT_IN;
	}
	if (events & UV_WRITABLE) {
		flags |= CURL_CSELECT_OUT;
	}
	act(watched->owner, watched->socket, flags);
}

static void watched_closed(uv_handle_t *handle)
{
	free(handle->data);
}

static int watch(struct downloads *downloads, curl_socket_t socket, struct watched **watched)
{
	struct watched *made = calloc(1, sizeof(*made));

	if (!made || uv_poll_init_socket(&downloads->loop->uv, &made->poll, socket) != 0) {
		free(made);
		return -1;
	}
	made->owner = downloads;
	made->socket = socket;
	made->poll.data = made;
	curl_multi_assign(downloads->multi, socket, made);
	*watched = made;
	return 0;
}

static int socket_wanted(CURL *easy, curl_socket_t socket, int action, void *context,
			 void *socket_context)
{
	struct downloads *downloads = context;
	struct watched *watched = socket_context;
	int events = 0;

	(void)easy;
	if (action == CURL_POLL_REMOVE) {
		if (watched) {
			curl_multi_assign(downloads->multi, socket, NULL);
			uv_poll_stop(&watched->poll);
			uv_close((uv_handle_t *)&watched->poll, watched_closed);
		}
		return 0;
	}
	if (!watched && watch(downloads, socket, &watched) != 0) {
		return -1;
	}
	if (action & CURL_POLL_IN) {
		events |= UV_READABLE;
	}
	if (action & CURL_POLL_OUT) {
		events |= UV_WRITABLE;
	}
	return uv_poll_start(&watched->poll, events, polled) == 0 ? 0 : -1;
}

static void timer_rang(uv_timer_t *timer)
{
	act(timer->data, CURL_SOCKET_TIMEOUT, 0);
}

static int timer_wanted(CURLM *multi, long timeout_ms, void *context)
{
	struct downloads *downloads = context;

	(void)multi;
	if (downloads->is_closing) {
		return 0;
	}
	if (timeout_ms < 0) {
		uv_timer_stop(&downloads->timer);
	} else {
		uv_timer_start(&downloads->timer, timer_rang, (uint64_t)timeout_ms, 0);
	}
	return 0;
}

/* ---- opening, starting, closing ---- */

int downloads_open(struct downloads **downloads, struct loop *loop,
		   const struct downloads_options *options)
{
	struct downloads *made = calloc(1, sizeof(*made));

	if (!made) {
		return -ENOMEM;
	}
	made->multi = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK ? curl_multi_init() : NULL;
	if (!made->multi) {
		free(made);
		return -ENOMEM;
	}
	made->loop = loop;
	made->options = *options;
	for (size_t i = 0; i < downloads_max; i++) {
		made->items[i].owner = made;
	}
	uv_timer_init(&loop->uv, &made->timer);
	made->timer.data = made;
	curl_multi_setopt(made->multi, CURLMOPT_SOCKETFUNCTION, socket_wanted);
	curl_multi_setopt(made->multi, CURLMOPT_SOCKETDATA, made);
	curl_multi_setopt(made->multi, CURLMOPT_TIMERFUNCTION, timer_wanted);
	curl_multi_setopt(made->multi, CURLMOPT_TIMERDATA, made);
	*downloads = made;
	return 0;
}

static void timer_closed(uv_handle_t *handle)
{
	free(handle->data);
}

void downloads_close(struct downloads *downloads)
{
	downloads->is_closing = true;
	for (size_t i = 0; i < downloads_max; i++) {
		release(&downloads->items[i]);
	}
	curl_multi_cleanup(downloads->multi);
	curl_global_cleanup();
	uv_close((uv_handle_t *)&downloads->timer, timer_closed);
}

static void set_security(CURL *easy, const struct downloads_options *options, bool is_https)
{
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "tftp,ftp,http,https");
	curl_easy_setopt(easy, CURLOPT_REDIR_PROTOCOLS_STR, is_https ? "https" : "http,https");
	curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 1L);
	curl_easy_setopt(easy, CURLOPT_MAXREDIRS, (long)redirects_max);
	curl_easy_setopt(easy, CURLOPT_HTTPAUTH, (long)(CURLAUTH_BASIC | CURLAUTH_DIGEST));
	curl_easy_setopt(easy, CURLOPT_NOPROXY, "*");
	curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, options->is_insecure ? 0L : 1L);
	curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, options->is_insecure ? 0L : 2L);
	if (options->ca_file) {
		curl_easy_setopt(easy, CURLOPT_CAINFO, options->ca_file);
	}
}

static void set_limits(CURL *easy, const struct download_request *request)
{
	char range[32];

	curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT, (long)download_connect_s_max);
	curl_easy_setopt(easy, CURLOPT_TIMEOUT, (long)download_s_max);
	curl_easy_setopt(easy, CURLOPT_LOW_SPEED_LIMIT, 1L);
	curl_easy_setopt(easy, CURLOPT_LOW_SPEED_TIME, (long)download_silence_s_max);
	if (!request->is_head) {
		curl_easy_setopt(easy, CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)request->bytes_max);
	} else if (span_starts_with_nocase(request->url, SPAN("http"))) {
		snprintf(range, sizeof(range), "0-%llu",
			 (unsigned long long)request->bytes_max - 1);
		curl_easy_setopt(easy, CURLOPT_RANGE, range);
	}
}

static void set_address(CURL *easy, struct address local)
{
	char text[address_text_size];
	char name[address_text_size + 8];

	if (address_is_set(local)) {
		address_text(local, text);
		snprintf(name, sizeof(name), "host!%s", text);
		curl_easy_setopt(easy, CURLOPT_INTERFACE, name);
	}
}

static void set_up(struct download *download)
{
	const struct downloads_options *options = &download->owner->options;
	CURL *easy = download->easy;

	curl_easy_setopt(easy, CURLOPT_URL, download->url);
	curl_easy_setopt(easy, CURLOPT_PRIVATE, (char *)download);
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	/* As the phones do; and libcurl 7.88 forgets the data connection of FTP on a kept one. */
	curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L);
	curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, 1L);
	curl_easy_setopt(easy, CURLOPT_FAILONERROR, 1L);
	curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_bytes);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, download);
	if (options->user_agent) {
		curl_easy_setopt(easy, CURLOPT_USERAGENT, options->user_agent);
	}
	set_security(easy, options, span_starts_with_nocase(download->request.url, SPAN("https:")));
	set_limits(easy, &download->request);
	set_address(easy, options->local);
}

int downloads_start(struct downloads *downloads, const struct download_request *request)
{
	struct download *download = NULL;

	for (size_t i = 0; i < downloads_max && !download; i++) {
		if (!downloads->items[i].easy) {
			download = &downloads->items[i];
		}
	}
	if (!download) {
		return -EBUSY;
	}
	if (span_to_text(request->url, download->url, sizeof(download->url)) != 0) {
		return -EINVAL;
	}
	download->easy = curl_easy_init();
	if (!download->easy) {
		return -ENOMEM;
	}
	download->request = *request;
	download->request.url = span_text(download->url);
	set_up(download);
	if (curl_multi_add_handle(downloads->multi, download->easy) != CURLM_OK) {
		curl_easy_cleanup(download->easy);
		download->easy = NULL;
		return -ENOMEM;
	}
	return 0;
}
