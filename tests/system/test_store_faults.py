#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Each open, write, sync, truncation, rename and removal below the data folder fails in its turn,
or is the last thing that bellhopd does. What was acknowledged is there after a restart, what was
refused was refused with the reason, phones are served all the while, and the database is whole.
tests/faults/faults.c is what fails; it is loaded before bellhopd's own libraries."""

import errno
import http.client
import mmap
import os
import re
import shutil
import socket
import struct
import subprocess
import tempfile
from pathlib import Path

from house import BUILD, PATIENCE_S, Admin, Bellhopd, free_port, main, rows

LIBRARY = Path(os.environ.get("BELLHOP_FAULTS_LIBRARY",
                              BUILD / "tests/faults/libbellhop_faults.so"))
PHONE = "00908f123456"
# What an operator must be able to read of each.
REASONS = {
    errno.EIO: "disk I/O error|Input/output error",
    errno.ENOSPC: "no room left|No space left",
    errno.EROFS: "may not be written|Read-only file system",
    errno.EDQUOT: "no room left|quota",
}
ERRORS = list(REASONS)
CALLS_MAX = 400  # no operation of ours makes as many
if os.access("/dev/shm", os.W_OK):
    tempfile.tempdir = "/dev/shm"  # thousands of syncs; none meets a power cut


class Faults:
    """The switch that faults.c and this process share."""

    FORMAT = struct.Struct("<IIIII")

    def __init__(self):
        self.file = tempfile.NamedTemporaryFile(prefix="bellhop-faults-")
        self.file.truncate(mmap.PAGESIZE)
        self.map = mmap.mmap(self.file.fileno(), mmap.PAGESIZE)

    def variables(self, data):
        return {"LD_PRELOAD": str(LIBRARY), "BELLHOP_FAULTS": self.file.name,
                "BELLHOP_FAULTS_BELOW": str(data),
                "ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0"}

    def arm(self, number, error, calls=1, kills=False):
        """The call with this number from now on fails, and `calls` - 1 after it."""
        self.map[:self.FORMAT.size] = self.FORMAT.pack(0, calls, error, kills, 0)
        self.map[:4] = struct.pack("<I", number)

    def disarm(self):
        """How many calls have failed."""
        self.map[:4] = struct.pack("<I", 0)
        return self.FORMAT.unpack(self.map[:self.FORMAT.size])[4]


