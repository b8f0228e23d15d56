/* SPDX-License-Identifier: MIT */
/*
 * The catalogue over a real folder: what the inventory lists after each thing that can be done to
 * files, and what the operator is told of those that cannot be served.
 */
#include "io/catalogue_internal.h"
#include "tests/test.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <openssl/evp.h>
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

enum { files_max = 7000, patience_s = 60 };

static char folder[64];
static uv_loop_t loop;
static uv_timer_t tick;
static struct inventory inventory;
static struct files_context files = {.inventory = &inventory};
static pthread_rwlock_t lock = PTHREAD_RWLOCK_INITIALIZER;
static struct catalogue *catalogue;
static unsigned told; /* warnings */
static char last_told[600];
static unsigned refusals;   /* changes that the inventory did not take */
static unsigned full_posts; /* posts to refuse with -ENOBUFS */

static int post(void *context, const struct change *change)
{
	struct prepared prepared;
	char problem[300];

	(void)context;
	if (full_posts > 0) {
		full_posts--;
		return -ENOBUFS;
	}
	if (inventory_prepare(&inventory, change, &prepared, problem, sizeof(problem)) != 0) {
		refusals++;
		return 0;
	}
	pthread_rwlock_wrlock(&lock);
	inventory_commit(&inventory, &prepared);
	pthread_rwlock_unlock(&lock);
	return 0;
}

static void report(void *context, const struct effect_report *effect)
{
	(void)context;
	told++;
	snprintf(last_told, sizeof(last_told), "%s: %.*s", effect->reason, (int)effect->text.length,
		 effect->text.data);
}

static struct door door = {.files = &files, .lock = &lock, .post = post, .report = report};

static void on_tick(uv_timer_t *timer)
{
	(void)timer;
}

static void make_house(size_t limit)
{
	struct inventory_limits limits = {.devices_max = 10,
					  .new_devices_max = 10,
					  .profiles_max = 10,
					  .files_max = limit,
					  .unidentified_max = 50,
					  .forms_max = 8};
	static const uint8_t seed[random_seed_size] = {3};

	snprintf(folder, sizeof(folder), "/tmp/bellhop-catalogue-XXXXXX");
	if (!mkdtemp(folder) || inventory_init(&inventory, &limits, seed) != 0 ||
	    uv_loop_init(&loop) != 0) {
		abort();
	}
	uv_timer_init(&loop, &tick);
	uv_timer_start(&tick, on_tick, 5, 5);
	door.files_fd = catalogue_open_directory(folder);
	told = 0;
	refusals = 0;
}

static void start(size_t limit)
{
	make_house(limit);
	if (catalogue_start(&catalogue, &loop, &door) != 0) {
		abort();
	}
}

static int remove_entry(const char *path, const struct stat *info, int kind, struct FTW *walk)
{
	(void)info;
	(void)kind;
	(void)walk;
	return remove(path);
}

