/* SPDX-License-Identifier: MIT */
/*
 * Files that must be there whole or not at all: read with a ceiling, replaced in one step, or
 * without a name until they are whole.
 */
#ifndef BELLHOP_IO_FILESYSTEM_H
#define BELLHOP_IO_FILESYSTEM_H

#include "core/base/span.h"

enum { filesystem_path_max = 4096 };

/*
 * Reads a whole file. 0 and `*bytes`, whose data the caller frees (never NULL, a NUL follows that
 * does not count); -EFBIG beyond `bytes_max`; -EISDIR, -ENOENT, ... as open(2) and read(2) say.
 */
int filesystem_read(const char *path, size_t bytes_max, struct span *bytes);

/*
 * Replaces `path` by these bytes: a new file beside it (mode 0600), fsync, rename, fsync of the
 * folder. Whoever reads `path` at any moment, also after a power cut, finds the old file or the new
 * one. 0, or a negative errno; then nothing is left beside it and `path` is as it was (but when the
 * last fsync, of the folder, failed: then the new file is there and may be gone after a power cut).
 */
int filesystem_replace(const char *path, struct span bytes);

/*
 * The last steps of filesystem_replace for a file written elsewhere in the same folder: fsync,
 * rename `from` to `path`, fsync of the folder. 0 or a negative errno.
 */
int filesystem_move_into_place(const char *from, const char *path);

/* Writes all of it at the descriptor's place. 0 or a negative errno, some of it written then. */
int filesystem_write(int descriptor, struct span bytes);

/* Has the names in the folder that `path` lies in survive a power cut. 0 or a negative errno. */
int filesystem_sync_folder_of(const char *path);

/* The folder that `path` lies in: a descriptor, or a negative errno. */
int filesystem_open_folder_of(const char *path);

/*
 * A new file in the folder, for reading and writing, that has no name and goes with its last
 * descriptor: whatever happens, nothing of it is left. A descriptor, or a negative errno. `name`,
 * which must be nobody else's, is its name for a moment where the file system knows no such files.
 */
int filesystem_open_nameless(int folder, const char *name, unsigned mode);

/*
 * Gives a file without a name one in the folder (AT_FDCWD: `name` is a path), after fsync. Where
 * that cannot be (`name` lies in another file system, or see above), a copy of it gets the name. 0,
 * or a negative errno (-EEXIST: something has that name), and nothing has been made. `file` stays
 * the caller's.
 */
int filesystem_give_name(int file, int folder, const char *name);

/* Makes the folder (mode 0700) if it is not there; its parent must be. 0, -ENOTDIR, or an errno. */
int filesystem_make_folder(const char *path);

#endif
