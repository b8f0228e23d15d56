/* SPDX-License-Identifier: MIT */
#include "io/pbx_beside.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum {
	sockets_max = 16, /* that are looked for among all descriptors of all processes */
	path_size = 512,
};

/* A socket that was found, before its owner is known. */
struct found {
	struct pbx_holder holder;
	unsigned long inode;
	bool is_ours;
};

struct search {
	const char *proc;
	struct endpoint group;
	struct found found[sockets_max];
	size_t count;
};

/* The kernel prints the words of an address as numbers of this machine. */
static bool read_address(const char *hexadecimal, struct address *address)
{
	size_t words = strlen(hexadecimal) / 8;
	struct address read = {.family = words == 1 ? ADDRESS_IPV4 : ADDRESS_IPV6};

	if (words != 1 && words != 4) {
		return false;
	}
	for (size_t i = 0; i < words; i++) {
		char digits[9] = "";
		uint32_t word;

		memcpy(digits, hexadecimal + 8 * i, 8);
		word = (uint32_t)strtoul(digits, NULL, 16);
		memcpy(read.octets + 4 * i, &word, 4);
	}
	*address = read;
	return true;
}

static void take_line(struct search *search, const char *line)
{
	char local[40];
	unsigned port;
	unsigned uid;
	unsigned long inode;
	struct address bound;

	if (sscanf(line,
		   " %*u: %32[0-9A-Fa-f]:%x %*[^:]:%*x %*x %*[^:]:%*x %*[^:]:%*x %*x %u %*u %lu",
		   local, &port, &uid, &inode) != 4 ||
	    port != search->group.port || !read_address(local, &bound)) {
		return;
	}
	if ((address_is_any(bound) || address_equal(bound, search->group.address)) &&
	    search->count < sockets_max) {
		search->found[search->count++] = (struct found){
			.holder = {.bound = bound, .uid = uid},
			.inode = inode,
		};
	}
}

static int read_table(struct search *search, const char *name)
{
	char path[path_size];
	char line[512];
	FILE *file;

	snprintf(path, sizeof(path), "%s/net/%s", search->proc, name);
	file = fopen(path, "re");
	if (!file) {
		return -errno;
	}
	while (fgets(line, sizeof(line), file)) {
		take_line(search, line);
	}
	fclose(file);
	return 0;
}

static void read_name(const struct search *search, pid_t pid, char name[static pbx_name_size])
{
	char path[path_size];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%ld/comm", search->proc, (long)pid);
	file = fopen(path, "re");
	if (!file) {
		return;
	}
	if (fgets(name, pbx_name_size, file)) {
		name[strcspn(name, "\n")] = '\0';
	}
	fclose(file);
}

/* One descriptor of a process: "socket:[12345]". The first process that holds it gives its name. */
static void take_descriptor(struct search *search, pid_t pid, const char *target)
{
	unsigned long inode;

	if (sscanf(target, "socket:[%lu]", &inode) != 1) {
		return;
	}
	for (size_t i = 0; i < search->count; i++) {
		struct found *found = &search->found[i];

		if (found->inode == inode && pid == getpid()) {
			found->is_ours = true;
		} else if (found->inode == inode && found->holder.pid == 0) {
			found->holder.pid = pid;
			read_name(search, pid, found->holder.name);
		}
	}
}

static void read_descriptors(struct search *search, pid_t pid)
{
	char path[path_size];
	const struct dirent *entry;
	DIR *folder;

	snprintf(path, sizeof(path), "%s/%ld/fd", search->proc, (long)pid);
	folder = opendir(path);
	if (!folder) {
		return; /* another user's, or gone */
	}
	while ((entry = readdir(folder))) {
		char target[64];
		ssize_t length =
			readlinkat(dirfd(folder), entry->d_name, target, sizeof(target) - 1);

		if (length > 0) {
			target[length] = '\0';
			take_descriptor(search, pid, target);
		}
	}
	closedir(folder);
}

static void find_owners(struct search *search)
{
	DIR *folder = opendir(search->proc);
	const struct dirent *entry;

	while (folder && (entry = readdir(folder))) {
		long pid = strtol(entry->d_name, NULL, 10);

		if (pid > 0) {
			read_descriptors(search, (pid_t)pid);
		}
	}
	if (folder) {
		closedir(folder);
	}
}

int pbx_beside_find(const char *proc, struct endpoint group, struct pbx_holder *holders, size_t max)
{
	struct search search = {.proc = proc, .group = group};
	int error = read_table(&search, "udp");
	int count = 0;

	if (error) {
		return error;
	}
	(void)read_table(&search, "udp6"); /* not there where IPv6 is switched off */
	if (search.count > 0) {
		find_owners(&search);
	}
	for (size_t i = 0; i < search.count; i++) {
		if (search.found[i].is_ours) {
			continue;
		}
		if ((size_t)count < max) {
			holders[count] = search.found[i].holder;
		}
		count++;
	}
	return count;
}

void pbx_rule_write(struct writer *w, struct endpoint group)
{
	/* Made before it is deleted, so that deleting never fails. */
	writer_text(w, "table inet " PBX_RULE_TABLE "\n"
		       "delete table inet " PBX_RULE_TABLE "\n"
		       "table inet " PBX_RULE_TABLE " {\n"
		       "\tchain input {\n"
		       "\t\ttype filter hook input priority -150; policy accept;\n"
		       "\t\tip daddr ");
	address_write(w, group.address);
	writer_text(w, " udp dport ");
	writer_unsigned(w, group.port);
	writer_text(w, " counter drop\n\t}\n}\n");
}
