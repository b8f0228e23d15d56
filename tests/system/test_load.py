#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""200 clients at once on every door of one bellhopd: most fetch whole files, some read a few hundred
octets a second or nothing at all, some leave half way. Those that read get all of it; the memory
stays within what the limits allow; at the end nothing of it is left, and the books are right."""

import asyncio
import collections
import contextlib
import itertools
import os
import random
import socket
import ssl
import struct
import tempfile
import time
from pathlib import Path

from house import PATIENCE_S, Bellhopd, free_port, main, make_certificate, wait_for

HOST = "127.0.0.1"
MAC = "00908f602aac"
# More than the kernel holds for one connection, so that a slow reader is felt in the server.
IMAGE = random.Random(1).randbytes(8_000_000)
RING = random.Random(2).randbytes(300_000)
NORMAL, SLOW, STILL, LEAVING = 100, 40, 30, 30
LEAVES = 3  # times that one of them comes
LEAVES_AT = 60_000
# More than 200 at once: the next transfer of a client may begin before its last is at an end.
CONNECTIONS_MAX, TRANSFERS_MAX = 250, 250
# What one may cost: a slice of a file, the copy of it that is being written, the parser, and for TLS
# what OpenSSL holds; a piece of a file, twice, and a window.
CONNECTION_KB_MAX, TRANSFER_KB_MAX = 192, 128
SLOW_OCTETS, SLOW_PAUSE_S = 100, 0.3
BLOCK, WINDOW = 1428, 8
RESEND_S = 3
RESENDS_MAX = 10


class House:
    """The server, its doors and what they hold."""

    def __init__(self, folder):
        self.ports = {"http": free_port(), "https": free_port(),
                      "tftp": free_port(socket.SOCK_DGRAM)}
        certificate, key = make_certificate(folder, HOST)
        self.tls = ssl.create_default_context(cafile=certificate)
        self.server = Bellhopd(
            f"[sip]\nlisten = {HOST}:{free_port(socket.SOCK_DGRAM)}\ngroup =\n"
            f"[http]\nlisten = {HOST}:{self.ports['http']}\n"
            f"[https]\nlisten = {HOST}:{self.ports['https']}\ncertificate = {certificate}\n"
            f"key = {key}\n[tftp]\nlisten = {HOST}:{self.ports['tftp']}\n"
            f"[limits]\nhttp_connections = {CONNECTIONS_MAX}\ntftp_transfers = {TRANSFERS_MAX}\n")
        self.proc = Path("/proc") / str(self.server.process.pid)

    def fill(self, folder):
        self.server.cli("device", "claim", MAC, "--model", "440HD")
        for name, octets in (("image.bin", IMAGE), ("ring.bin", RING)):
            (folder / name).write_bytes(octets)
            self.server.cli("file", "add", folder / name, "--name", name)
        self.key = self.server.device(MAC)["key"]
        config = self.server.cli("device", "preview", MAC, f"{MAC}.cfg").stdout.encode()
        self.files = {"image.bin": IMAGE, "ring.bin": RING, f"{MAC}.cfg": config}
        told = {row["door"] for row in self.server.json("status")["listeners"]}
        self.doors = [door for door in self.ports if door in told]

    def counters(self):
        return self.server.json("status")["counters"]

    def memory_kb(self, name):
        for line in (self.proc / "status").read_text(encoding="ascii").splitlines():
            if line.startswith(name + ":"):
                return int(line.split()[1])
        raise AssertionError(name)

    def forget_peak(self):
        (self.proc / "clear_refs").write_text("5", encoding="ascii")

    def descriptors(self):
        return len(os.listdir(self.proc / "fd"))

    def is_sanitized(self):
        return "libasan" in (self.proc / "maps").read_text(encoding="utf-8")


class Load:
    """What the clients share."""

    def __init__(self, house):
        self.house = house
        self.numbers = itertools.count()
        self.dawdling = 0  # clients that have their first octets and do not want more
        self.all_dawdle = asyncio.Event()
        self.is_over = asyncio.Event()
        self.counts = collections.Counter()

    def client(self, number, **more):
        """The doors in turn; an address of its own for each."""
        door = self.house.doors[number % len(self.house.doors)]
        there, here = next(self.numbers), (HOST, self.house.ports[door])
        address = f"127.0.{1 + there // 200}.{1 + there % 200}"
        return (Tftp if door == "tftp" else Web)(self, door, here, address, **more)

    def dawdles(self):
        self.dawdling += 1
        if self.dawdling == SLOW + STILL:
            self.all_dawdle.set()

    async def is_over_within(self, seconds):
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.is_over.wait(), seconds)
        return self.is_over.is_set()


class Web:
    """A client of HTTP or HTTPS, of one connection."""

    image = "image.bin"

    def __init__(self, load, door, there, address, read_max=1 << 18):
        self.load, self.there, self.address, self.read_max = load, there, address, read_max
        self.tls = {"ssl": load.house.tls, "server_hostname": HOST} if door == "https" else {}

    async def __aenter__(self):
        here = socket.socket()
        if self.read_max < 1 << 16:
            here.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, self.read_max)
        here.bind((self.address, 0))
        here.setblocking(False)
        await asyncio.get_running_loop().sock_connect(here, self.there)
        self.reader, self.writer = await asyncio.open_connection(
            sock=here, limit=self.read_max, **self.tls)
        self.load.counts["connections"] += 1
        return self

    async def __aexit__(self, kind, value, trace):
        self.writer.transport.abort()

    async def ask(self, name):
        """The length of what comes."""
        self.writer.write(f"GET /p/{self.load.house.key}/{name} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        self.load.counts["web requests"] += 1
        head = await self.reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200 "), head
        return int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])

    async def fetch(self, name):
        length, at, whole = await self.ask(name), 0, memoryview(self.load.house.files[name])
        assert length == len(whole)
        while at < length:
            piece = await self.reader.read(self.read_max)
            assert piece and piece == whole[at:at + len(piece)], (self.address, name, at)
            at += len(piece)

    async def dawdle(self, size, pause_s):
        await self.ask(self.image)
        self.load.dawdles()
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while not await self.load.is_over_within(pause_s):  # the server may lose patience first
                await self.reader.readexactly(size)

    async def leave(self):
        await self.ask(self.image)
        await self.reader.readexactly(LEAVES_AT)


class Tftp:
    """A client of one transfer at a time, by windows."""

    image = "ring.bin"

    def __init__(self, load, door, there, address, read_max=0):
        self.load, self.there, self.address = load, there, address

    async def __aenter__(self):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((self.address, 0))
        self.socket.setblocking(False)
        return self

    async def __aexit__(self, kind, value, trace):
        self.socket.close()

    async def send(self):
        self.load.counts["copies"] += self.last[1] == 1 and self.is_asked
        self.is_asked = True
        await asyncio.get_running_loop().sock_sendto(self.socket, self.last, self.to)

    async def receive(self):
        """The next datagram; what was said last is said again until there is one."""
        for _ in range(RESENDS_MAX):
            with contextlib.suppress(TimeoutError):
                return await asyncio.wait_for(
                    asyncio.get_running_loop().sock_recvfrom(self.socket, 2048), RESEND_S)
            await self.send()
        raise AssertionError(f"{self.address}: no answer to {self.last}")

    def ask(self, name):
        path = f"p/{self.load.house.key}/{name}".encode()
        self.last = b"\0\1%s\0octet\0blksize\0%d\0windowsize\0%d\0" % (path, BLOCK, WINDOW)
        self.to, self.block, self.is_whole, self.is_asked = self.there, 0, False, False
        self.load.counts["transfers"] += 1

    async def window(self):
        """Says what is to be said, and returns the blocks that come in answer."""
        pieces = []
        await self.send()
        while len(pieces) < WINDOW and not self.is_whole:
            datagram, self.to = await self.receive()
            opcode, number = struct.unpack(">HH", datagram[:4])
            assert opcode in (3, 6), (self.address, datagram)
            if opcode == 6:
                self.last = struct.pack(">HH", 4, 0)
                await self.send()
            elif number == self.block + 1:
                self.block, self.last = number, struct.pack(">HH", 4, number)
                self.is_whole = len(datagram) < 4 + BLOCK
                pieces.append(datagram[4:])
                self.load.counts["whole transfers"] += self.is_whole
        return b"".join(pieces)

    async def fetch(self, name):
        self.ask(name)
        got = b""
        while not self.is_whole:
            got += await self.window()
        await self.send()
        assert got == self.load.house.files[name], (self.address, name, len(got))

    async def dawdle(self, size, pause_s):
        self.ask(self.image)
        await self.window()
        self.load.dawdles()
        while not await self.load.is_over_within(pause_s):
            await self.window()

    async def leave(self):
        self.ask(self.image)
        while self.block * BLOCK < LEAVES_AT:
            await self.window()
        self.last = b"\0\5\0\0enough\0"
        await self.send()


async def be_normal(load, number):
    async with load.client(number) as client:
        for name in (f"{MAC}.cfg", client.image, f"{MAC}.cfg"):
            await client.fetch(name)


async def be_slow(load, number, size, pause_s):
    async with load.client(number, read_max=4096) as client:
        await client.dawdle(size, pause_s)


async def leave_half_way(load, number):
    for _ in range(LEAVES):
        async with load.client(number) as client:
            await client.leave()


async def warm_up(house):
    """What is opened or allocated once is there before anything is measured."""
    load = Load(house)
    for number in range(len(house.doors)):
        await be_normal(load, number)


async def play(house):
    """All of them; the normal ones have theirs while the others are in the way."""
    load = Load(house)
    async with asyncio.timeout(4 * PATIENCE_S), asyncio.TaskGroup() as others:
        for number in range(SLOW):
            others.create_task(be_slow(load, number, SLOW_OCTETS, SLOW_PAUSE_S))
        for number in range(STILL):
            others.create_task(be_slow(load, number, 0, 4 * PATIENCE_S))
        await load.all_dawdle.wait()
        for number in range(LEAVING):
            others.create_task(leave_half_way(load, number))
        async with asyncio.TaskGroup() as normal:
            for number in range(NORMAL):
                normal.create_task(be_normal(load, number))
        load.is_over.set()
    return load.counts


def check_books(house, before, counts):
    """What was counted is what was done."""
    def since(name, *groups):
        now = house.counters()
        return sum(now[group][name] - before[group][name] for group in groups if group in now)

    wait_for("all transfers to be over", lambda: counts["transfers"] == since(
        "completed", "tftp") + since("abandoned", "tftp"))
    assert since("requests", "tftp") == counts["transfers"] + counts["copies"]
    assert 0 < since("completed", "tftp") <= counts["whole transfers"]
    assert since("connections", "http", "https") == counts["connections"]
    assert since("requests", "http", "https") == counts["web requests"]
    for name, *groups in (("bad_requests", "http", "https"), ("refused_full", "http", "https"),
                          ("refused_source", "http", "https"), ("full", "tftp"), ("refused", "tftp")):
        assert since(name, *groups) == 0, name


def test_200_clients_at_once():
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        house = House(folder)
        with house.server as server:
            house.fill(folder)
            asyncio.run(warm_up(house))
            before = house.counters()
            descriptors, rest_kb = house.descriptors(), house.memory_kb("VmRSS")
            house.forget_peak()
            begun = time.monotonic()
            counts = asyncio.run(play(house))
            load_s, peak_kb = time.monotonic() - begun, house.memory_kb("VmHWM")
            allowed_kb = (rest_kb + CONNECTIONS_MAX * CONNECTION_KB_MAX +
                          TRANSFERS_MAX * TRANSFER_KB_MAX)
            print(f"# {NORMAL + SLOW + STILL + LEAVING} clients by {', '.join(house.doors)} in "
                  f"{load_s:.1f} s: {dict(counts)}")
            print(f"# memory: at rest {rest_kb} kB, at most {peak_kb} kB, allowed {allowed_kb} kB")
            check_books(house, before, counts)
            wait_for(f"{descriptors} descriptors again",
                     lambda: house.descriptors() <= descriptors)
            # AddressSanitizer keeps what was freed.
            assert peak_kb <= allowed_kb or house.is_sanitized()
            assert server.process.poll() is None


main(globals())
