/* SPDX-License-Identifier: MIT */
/*
 * A network in miniature for tests: this process becomes the server's host, with a bridge br0 that
 * has 10.13.4.121/16, and a child keeps the phone's host, 10.13.2.37 behind a veth pair, with an
 * AudioCodes hardware address: the hosts of the manual's exchange.
 */
#ifndef BELLHOP_TESTS_SYSTEM_NETWORK_H
#define BELLHOP_TESTS_SYSTEM_NETWORK_H

#include "core/base/address.h"
#include "core/base/mac.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { sip_port = 5060 };

static const struct mac phone_mac = {{0x00, 0x90, 0x8f, 0x12, 0x34, 0x56}};
static pid_t phone_host;
static int server_namespace = -1;

static inline bool run(const char *format, ...) __attribute__((format(printf, 1, 2)));

static inline bool run(const char *format, ...)
{
	char command[512];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(command, sizeof(command), format, arguments);
	va_end(arguments);
	return system(command) == 0;
}

static inline struct address phone_address(void)
{
	return address_ipv4(10, 13, 2, 37);
}

static inline struct endpoint group(void)
{
	return (struct endpoint){address_ipv4(224, 0, 1, 75), sip_port};
}

/* A process that does nothing but keep a namespace alive; its id, or -1. */
static inline pid_t start_host(void)
{
	int ready[2];
	char byte = 0;
	pid_t host;

	if (pipe(ready) != 0) {
		return -1;
	}
	host = fork();
	if (host < 0) {
		close(ready[0]);
		close(ready[1]);
		return -1;
	}
	if (host == 0) {
		byte = unshare(CLONE_NEWNET) == 0 ? 'y' : 'n';
		if (write(ready[1], &byte, 1) == 1 && byte == 'y') {
			close(ready[0]);
			for (;;) {
				pause();
			}
		}
		_exit(1);
	}
	close(ready[1]);
	if (read(ready[0], &byte, 1) != 1 || byte != 'y') {
		waitpid(host, NULL, 0);
		host = -1;
	}
	close(ready[0]);
	return host;
}

static inline bool build_network(void)
{
	if (geteuid() != 0 || unshare(CLONE_NEWNET) != 0) {
		return false;
	}
	phone_host = start_host();
	server_namespace = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	return phone_host > 0 && server_namespace >= 0 &&
	       run("ip link set lo up && ip link add br0 type bridge && "
		   "ip addr add 10.13.4.121/16 dev br0 && ip link set br0 up && "
		   "ip link add port0 type veth peer name eth0 netns %d && "
		   "ip link set port0 master br0 up",
		   (int)phone_host) &&
	       run("nsenter -t %d -n sh -c 'ip link set lo up && "
		   "ip link set eth0 address 00:90:8f:12:34:56 && "
		   "ip addr add 10.13.2.37/16 dev eth0 && ip link set eth0 up && "
		   "ip route add 224.0.0.0/4 dev eth0'",
		   (int)phone_host);
}

/* A phone's socket: belongs to the namespace it was made in, whoever uses it. */
static inline int open_phone(void)
{
	char path[64];
	int namespace;
	int phone = -1;
	struct sockaddr_in own = {.sin_family = AF_INET, .sin_port = htons(sip_port)};

	snprintf(path, sizeof(path), "/proc/%d/ns/net", (int)phone_host);
	namespace = open(path, O_RDONLY | O_CLOEXEC);
	if (namespace >= 0 && setns(namespace, CLONE_NEWNET) == 0) {
		phone = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
		if (setns(server_namespace, CLONE_NEWNET) != 0 ||
		    bind(phone, (struct sockaddr *)&own, sizeof(own)) != 0) {
			abort();
		}
	}
	close(namespace);
	return phone;
}

/* Takes what start_host gave: a host that is none is no process to kill, -1 would be all of them.
 */
static inline void end_host(pid_t host)
{
	if (host > 0) {
		kill(host, SIGKILL);
		waitpid(host, NULL, 0);
	}
}

static inline void end_network(void)
{
	end_host(phone_host);
}

/* For good: only in a child. */
static inline bool network_drop(unsigned capability)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2];
	const uint32_t mask = 1u << capability;

	if (syscall(SYS_capget, &header, data) != 0) {
		return false;
	}
	data[0].effective &= ~mask;
	data[0].permitted &= ~mask;
	data[0].inheritable &= ~mask;
	return syscall(SYS_capset, &header, data) == 0;
}

#endif