class House(Bellhopd):
    """A server with faults, one phone that it serves, and what it has acknowledged."""

    def __init__(self):
        self.faults = Faults()
        self.port = free_port()
        self.claimed = set()
        self.refused = set()
        self.next = 1
        super().__init__(f"[sip]\nlisten = 127.0.0.1:{free_port(socket.SOCK_DGRAM)}\ngroup =\n"
                         f"[http]\nlisten = 127.0.0.1:{self.port}\n[https]\nlisten =\n"
                         "[tftp]\nlisten =\n")
        self.cli("device", "claim", PHONE, "--vendor", "audiocodes", "--model", "440HD",
                 "--set", "sip_lines.1.username=201")
        self.url = f"/p/{self.device(PHONE)['key']}/{PHONE}.cfg"

    def start(self):
        self.variables = self.faults.variables(self.data)
        super().start()

    def fetch(self):
        """The phone takes its configuration: always."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_S)
        connection.request("GET", self.url)
        answer = connection.getresponse()
        assert answer.status == 200 and b"201" in answer.read(), answer.status
        connection.close()

    def claim(self, admin, error):
        """One claim, acknowledged or refused with the reason."""
        mac = f"00908f{self.next:06x}"
        self.next += 1
        status, text = admin.ask("POST", f"/api/v1/devices/{mac}/claim", {"label": mac})
        if status == 200:
            self.claimed.add(mac)
        else:
            check_refusal(status, text, error)
            self.refused.add(mac)
        return status

    def restart_and_check(self):
        """As after a power cut, as far as kill -9 goes."""
        self.kill()
        assert rows(self.data / "bellhop.db", "PRAGMA integrity_check") == [("ok",)]
        self.start()
        there = {mac for (mac,) in rows(self.data / "bellhop.db", "SELECT mac FROM devices")}
        assert self.claimed <= there, self.claimed - there
        assert there - {PHONE} == self.claimed, there & self.refused
        assert not list(self.data.glob("bellhop.db.part-*"))
        self.fetch()


def check_refusal(status, text, error):
    text = text.decode()
    # SQLite opens a file for reading that cannot be opened for writing, and forgets why; it does not
    # tell at all that it could not remove its log.
    reasons = "|".join((REASONS[error], "cannot be opened for writing",
                        "unable to open database file", "its log cannot be removed"))
    assert status >= 400 and re.search(reasons, text), (status, errno.errorcode[error], text)
    assert '"what_to_do": "' in text, text


def each_call(house, work, calls=1):
    """Calls work(error) with the first, second, third, … call armed until none has failed. It may
    disarm itself, and returns then how many have failed."""
    count = 0
    for number in range(1, CALLS_MAX):
        error = ERRORS[number % len(ERRORS)]
        house.faults.arm(number, error, calls)
        fired = work(error)
        fired = house.faults.disarm() if fired is None else fired
        if not fired:
            return count
        count += 1
    raise AssertionError(f"{CALLS_MAX} calls, and no end")


def test_each_call_of_a_claim_fails_once():
    """The store tries a batch that failed again, change by change."""
    with House() as house:
        def work(error):
            with Admin(house) as admin:
                for _ in range(3):
                    house.claim(admin, error)
                    house.fetch()
        count = each_call(house, work)
        house.restart_and_check()
        print(f"# {count} calls have failed, {len(house.claimed)} claims acknowledged, "
              f"{len(house.refused)} refused")
        assert count > 10 and house.claimed


def test_several_calls_in_a_row_fail():
    """So many that the change itself is refused. A restart after each: it stays refused."""
    with House() as house:
        def work(error):
            with Admin(house) as admin:
                house.claim(admin, error)
                house.fetch()
                fired = house.faults.disarm()
                assert house.claim(admin, error) == 200  # it works again, without a restart
            house.restart_and_check()
            return fired
        for calls in (3, 8):  # the batch and what is between; the change by itself as well
            count = each_call(house, work, calls)
            assert count > 2, count
        print(f"# {len(house.claimed)} claims acknowledged, {len(house.refused)} refused")
        assert house.refused


def test_a_disk_that_takes_nothing_and_comes_back():
    """As when it turns read-only while files are open on it (errors=remount-ro)."""
    for error in ERRORS:
        with House() as house, Admin(house) as admin:
            assert house.claim(admin, error) == 200
            house.faults.arm(1, error, calls=2**32 - 1)
            for _ in range(5):
                assert house.claim(admin, error) != 200
                house.fetch()
            status, text = admin.ask("PUT", "/api/v1/files/a.bin", b"new")
            check_refusal(status, text, error)
            status, text = admin.ask("GET", "/api/v1/database")
            check_refusal(status, text, error)
            assert admin.json("GET", "/api/v1/status")["devices"]["claimed"] == 2
            told = [line for line in house.log_text().splitlines() if "store_failed" in line]
            assert len(told) <= 3, told  # the same sentence once, however many reports
            house.faults.disarm()
            assert house.claim(admin, error) == 200
            assert house.device(f"00908f{house.next - 1:06x}")["state"] == "claimed"
            admin.json("PUT", "/api/v1/files/a.bin", b"new")
            house.restart_and_check()


def test_each_call_of_file_add_fails_once():
    with House() as house, Admin(house) as admin:
        path = house.data / "files" / "rings" / "a.bin"
        contents = [b"old" * 50000]
        admin.json("PUT", "/api/v1/files/rings/a.bin", contents[0])

        def work(error):
            new = str(len(contents)).encode() * 100000
            status, text = admin.ask("PUT", "/api/v1/files/rings/a.bin", new)
            if status == 201:
                contents.append(new)
            else:
                check_refusal(status, text, error)
            # The last sync may have failed: then the new one is there, whole, and may go again.
            there = path.read_bytes()
            assert there in (contents[-1], new), there[:20]
            contents.append(there)
            house.fetch()
        count = each_call(house, work)
        assert count > 3, count
        house.restart_and_check()
        assert path.read_bytes() == contents[-1]
        assert [item.name for item in path.parent.iterdir()] == ["a.bin"]


def test_each_call_of_file_add_is_the_last():
    """kill -9 at each of them: the old file or the new one, and nothing else."""
    with House() as house:
        path = house.data / "files" / "rings" / "a.bin"
        contents = [b"old" * 50000, b"new" * 50000]
        seen = set()
        with Admin(house) as admin:
            admin.json("PUT", "/api/v1/files/rings/a.bin", contents[0])
        for number in range(1, CALLS_MAX):
            path.write_bytes(contents[0])
            house.faults.arm(number, 0, kills=True)
            try:
                with Admin(house) as admin:
                    admin.json("PUT", "/api/v1/files/rings/a.bin", contents[1])
                    house.faults.disarm()
                    break
            except OSError:
                house.process.wait(timeout=PATIENCE_S)
                house.log.close()
                house.faults.disarm()
            house.start()
            there = path.read_bytes()
            assert there in contents, (len(there), there[:20])
            seen.add(there)
            assert [item.name for item in path.parent.iterdir()] == ["a.bin"]
            assert [item.name for item in path.parent.parent.iterdir()] == ["rings"]
            house.fetch()
        print(f"# killed at {number - 1} calls")
        assert number > 5 and len(seen) == 2, (number, len(seen))


def test_each_call_of_a_backup_fails_once():
    with House() as house, Admin(house) as admin:
        def work(error):
            status, text = admin.ask("GET", "/api/v1/database")
            if status == 200:
                copy = house.folder / "copy"
                copy.write_bytes(text)
                assert rows(copy, "PRAGMA integrity_check") == [("ok",)]
            else:
                check_refusal(status, text, error)
            house.fetch()
        count = each_call(house, work)
        assert count > 5, count
        # One whose removal failed goes with the next start. More than one round may meet that call: the
        # store writes beside it.
        left = sorted(item.name for item in house.data.glob("bellhop.db.part-*"))
        assert len(left) <= 3, left
        house.restart_and_check()
        assert not list(house.data.glob("bellhop.db.part-*"))


def restore(house):
    """A backup without the devices that were claimed after it."""
    with Admin(house) as admin:
        return admin.ask("PUT", "/api/v1/database", (house.folder / "backup").read_bytes())


def test_each_call_of_a_restore_fails_once():
    with House() as house:
        house.cli("backup", house.folder / "backup")
        before = set(house.claimed)
        restored = 0
        for number in range(1, CALLS_MAX):
            error = ERRORS[number % len(ERRORS)]
            with Admin(house) as admin:
                assert house.claim(admin, error) == 200
                house.faults.arm(number, error)
                status, text = restore(house)
                fired = house.faults.disarm()
                if status == 200:
                    house.claimed = set(before)
                    restored += 1
                else:
                    check_refusal(status, text, error)
                house.fetch()
                assert house.claim(admin, error) == 200
            house.restart_and_check()
            if not fired:
                break
        print(f"# {number - 1} calls have failed; {restored} restores were made all the same")
        assert number > 10 and restored


def test_each_call_of_a_restore_is_the_last():
    """kill -9 at each of them: the old devices or the new ones, never a mixture."""
    with House() as house:
        house.cli("backup", house.folder / "backup")
        with Admin(house) as admin:
            assert house.claim(admin, errno.EIO) == 200
        old = set(house.claimed) | {PHONE}
        saved = house.folder / "saved"
        house.stop()
        shutil.copytree(house.data, saved)
        seen = set()
        for number in range(1, CALLS_MAX):
            shutil.rmtree(house.data)
            shutil.copytree(saved, house.data)
            house.start()
            house.faults.arm(number, 0, kills=True)
            try:
                assert restore(house)[0] == 200
                house.faults.disarm()
                break
            except OSError:
                house.process.wait(timeout=PATIENCE_S)
                house.log.close()
                house.faults.disarm()
            house.start()
            there = {mac for (mac,) in rows(house.data / "bellhop.db", "SELECT mac FROM devices")}
            assert there in (old, {PHONE}), there
            assert rows(house.data / "bellhop.db", "PRAGMA integrity_check") == [("ok",)]
            seen.add(frozenset(there))
            house.fetch()
            assert not list(house.data.glob("*.part-*"))
            for kept in house.data.glob("*.before-restore-*"):
                assert {mac for (mac,) in rows(kept, "SELECT mac FROM devices")} == old
            house.stop()
        print(f"# killed at {number - 1} calls")
        assert number > 10 and len(seen) == 2, (number, seen)


def test_each_call_of_a_start_fails_once():
    """It starts, or says why not and leaves all as it is."""
    with House() as house:
        with Admin(house) as admin:
            for _ in range(3):
                assert house.claim(admin, errno.EIO) == 200
        started = refused = 0
        for number in range(1, CALLS_MAX):
            house.kill()  # with a log to be recovered
            error = ERRORS[number % len(ERRORS)]
            house.faults.arm(number, error)
            try:
                house.start()
                started += 1
            except AssertionError:
                last = house.log_text().splitlines()[-1]
                assert "not_started" in last, last
                check_refusal(400, (last + '"what_to_do": "').encode(), error)
                house.log.close()
                refused += 1
            if not house.faults.disarm():
                break
            if house.process.poll() is not None:
                house.start()
            house.restart_and_check()
        print(f"# {refused} starts were refused, {started} made all the same")
        assert refused > 5 and number < CALLS_MAX - 1


if not LIBRARY.exists():
    subprocess.run(["ninja", "-C", BUILD, LIBRARY.relative_to(BUILD)], check=True,
                   stdout=subprocess.DEVNULL)
main(globals())
