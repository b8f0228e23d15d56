/* SPDX-License-Identifier: MIT */
/* Of bellhop doctor: the clock and the disk. */
#include "programs/bellhop/doctor.h"

#include <errno.h>
#include <string.h>
#include <sys/statvfs.h>
#include <sys/timex.h>
#include <time.h>

enum {
	free_mib_low = 200,
	free_mib_none = 20,
	inodes_low = 1000,
	/* This program is younger than this: 2026-01-01. */
	year_least = 2026,
};

static void print_time(time_t now, char text[static 32])
{
	struct tm parts = {0};

	gmtime_r(&now, &parts);
	strftime(text, 32, "%Y-%m-%dT%H:%M:%SZ", &parts);
}

void doctor_check_clock(struct doctor *doctor)
{
	struct timex kernel = {.modes = 0};
	time_t now = time(NULL);
	struct tm parts = {0};
	char text[32];
	int state = adjtimex(&kernel);

	gmtime_r(&now, &parts);
	print_time(now, text);
	if (parts.tm_year + 1900 < year_least) {
		doctor_tell(doctor, DOCTOR_FAULT, "clock",
			    "set it and keep it right: apt install systemd-timesyncd",
			    "the clock says %s, which is before this program was written: "
			    "certificates will be refused",
			    text);
	} else if (state == TIME_ERROR || (kernel.status & STA_UNSYNC)) {
		doctor_tell(doctor, DOCTOR_WARNING, "clock",
			    "phones take the time from this network too: run chrony or "
			    "systemd-timesyncd",
			    "the clock says %s and nothing keeps it right", text);
	} else {
		doctor_tell(doctor, DOCTOR_OK, "clock", NULL, "%s, kept in step", text);
	}
}

void doctor_check_disk(struct doctor *doctor)
{
	const char *folder = doctor->config.data.data;
	struct statvfs disk;
	unsigned long long free_mib;

	if (statvfs(folder, &disk) != 0) {
		doctor_tell(doctor, errno == EACCES ? DOCTOR_SKIPPED : DOCTOR_WARNING, "disk",
			    "run it as root, or as the user that bellhopd runs as",
			    "%s cannot be looked at: %s", folder, strerror(errno));
		return;
	}
	free_mib = (unsigned long long)disk.f_bavail * disk.f_frsize >> 20;
	if (disk.f_flag & ST_RDONLY) {
		doctor_tell(doctor, DOCTOR_FAULT, "disk", "mount it for writing",
			    "%s can only be read: no claim and no edit can be kept", folder);
	} else if (free_mib < free_mib_none || (disk.f_files > 0 && disk.f_favail == 0)) {
		doctor_tell(doctor, DOCTOR_FAULT, "disk",
			    "make room: old firmware in DATA/files is usually the largest",
			    "%s is full (%llu MiB and %llu inodes free)", folder, free_mib,
			    (unsigned long long)disk.f_favail);
	} else if (free_mib < free_mib_low || (disk.f_files > 0 && disk.f_favail < inodes_low)) {
		doctor_tell(doctor, DOCTOR_WARNING, "disk", "make room before it is full",
			    "%s has %llu MiB and %llu inodes left", folder, free_mib,
			    (unsigned long long)disk.f_favail);
	} else {
		doctor_tell(doctor, DOCTOR_OK, "disk", NULL, "%s has %llu MiB left", folder,
			    free_mib);
	}
}
