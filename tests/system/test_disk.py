#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""A real disk that is full, and one that is mounted read-only: a small tmpfs in a mount namespace
of this test's own. Changes are refused with the reason, phones are served, and when there is room
again changes are made again, without a restart. (A disk that turns read-only under open files, as
a failing one does, cannot be had with mount: the kernel refuses that. test_store_faults.py stands
in for it.)"""

import ctypes
import http.client
import os
import socket
import subprocess

from house import LIBC, PATIENCE_S, Admin, Bellhopd, Skip, free_port, main

CLONE_NEWNS = 0x00020000
SIZE = "4m"
PHONE = "00908f123456"
BIG = {"settings": {"x.big": "v" * 20000}}


def mount(*arguments, check=True):
    done = subprocess.run(["mount", *map(str, arguments)], capture_output=True, text=True,
                          check=False)
    if check and done.returncode != 0:
        raise Skip(f"nothing can be mounted here: {done.stderr.strip()}")
    return done


def own_namespace():
    """What is mounted from now on is seen by this process and its children alone."""
    if os.geteuid() != 0:
        raise Skip("mounting needs root here")
    if LIBC.unshare(CLONE_NEWNS) != 0:
        raise Skip(f"no mount namespace may be made here: {os.strerror(ctypes.get_errno())}")
    mount("--make-rprivate", "/")


class House(Bellhopd):
    """A server whose data folder is a small disk, and one phone that it serves."""

    def __init__(self):
        own_namespace()
        self.port = free_port()
        self.is_mounted = False
        super().__init__(f"[sip]\nlisten = 127.0.0.1:{free_port(socket.SOCK_DGRAM)}\ngroup =\n"
                         f"[http]\nlisten = 127.0.0.1:{self.port}\n[https]\nlisten =\n"
                         "[tftp]\nlisten =\n")
        self.cli("device", "claim", PHONE, "--vendor", "audiocodes", "--model", "440HD",
                 "--set", "sip_lines.1.username=201")
        self.url = f"/p/{self.device(PHONE)['key']}/{PHONE}.cfg"

    def start(self):
        if not self.is_mounted:
            self.data.mkdir(mode=0o700)
            mount("-t", "tmpfs", "-o", f"size={SIZE},mode=0700", "tmpfs", self.data)
            self.is_mounted = True
        super().start()

    def __exit__(self, kind, value, trace):
        try:
            super().__exit__(kind, value, trace)
        finally:
            subprocess.run(["umount", "-l", self.data], check=False)
            self.data.rmdir()
            self.folder.rmdir()

    def fetch(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_S)
        connection.request("GET", self.url)
        answer = connection.getresponse()
        assert answer.status == 200 and b"201" in answer.read(), answer.status
        connection.close()

    def fill(self):
        """Not a block is left."""
        with open(self.data / "filler", "ab", buffering=0) as filler:
            for size in (65536, 4096, 1):
                try:
                    while filler.write(b"f" * size) == size:
                        pass
                except OSError:
                    pass

    def claim_until_refused(self, admin):
        """Some fit into what the database and its log have already."""
        for number in range(1, 1000):
            mac = f"00908f{number:06x}"
            status, text = admin.ask("POST", f"/api/v1/devices/{mac}/claim", BIG)
            if status != 200:
                return mac, status, text.decode()
        raise AssertionError("the disk is not full")


def test_a_full_disk_refuses_changes_and_serves_phones():
    with House() as house, Admin(house) as admin:
        house.fill()
        mac, status, text = house.claim_until_refused(admin)
        for _ in range(3):
            assert status == 507, (status, text)
            assert "there is no room left" in text and "free space on its disk" in text, text
            house.fetch()
            status, text = admin.ask("POST", f"/api/v1/devices/{mac}/claim", BIG)
            text = text.decode()
        assert house.device_or_none(mac) is None
        told = house.cli("device", "claim", mac, "--set", "x.big=" + "v" * 20000, check=False)
        assert told.returncode == 1 and "no room" in told.stderr, told.stderr
        status, text = admin.ask("PUT", "/api/v1/files/ring.wav", b"r" * 100000)
        assert status == 507 and b"No space left" in text, (status, text)
        assert not list((house.data / "files").iterdir())
        status, text = admin.ask("GET", "/api/v1/database")
        assert status == 507 and b"no room" in text, (status, text)
        there = {device["mac"] for device in house.json("device", "list")}
        # Room again: all of it works again.
        (house.data / "filler").unlink()
        admin.json("POST", f"/api/v1/devices/{mac}/claim", BIG)
        admin.json("PUT", "/api/v1/files/ring.wav", b"r" * 1000)
        house.cli("backup", house.folder / "backup")
        house.fetch()
        house.kill()
        house.start()
        assert {device["mac"] for device in house.json("device", "list")} == there | {mac}
        (house.folder / "backup").unlink()


def check_start(house, end):
    """What was acknowledged is there, or the reason is told and it still is."""
    there = len(house.json("device", "list"))
    end()
    house.fill()
    try:
        house.start()
    except AssertionError:
        last = house.log_text().splitlines()[-1]
        assert "not_started" in last and ("no room" in last or "No space" in last), last
        house.log.close()
        (house.data / "filler").unlink()
        house.start()
    assert len(house.json("device", "list")) == there
    house.fetch()


def test_a_start_on_a_full_disk():
    with House() as house:
        with Admin(house) as admin:
            house.fill()
            house.claim_until_refused(admin)
        check_start(house, house.kill)
        check_start(house, house.stop)


def test_a_read_only_disk():
    with House() as house:
        # Under the server's open files the kernel does not do it.
        assert mount("-o", "remount,ro", house.data, check=False).returncode != 0
        assert house.stop() == 0
        mount("-o", "remount,ro", house.data)
        try:
            house.start()
            raise RuntimeError("it started on a disk that cannot be written to")
        except AssertionError:
            last = house.log_text().splitlines()[-1]
            assert "not_started" in last and "Read-only file system" in last, last
            assert str(house.data) in last, last
        mount("-o", "remount,rw", house.data)
        house.log.close()
        house.start()
        house.fetch()
        house.cli("device", "claim", "00908f000001")


main(globals())