static void stop(void)
{
	catalogue_stop(catalogue);
	uv_close((uv_handle_t *)&tick, NULL);
	uv_run(&loop, UV_RUN_DEFAULT);
	CHECK_EQUAL(0, uv_loop_close(&loop));
	close(door.files_fd);
	inventory_free(&inventory);
	nftw(folder, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

static const char *path_of(const char *name)
{
	static char paths[2][256];
	static unsigned turn;
	char *path = paths[turn++ % 2];

	snprintf(path, sizeof(paths[0]), "%s/files/%s", folder, name);
	return path;
}

static void put(const char *name, const char *content)
{
	int fd = open(path_of(name), O_WRONLY | O_CREAT | O_TRUNC, 0644);

	if (fd < 0 || write(fd, content, strlen(content)) != (ssize_t)strlen(content) ||
	    close(fd) != 0) {
		abort();
	}
}

/* --- Waiting, with patience that only ends a failing test. --- */

typedef bool condition_fn(const char *name, const char *content);

static bool wait_for(condition_fn *condition, const char *name, const char *content)
{
	uint64_t end = uv_hrtime() + (uint64_t)patience_s * 1000000000;

	while (!condition(name, content) && uv_hrtime() < end) {
		uv_run(&loop, UV_RUN_ONCE);
	}
	return condition(name, content);
}

/* Listed, with the hash of this content. */
static bool is_hashed(const char *name, const char *content)
{
	const struct catalogue_file *file = table_find(&inventory.files, span_text(name));
	unsigned char digest[file_sha256_size];

	EVP_Digest(content, strlen(content), digest, NULL, EVP_sha256(), NULL);
	return file && file->bytes == strlen(content) && file->has_sha256 &&
	       memcmp(file->sha256, digest, sizeof(digest)) == 0;
}

static bool is_gone(const char *name, const char *content)
{
	(void)content;
	return !table_find(&inventory.files, span_text(name));
}

static bool is_told(const char *name, const char *content)
{
	(void)content;
	return strstr(last_told, name) != NULL;
}

static bool is_count(const char *name, const char *content)
{
	(void)name;
	return inventory.files.count == strtoul(content, NULL, 10);
}

#define WAIT(condition, name, content) CHECK(wait_for(condition, name, content))

/* --- Tests. --- */

static void files_come_change_and_go(void)
{
	struct timespec before[2];
	struct stat info;

	start(files_max);
	put("a.bin", "one");
	WAIT(is_hashed, "a.bin", "one");
	put("a.bin", "two"); /* in place */
	WAIT(is_hashed, "a.bin", "two");
	put(".a.new", "three");
	CHECK_EQUAL(0, rename(path_of(".a.new"), path_of("a.bin"))); /* over it */
	WAIT(is_hashed, "a.bin", "three");
	/* As long as before, and with the old time: cp -p, rsync, tar. */
	REQUIRE(stat(path_of("a.bin"), &info) == 0);
	before[0] = info.st_atim;
	before[1] = info.st_mtim;
	put("a.bin", "other");
	CHECK_EQUAL(0, utimensat(AT_FDCWD, path_of("a.bin"), before, 0));
	WAIT(is_hashed, "a.bin", "other");
	CHECK_EQUAL(0, rename(path_of("a.bin"), path_of("b.bin")));
	WAIT(is_hashed, "b.bin", "other");
	WAIT(is_gone, "a.bin", "");
	CHECK_EQUAL(0, unlink(path_of("b.bin")));
	WAIT(is_gone, "b.bin", "");
	CHECK_EQUAL(0, told);
	stop();
}

static void folders_move_in_and_out(void)
{
	char outside[128];

	start(files_max);
	snprintf(outside, sizeof(outside), "%s/outside", folder);
	mkdir(path_of("fw"), 0755);
	mkdir(path_of("fw/deep"), 0755);
	put("fw/deep/a", "a");
	WAIT(is_hashed, "fw/deep/a", "a");
	CHECK_EQUAL(0, rename(path_of("fw"), outside));
	WAIT(is_gone, "fw/deep/a", "");
	CHECK_EQUAL(0, rename(outside, path_of("back")));
	WAIT(is_hashed, "back/deep/a", "a");
	put("back/deep/b", "bb"); /* it is watched under its new name */
	WAIT(is_hashed, "back/deep/b", "bb");
	CHECK_EQUAL(0, told);
	stop();
}

/* What happens in a folder that was moved away is no business of ours any more. */
static void a_folder_that_left_is_not_watched(void)
{
	struct catalogue_counters before;
	struct catalogue_counters after;
	char outside[128];
	char path[160];

	start(files_max);
	snprintf(outside, sizeof(outside), "%s/outside", folder);
	mkdir(path_of("fw"), 0755);
	put("fw/a", "a");
	WAIT(is_hashed, "fw/a", "a");
	CHECK_EQUAL(0, rename(path_of("fw"), outside));
	WAIT(is_gone, "fw/a", "");
	catalogue_counters(catalogue, &before);
	snprintf(path, sizeof(path), "%s/b", outside);
	close(open(path, O_WRONLY | O_CREAT, 0644));
	unlink(path);
	put("last", "last");
	WAIT(is_hashed, "last", "last");
	catalogue_counters(catalogue, &after);
	CHECK_EQUAL(before.scans + 1, after.scans);
	stop();
}

static void what_cannot_be_served_is_told_once(void)
{
	const char *sentences[catalogue_warnings_max];

	make_house(files_max);
	put("good.bin", "good");
	put(".hidden", "nobody's");
	CHECK_EQUAL(0, symlink("/etc/passwd", path_of("link")));
	CHECK_EQUAL(0, mkfifo(path_of("fifo"), 0644));
	put("a blank", "x");
	put("\xc3\xa4\xff.wav", "x");
	CHECK_EQUAL(0, symlink("..", path_of("dots")));
	REQUIRE(catalogue_start(&catalogue, &loop, &door) == 0);
	CHECK_EQUAL(1, inventory.files.count);
	WAIT(is_hashed, "good.bin", "good");
	CHECK_EQUAL(1, told);
	CHECK(strstr(last_told, "catalogue_passed_over: 5 of DATA/files cannot be served") != NULL);
	CHECK_EQUAL(0, catalogue_scan(catalogue));
	CHECK_EQUAL(1, told);
	CHECK_EQUAL(1, catalogue_warnings(catalogue, sentences));
	unlink(path_of("link"));
	unlink(path_of("dots"));
	unlink(path_of("fifo"));
	unlink(path_of("a blank"));
	WAIT(is_told, ": 1 of DATA/files", "");
	CHECK(strstr(last_told, "\"\xc3\xa4\\xff.wav\" has a name") != NULL);
	unlink(path_of("\xc3\xa4\xff.wav"));
	put("last", "last");
	WAIT(is_hashed, "last", "last");
	CHECK_EQUAL(0, catalogue_warnings(catalogue, sentences));
	CHECK_EQUAL(0, refusals);
	stop();
}

static void nothing_is_made_behind_a_link(void)
{
	char outside[128];
	char problem[300];
	uint64_t bytes = 0;
	int source;

	start(files_max);
	put("source", "content");
	source = open(path_of("source"), O_RDONLY);
	snprintf(outside, sizeof(outside), "%s/outside", folder);
	mkdir(outside, 0755);
	CHECK_EQUAL(0, symlink("../outside", path_of("link")));
	CHECK_EQUAL(-ELOOP, catalogue_add(door.files_fd, SPAN("link/new/a"), source, &bytes,
					  problem, sizeof(problem)));
	CHECK(strstr(problem, "links are not followed") != NULL);
	CHECK_EQUAL(0, rmdir(outside)); /* it is empty */
	CHECK_EQUAL(-ENOTDIR, catalogue_add(door.files_fd, SPAN("source/a"), source, &bytes,
					    problem, sizeof(problem)));
	CHECK_EQUAL(0, catalogue_add(door.files_fd, SPAN("new/folder/a"), source, &bytes, problem,
				     sizeof(problem)));
	CHECK_EQUAL(7, bytes);
	WAIT(is_hashed, "new/folder/a", "content");
	close(source);
	stop();
}

static void more_files_than_fit(void)
{
	char name[32];

	start(20);
	for (int i = 0; i < 20; i++) {
		snprintf(name, sizeof(name), "old%02d", i);
		put(name, "old");
	}
	WAIT(is_hashed, "old19", "old");
	for (int i = 0; i < 20; i++) {
		snprintf(name, sizeof(name), "new%02d", i);
		put(name, "new");
	}
	WAIT(is_told, "catalogue_full", "");
	CHECK(strstr(last_told, "20 left out") != NULL);
	/* Those that were there stay, also where the folder gives the new ones first. */
	for (int i = 0; i < 20; i++) {
		snprintf(name, sizeof(name), "old%02d", i);
		CHECK(!is_gone(name, ""));
	}
	CHECK_EQUAL(1, told);
	for (int i = 0; i < 20; i++) {
		snprintf(name, sizeof(name), "old%02d", i);
		unlink(path_of(name));
	}
	WAIT(is_hashed, "new00", "new");
	WAIT(is_hashed, "new19", "new");
	CHECK_EQUAL(20, inventory.files.count);
	CHECK_EQUAL(0, refusals);
	stop();
}

/* More events than the kernel keeps (IN_Q_OVERFLOW) while nobody reads them. */
static void lost_events_are_made_good(void)
{
	char name[32];

	start(files_max);
	put("first", "first");
	WAIT(is_hashed, "first", "first");
	for (int i = 0; i < 6000; i++) {
		snprintf(name, sizeof(name), "f%04d", i);
		put(name, "");
	}
	unlink(path_of("first"));
	put("last", "last");
	WAIT(is_count, "", "6001");
	CHECK(is_gone("first", ""));
	WAIT(is_hashed, "last", "last");
	stop();
}

static void a_full_queue_is_tried_again(void)
{
	start(files_max);
	full_posts = 1;
	put("a", "a");
	WAIT(is_hashed, "a", "a");
	CHECK_EQUAL(0, full_posts);
	stop();
}

static bool write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);
	bool is_good = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	if (fd >= 0) {
		close(fd);
	}
	return is_good;
}

