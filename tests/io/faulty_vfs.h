/* SPDX-License-Identifier: MIT */
/*
 * SQLite's own file system, in which one write, sync or truncation fails, or kills the process:
 * the n-th from when faulty_vfs_arm was called.
 */
#ifndef BELLHOP_TESTS_IO_FAULTY_VFS_H
#define BELLHOP_TESTS_IO_FAULTY_VFS_H

#include <signal.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <unistd.h>

static struct {
	atomic_int left; /* calls until it happens; 0: not armed, or it has happened */
	int calls;	 /* so many in a row fail, from then on */
	int again;	 /* so many calls later one more fails; 0: none does */
	int code;	 /* what they fail with; 0: as their kind does */
	bool kills;
	bool only_database; /* calls to the database's own file alone count, not those to its log */
	sqlite3_vfs vfs;
	sqlite3_vfs *real;
} faulty;

struct faulty_file {
	sqlite3_file base;
	sqlite3_io_methods methods;
	const sqlite3_io_methods *real_methods;
	bool is_database;
};

static inline struct faulty_file *faulty_extra(sqlite3_file *file)
{
	return (struct faulty_file *)((char *)file + faulty.real->szOsFile);
}

static inline bool faulty_is_due(sqlite3_file *file)
{
	int left = atomic_load(&faulty.left);

	if (left == 0 || (faulty.only_database && !faulty_extra(file)->is_database)) {
		return false;
	}
	if (left > 1) {
		atomic_fetch_sub(&faulty.left, 1);
		return false;
	}
	if (faulty.kills) {
		kill(getpid(), SIGKILL);
	}
	if (--faulty.calls <= 0) {
		atomic_store(&faulty.left, faulty.again);
		faulty.again = 0;
	}
	return true;
}

/* The n-th call fails, and with it `calls` - 1 after it. */
static inline void faulty_vfs_arm(int n, int calls, int code)
{
	faulty.calls = calls;
	faulty.again = 0;
	faulty.code = code;
	atomic_store(&faulty.left, n);
}

/* The n-th call fails, and the m-th after it. */
static inline void faulty_vfs_arm_twice(int n, int m)
{
	faulty_vfs_arm(0, 1, 0);
	faulty.again = m;
	atomic_store(&faulty.left, n);
}

/* Whether it has happened (all of it); disarms. */
static inline bool faulty_vfs_disarm(void)
{
	return atomic_exchange(&faulty.left, 0) == 0;
}

static inline int faulty_code(int code)
{
	return faulty.code ? faulty.code : code;
}

static inline int faulty_write(sqlite3_file *file, const void *bytes, int count, sqlite3_int64 at)
{
	return faulty_is_due(file)
		       ? faulty_code(SQLITE_IOERR_WRITE)
		       : faulty_extra(file)->real_methods->xWrite(file, bytes, count, at);
}

/* What was written before stays where it is: only that it is durable is not known. */
static inline int faulty_sync(sqlite3_file *file, int flags)
{
	return faulty_is_due(file) ? faulty_code(SQLITE_IOERR_FSYNC)
				   : faulty_extra(file)->real_methods->xSync(file, flags);
}

static inline int faulty_truncate(sqlite3_file *file, sqlite3_int64 size)
{
	return faulty_is_due(file) ? faulty_code(SQLITE_IOERR_TRUNCATE)
				   : faulty_extra(file)->real_methods->xTruncate(file, size);
}

static inline int faulty_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags,
			      int *flags_out)
{
	int code = faulty.real->xOpen(faulty.real, name, file, flags, flags_out);

	(void)vfs;
	if (code == SQLITE_OK && file->pMethods) {
		struct faulty_file *extra = faulty_extra(file);

		extra->is_database = (flags & SQLITE_OPEN_MAIN_DB) != 0;
		extra->real_methods = file->pMethods;
		extra->methods = *file->pMethods;
		extra->methods.xWrite = faulty_write;
		extra->methods.xSync = faulty_sync;
		extra->methods.xTruncate = faulty_truncate;
		file->pMethods = &extra->methods;
	}
	return code;
}

static inline void faulty_vfs_begin(void)
{
	faulty.real = sqlite3_vfs_find(NULL);
	faulty.vfs = *faulty.real;
	faulty.vfs.zName = "faulty";
	faulty.vfs.szOsFile += (int)sizeof(struct faulty_file);
	faulty.vfs.xOpen = faulty_open;
	sqlite3_vfs_register(&faulty.vfs, 1);
}

static inline void faulty_vfs_end(void)
{
	sqlite3_vfs_unregister(&faulty.vfs);
}

#endif
