/* SPDX-License-Identifier: MIT */
/*
 * Files that must be there whole or not at all: read with a ceiling, replaced in one step.
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

/* Makes the folder (mode 0700) if it is not there; its parent must be. 0, -ENOTDIR, or an errno. */
int filesystem_make_folder(const char *path);

#endif