/* In a user namespace of its own: how many watches and instances there may be is ours to say. */
static int run_with(const char *limit, const char *value)
{
	const char *sentences[catalogue_warnings_max];

	if (unshare(CLONE_NEWUSER) != 0 || !write_text("/proc/self/setgroups", "deny") ||
	    !write_text("/proc/self/uid_map", "0 0 1") || !write_text(limit, value)) {
		return 77;
	}
	make_house(files_max);
	mkdir(path_of("fw"), 0755);
	put("fw/a", "a");
	if (catalogue_start(&catalogue, &loop, &door) != 0) {
		return 1;
	}
	CHECK(strstr(last_told, "catalogue_polled: DATA/files cannot be watched whole") != NULL);
	CHECK_EQUAL(1, told);
	WAIT(is_hashed, "fw/a", "a");
	put("fw/b", "b");
	CHECK_EQUAL(0, catalogue_scan(catalogue)); /* what the timer does */
	CHECK(!is_gone("fw/b", ""));
	CHECK_EQUAL(1, told);
	CHECK_EQUAL(1, catalogue_warnings(catalogue, sentences));
	WAIT(is_hashed, "fw/b", "b");
	stop();
	return test_is_failed ? 1 : 0;
}

static void check_with(const char *limit, const char *value)
{
	int status = 0;
	pid_t child;

	fflush(stdout);
	child = fork();
	if (child == 0) {
		status = run_with(limit, value);
		fflush(stdout);
		_exit(status);
	}
	REQUIRE(child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status));
	if (WEXITSTATUS(status) == 77) {
		test_skip("user namespaces may not be made here");
	} else {
		CHECK_EQUAL(0, WEXITSTATUS(status));
	}
}

