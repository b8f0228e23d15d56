/* SPDX-License-Identifier: MIT */
/*
 * UDP sockets with what libuv hides: the address and the interface that a datagram came to, the
 * address that one leaves from, ICMP errors, and whole batches a system call (recvmmsg, sendmmsg).
 *
 * An ICMP error for one destination, or a send that the kernel refuses, is told for that
 * destination alone and stops no other datagram.
 */
#ifndef BELLHOP_IO_UDP_H
#define BELLHOP_IO_UDP_H

#include "core/base/address.h"
#include "io/log.h"
#include "io/loop.h"

#include <sys/socket.h>

enum { udp_batch_max = 64, udp_datagram_max = 65535, udp_problem_size = 256 };

/* One datagram that came in. Everything is valid only for the call that it is handed to. */
struct udp_received {
	struct span bytes;
	struct endpoint source;
	struct endpoint target; /* the address it was sent to, and our port */
	struct address local;	/* ours, that the kernel would answer from */
	uint32_t interface;	/* index it arrived on */
};

/* One to go out. */
struct udp_datagram {
	struct endpoint to;
	struct address from; /* ours; family ADDRESS_NONE: the kernel chooses */
	uint32_t interface;  /* index to leave on; 0: by route */
	struct span bytes;
};

struct udp_counters {
	uint64_t received;
	uint64_t sent;
	uint64_t send_errors;  /* refused by the kernel, told by `unreachable` */
	uint64_t send_full;    /* dropped: the socket's buffer stayed full */
	uint64_t icmp_errors;  /* of the error queue */
	uint64_t truncated;    /* dropped: longer than a datagram of ours may be */
	uint64_t kernel_drops; /* lost before we could read (SO_RXQ_OVFL) */
};

struct udp;

struct udp_options {
	struct endpoint bind; /* port 0: the kernel chooses */
	uint32_t interface;   /* index; an IPv6 link-local address needs it to be bound */
	/*
	 * Bound to a group address: shares its port with others that say so too, gets nothing but
	 * what udp_join asks for, and sends nothing.
	 */
	bool is_group;
	/* Bind a group socket beside this one: the unicast socket on the same port, or NULL. */
	struct udp *beside;
	/*
	 * A socket of the same loop that lives longer: this one reads and sends with its buffers,
	 * so that it costs next to no memory, and takes its batch_max and datagram_max. NULL: its
	 * own.
	 */
	const struct udp *shares;
	size_t batch_max;      /* datagrams a call; 0: udp_batch_max */
	size_t datagram_max;   /* octets; 0: udp_datagram_max */
	size_t receive_buffer; /* octets asked of the kernel; 0: its default */
	void (*received)(void *context, const struct udp_received *datagrams, size_t count);
	/*
	 * `to` cannot be reached; `error` is a positive errno. May come from within udp_send, and
	 * must not send itself.
	 */
	void (*unreachable)(void *context, struct endpoint to, int error);
	void *context;
};

/*
 * Opens, binds and watches. 0 and `*udp`, or a negative errno with one sentence in `problem` that
 * names address and port and what to do (taken: -EADDRINUSE, forbidden: -EACCES, not ours:
 * -EADDRNOTAVAIL).
 */
int udp_open(struct udp **udp, struct loop *loop, const struct udp_options *options,
	     char problem[static udp_problem_size]);

/* No callback comes after this. The memory is freed by the loop, a turn later. */
void udp_close(struct udp *udp);

/* What it is bound to, with the port that the kernel chose. */
struct endpoint udp_endpoint(const struct udp *udp);

/*
 * Sends all, in order; what goes one way in a row and is equally long, the last perhaps shorter,
 * costs one pass through the kernel (udp(7), UDP_SEGMENT). What the kernel refuses is told by
 * `unreachable` and counted; the others go out all the same. Waits a moment (at most 20 ms in all)
 * for a full buffer, then drops and counts.
 */
void udp_send(struct udp *udp, const struct udp_datagram *datagrams, size_t count);

/*
 * Joins or leaves the group that the socket is bound to, on one interface by its index. 0;
 * -ENODEV; -EADDRINUSE joined already; -ENOBUFS more than net.ipv4.igmp_max_memberships;
 * -EAFNOSUPPORT for IPv6 (RFC 3261 defines no group there, R-3261-89).
 */
int udp_join(struct udp *udp, uint32_t interface);
int udp_leave(struct udp *udp, uint32_t interface);

struct udp_counters udp_counters(const struct udp *udp);

/* Core's addresses as the socket library's and back; the length, or 0 for ADDRESS_NONE. */
socklen_t udp_sockaddr(struct endpoint endpoint, uint32_t interface,
		       struct sockaddr_storage *storage);
struct endpoint udp_from_sockaddr(const struct sockaddr_storage *storage);

/* One sentence for a bind or listen that failed; for TCP doors as well. `error` is positive. */
void udp_bind_problem(const char *protocol, struct endpoint endpoint, int error,
		      char problem[static udp_problem_size]);

#endif
