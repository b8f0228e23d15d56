/* SPDX-License-Identifier: MIT */
#include "bench_sofia.h"

#include <dlfcn.h>
#include <string.h>

#include <sofia-sip/msg.h>
#include <sofia-sip/sip.h>

static msg_t *(*make)(msg_mclass_t const *, int, void const *, ssize_t);
static msg_pub_t *(*object)(msg_t const *);
static void (*destroy)(msg_t *);
static msg_mclass_t const *mclass;

/* A function pointer out of dlsym's object pointer, as POSIX has it. */
static bool find(void *library, const char *name, void *function)
{
	void *found = dlsym(library, name);

	memcpy(function, &found, sizeof(found));
	return found != NULL;
}

bool bench_sofia_open(void)
{
	void *library = dlopen("libsofia-sip-ua.so.0", RTLD_NOW | RTLD_LOCAL);
	msg_mclass_t const *(*default_mclass)(void);

	if (!library || !find(library, "msg_make", &make) ||
	    !find(library, "msg_object", &object) || !find(library, "msg_destroy", &destroy) ||
	    !find(library, "sip_default_mclass", &default_mclass)) {
		return false;
	}
	mclass = default_mclass();
	return mclass != NULL;
}

bool bench_sofia_parse(const char *data, size_t length)
{
	msg_t *message = make(mclass, 0, data, (ssize_t)length);
	sip_t *sip = message ? (sip_t *)object(message) : NULL;
	bool is_read = sip && sip->sip_via && sip->sip_contact && sip->sip_event;

	destroy(message);
	return is_read;
}