static void without_watches_it_polls(void)
{
	check_with("/proc/sys/user/max_inotify_watches", "1");
}

static void without_inotify_it_polls(void)
{
	check_with("/proc/sys/user/max_inotify_instances", "0");
}

static struct catalogue_found *list_of_one(const char *name)
{
	struct catalogue_found *list = calloc(1, sizeof(*list));
	struct stat info;
	int fd = catalogue_open_file(door.files_fd, span_text(name), &info);

	if (!list || fd < 0) {
		abort();
	}
	close(fd);
	list->name = strdup(name);
	list->version = catalogue_version(&info);
	return list;
}

static void count_stopped(void *context)
{
	unsigned *stopped = context;

	(*stopped)++;
}

/* Too young to be hashed, and listed again while that is found out. */
static void a_young_file_that_is_listed_again_is_hashed(void)
{
	struct catalogue_hasher hasher = {.name = NULL};
	uint64_t end = uv_hrtime() + (uint64_t)patience_s * 1000000000;
	unsigned stopped = 0;

	make_house(10);
	put("young", "content");
	CHECK_EQUAL(0, catalogue_hasher_init(&hasher, &loop, &door));
	catalogue_hasher_take(&hasher, list_of_one("young"), 1);
	catalogue_hasher_take(&hasher, list_of_one("young"), 1);
	while ((hasher.is_working || uv_is_active((uv_handle_t *)&hasher.timer)) &&
	       uv_hrtime() < end) {
		uv_run(&loop, UV_RUN_ONCE);
	}
	CHECK_EQUAL(1, hasher.hashed);
	/* Nor is it left behind when the list goes while it is in hand. */
	catalogue_hasher_take(&hasher, list_of_one("young"), 1);
	catalogue_hasher_take(&hasher, calloc(1, sizeof(struct catalogue_found)), 0);
	catalogue_hasher_stop(&hasher, count_stopped, &stopped);
	uv_close((uv_handle_t *)&tick, NULL);
	uv_run(&loop, UV_RUN_DEFAULT);
	CHECK_EQUAL(1, stopped);
	CHECK_EQUAL(0, uv_loop_close(&loop));
	close(door.files_fd);
	inventory_free(&inventory);
	nftw(folder, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

int main(void)
{
	/* First: libuv's threads would keep a process from a user namespace of its own. */
	RUN(without_watches_it_polls);
	RUN(without_inotify_it_polls);
	RUN(files_come_change_and_go);
	RUN(folders_move_in_and_out);
	RUN(a_folder_that_left_is_not_watched);
	RUN(what_cannot_be_served_is_told_once);
	RUN(nothing_is_made_behind_a_link);
	RUN(more_files_than_fit);
	RUN(lost_events_are_made_good);
	RUN(a_full_queue_is_tried_again);
	RUN(a_young_file_that_is_listed_again_is_hashed);
	return test_end();
}
