/* SPDX-License-Identifier: MIT */
#include "io/bind_problem.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

void bind_problem(char *problem, size_t problem_size, const char *transport, const char *section,
		  struct endpoint endpoint, int error)
{
	char where[endpoint_text_size];

	endpoint_text(endpoint, where);
	switch (abs(error)) {
	case EADDRINUSE:
		snprintf(problem, problem_size,
			 "%s port %u (%s) is taken by another program: `ss -lnp` shows which; stop "
			 "it or set another `listen` in [%s]",
			 transport, endpoint.port, where, section);
		break;
	case EACCES:
	case EPERM:
		snprintf(
			problem, problem_size,
			"%s port %u (%s) is forbidden to this user: run `setcap "
			"cap_net_bind_service=+ep` on bellhopd, or `sysctl "
			"net.ipv4.ip_unprivileged_port_start=%u`, or start it by systemd with "
			"AmbientCapabilities=CAP_NET_BIND_SERVICE, or set another `listen` in [%s]",
			transport, endpoint.port, where, endpoint.port, section);
		break;
	case EADDRNOTAVAIL:
		snprintf(problem, problem_size,
			 "%s port %u (%s) cannot be had: no interface of this host has that "
			 "address; set one of `ip address` as `listen` in [%s]",
			 transport, endpoint.port, where, section);
		break;
	default:
		snprintf(problem, problem_size,
			 "%s port %u (%s) cannot be had: %s; see [%s] listen", transport,
			 endpoint.port, where, strerrordesc_np(abs(error)), section);
		break;
	}
}
