/* SPDX-License-Identifier: MIT */
/*
 * Preloaded into bellhopd by tests/system/test_store_faults.py: makes one call of the kernel fail
 * that writes below a folder, or kills the process instead. Which one is told through a file that
 * both map:
 *
 *	BELLHOP_FAULTS         that file, a struct control
 *	BELLHOP_FAULTS_BELOW   the folder
 *
 * What it stands before is what SQLite and io/ call, as nm -D lists it for their objects.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* As struct.unpack("<IIIII", …) reads it. */
struct control {
	_Atomic uint32_t left;	/* calls until it happens; 0: not armed, or it is over */
	uint32_t calls;		/* so many in a row */
	uint32_t error;		/* errno */
	uint32_t kills;		/* SIGKILL in its place */
	_Atomic uint32_t fired; /* how often it has happened since it was armed */
};

enum { path_size = 4096 };

static struct control *control;
static char below[path_size];
static size_t below_length;

__attribute__((constructor)) static void begin(void)
{
	const char *path = getenv("BELLHOP_FAULTS");
	const char *folder = getenv("BELLHOP_FAULTS_BELOW");
	int (*real_open)(const char *, int, ...) = dlsym(RTLD_NEXT, "open64");
	int file = path && folder ? real_open(path, O_RDWR | O_CLOEXEC) : -1;
	void *place;

	if (file < 0) {
		return;
	}
	place = mmap(NULL, sizeof(struct control), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
	close(file);
	if (place != MAP_FAILED) {
		snprintf(below, sizeof(below), "%s/", folder);
		below_length = strlen(below);
		control = place;
	}
}

static bool is_armed(void)
{
	return control && atomic_load(&control->left) > 0;
}

/* Counts a call that is below the folder; true when it is to fail, with errno set. */
static bool fails(void)
{
	if (atomic_load(&control->left) > 1) {
		atomic_fetch_sub(&control->left, 1);
		return false;
	}
	atomic_fetch_add(&control->fired, 1);
	if (control->kills) {
		kill(getpid(), SIGKILL);
		pause();
	}
	if (--control->calls == 0) {
		atomic_store(&control->left, 0);
	}
	errno = (int)control->error;
	return true;
}

static bool path_fails(const char *path)
{
	return is_armed() && strncmp(path, below, below_length) == 0 && fails();
}

/* `name`: below the descriptor's path. */
static bool descriptor_fails(int descriptor, const char *name)
{
	char link[64];
	char path[path_size];
	ssize_t length;

	if (!is_armed()) {
		return false;
	}
	snprintf(link, sizeof(link), "/proc/self/fd/%d", descriptor);
	length = readlink(link, path, sizeof(path) - 1);
	length = length > 0 ? length : 0;
	snprintf(path + length, sizeof(path) - (size_t)length, "%s%s", *name ? "/" : "", name);
	return path_fails(path);
}

/* A path that is relative to an open folder. */
static bool relative_fails(int folder, const char *path)
{
	return path[0] == '/' || folder == AT_FDCWD ? path_fails(path)
						    : descriptor_fails(folder, path);
}

static bool takes_mode(int flags)
{
	return flags & O_CREAT || (flags & O_TMPFILE) == O_TMPFILE;
}

/* The function behind ours. */
#define REAL(name)                                                                                 \
	static __typeof__(&name) real;                                                             \
	if (!real) {                                                                               \
		*(void **)&real = dlsym(RTLD_NEXT, #name);                                         \
	}

#define OPEN(name)                                                                                 \
	int name(const char *path, int flags, ...)                                                 \
	{                                                                                          \
		va_list arguments;                                                                 \
		mode_t mode;                                                                       \
		REAL(name)                                                                         \
		va_start(arguments, flags);                                                        \
		mode = takes_mode(flags) ? va_arg(arguments, mode_t) : 0;                          \
		va_end(arguments);                                                                 \
		return path_fails(path) ? -1 : real(path, flags, mode);                            \
	}

#define OPENAT(name)                                                                               \
	int name(int folder, const char *path, int flags, ...)                                     \
	{                                                                                          \
		va_list arguments;                                                                 \
		mode_t mode;                                                                       \
		REAL(name)                                                                         \
		va_start(arguments, flags);                                                        \
		mode = takes_mode(flags) ? va_arg(arguments, mode_t) : 0;                          \
		va_end(arguments);                                                                 \
		return relative_fails(folder, path) ? -1 : real(folder, path, flags, mode);        \
	}

OPEN(open)
OPEN(open64)
OPENAT(openat)
OPENAT(openat64)

ssize_t write(int descriptor, const void *bytes, size_t count)
{
	REAL(write)
	return descriptor_fails(descriptor, "") ? -1 : real(descriptor, bytes, count);
}

ssize_t pwrite(int descriptor, const void *bytes, size_t count, off_t at)
{
	REAL(pwrite)
	return descriptor_fails(descriptor, "") ? -1 : real(descriptor, bytes, count, at);
}

ssize_t pwrite64(int descriptor, const void *bytes, size_t count, off64_t at)
{
	REAL(pwrite64)
	return descriptor_fails(descriptor, "") ? -1 : real(descriptor, bytes, count, at);
}

int ftruncate(int descriptor, off_t size)
{
	REAL(ftruncate)
	return descriptor_fails(descriptor, "") ? -1 : real(descriptor, size);
}

int ftruncate64(int descriptor, off64_t size)
{
	REAL(ftruncate64)
	return descriptor_fails(descriptor, "") ? -1 : real(descriptor, size);
}

int fsync(int descriptor)
{
	REAL(fsync)
	return descriptor_fails(descriptor, "") ? -1 : real(descriptor);
}

int fdatasync(int descriptor)
{
	REAL(fdatasync)
	return descriptor_fails(descriptor, "") ? -1 : real(descriptor);
}

int rename(const char *from, const char *to)
{
	REAL(rename)
	return path_fails(to) ? -1 : real(from, to);
}

int renameat(int from_folder, const char *from, int to_folder, const char *to)
{
	REAL(renameat)
	return relative_fails(to_folder, to) ? -1 : real(from_folder, from, to_folder, to);
}

int link(const char *from, const char *to)
{
	REAL(link)
	return path_fails(to) ? -1 : real(from, to);
}

int linkat(int from_folder, const char *from, int to_folder, const char *to, int flags)
{
	REAL(linkat)
	return relative_fails(to_folder, to) ? -1 : real(from_folder, from, to_folder, to, flags);
}

int unlink(const char *path)
{
	REAL(unlink)
	return path_fails(path) ? -1 : real(path);
}

int mkostemp(char *pattern, int flags)
{
	REAL(mkostemp)
	return path_fails(pattern) ? -1 : real(pattern, flags);
}

int mkostemp64(char *pattern, int flags)
{
	REAL(mkostemp64)
	return path_fails(pattern) ? -1 : real(pattern, flags);
}
