/* SPDX-License-Identifier: MIT */
#include "io/tls_memory.h"

#include <errno.h>
#include <openssl/bio.h>
#include <stdlib.h>

/* Empty input is "not yet", never the end: the end of a connection is its stream's to tell. */
static int memory_read(BIO *bio, char *data, size_t size, size_t *count)
{
	struct tls_memory *memory = BIO_get_data(bio);
	struct span taken = span_slice(memory->input, 0, size);

	BIO_clear_retry_flags(bio);
	if (taken.length == 0) {
		BIO_set_retry_read(bio);
		return 0;
	}
	memcpy(data, taken.data, taken.length);
	memory->input = span_slice(memory->input, taken.length, memory->input.length);
	*count = taken.length;
	return 1;
}

int tls_memory_reserve(struct tls_memory *memory, size_t count)
{
	size_t wanted = memory->output_length + count;
	size_t doubled = 2 * memory->output_size;
	char *grown;

	if (wanted <= memory->output_size) {
		return 0;
	}
	if (wanted < doubled) {
		wanted = doubled;
	}
	grown = realloc(memory->output, wanted);
	if (!grown) {
		return -ENOMEM;
	}
	memory->output = grown;
	memory->output_size = wanted;
	return 0;
}

static int memory_write(BIO *bio, const char *data, size_t length, size_t *count)
{
	struct tls_memory *memory = BIO_get_data(bio);

	BIO_clear_retry_flags(bio);
	if (tls_memory_reserve(memory, length) != 0) {
		return 0;
	}
	memcpy(memory->output + memory->output_length, data, length);
	memory->output_length += length;
	*count = length;
	return 1;
}

static long memory_control(BIO *bio, int command, long number, void *pointer)
{
	(void)bio;
	(void)number;
	(void)pointer;
	return command == BIO_CTRL_FLUSH ? 1 : 0;
}

static int memory_create(BIO *bio)
{
	BIO_set_init(bio, 1);
	return 1;
}

BIO_METHOD *tls_memory_method(void)
{
	BIO_METHOD *method = BIO_meth_new(BIO_TYPE_SOURCE_SINK, "bellhop memory");

	if (method && (BIO_meth_set_read_ex(method, memory_read) != 1 ||
		       BIO_meth_set_write_ex(method, memory_write) != 1 ||
		       BIO_meth_set_ctrl(method, memory_control) != 1 ||
		       BIO_meth_set_create(method, memory_create) != 1)) {
		BIO_meth_free(method);
		return NULL;
	}
	return method;
}

BIO *tls_memory_bio(const BIO_METHOD *method, struct tls_memory *memory)
{
	BIO *bio = BIO_new(method);

	if (bio) {
		BIO_set_data(bio, memory);
	}
	return bio;
}
