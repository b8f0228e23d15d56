#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""A real bellhopd under steady load on loopback, for as many minutes as asked (10 by default).

Phones at bound addresses subscribe, by unicast and by the group; strangers send garbage at every
door; files are fetched over HTTP and TFTP; an operator edits, adds and removes devices and reloads
the configuration. The tables are small, so that all of them have been round many times. Each ten
seconds one line says how it stands. Leaves with 1 when

- a valid SUBSCRIBE had no 200 and NOTIFY, or a fetch not its file;
- the memory (RSS, median of the last samples) has grown by more than GROWTH_MAX since the warm-up;
- descriptors or threads are more than before the load, once the load is over;
- a reload went by unseen, or bellhopd did not end with 0.

Usage: soak.py [MINUTES], with BELLHOP_BUILD as in tests/system."""

import itertools
import os
import random
import signal
import socket
import statistics
import struct
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "system"))

from house import (CORPUS, SOURCE, Bellhopd, answer_notify, free_port, headers,  # noqa: E402
                   wait_for)

MINUTES_DEFAULT = 10
ROUNDS_PER_SECOND = 20
REPORT_EVERY_S = 10
# Transactions stay 32 s and idle connections 60 s at most: memory is settled only after those.
WARM_UP_S_MIN = 75
WARM_UP_SHARE = 0.2
GROWTH_MAX = 0.10
ANSWER_S = 5  # as long as a phone asks
GARBAGE_BYTES_MAX = 60000
PHONES = {f"127.0.0.{n}": f"00908f0000{n:02x}" for n in range(2, 8)}
STRANGER = "127.0.0.99"
EDITS = 8  # steps of edit()
LIMITS = """[limits]
devices = 60
new_devices = 8
profiles = 8
events = 200
sip_transactions = 2048
sip_waiting = 16
neighbours = 64
http_connections = 32
tftp_transfers = 16
"""


class House:
    """The server, its ports, and what the process looks like from outside."""

    def __init__(self):
        self.sip = free_port(socket.SOCK_DGRAM)
        self.http = free_port()
        self.tftp = free_port(socket.SOCK_DGRAM)
        self.reloads = 0
        self.server = Bellhopd(self.config())
        self.pid = self.server.process.pid

    def config(self):
        """Two configurations in turn."""
        return (f"[sip]\nlisten = 127.0.0.1:{self.sip}\ngroup = 224.0.1.75:{self.sip}\n"
                f"interfaces = lo\n[http]\nlisten = 127.0.0.1:{self.http}\n[https]\nlisten =\n"
                f"[tftp]\nlisten = 127.0.0.1:{self.tftp}\n"
                f"[provisioning]\nurl = http://%{{address}}:{self.http}/p/%{{key}}/\n"
                f"unknown = {'ignore' if self.reloads % 2 else 'list'}\n{LIMITS}")

    def reload(self):
        self.reloads += 1
        self.server.write_config(self.config())
        self.server.process.send_signal(signal.SIGHUP)
        wait_for("the reload", lambda: self.server.log_text().count("reloaded") >= self.reloads)

    def status(self, name):
        for line in Path(f"/proc/{self.pid}/status").read_text(encoding="ascii").splitlines():
            if line.startswith(name + ":"):
                return int(line.split()[1])
        raise AssertionError(name)

    def rss_kb(self):
        return self.status("VmRSS")

    def threads(self):
        return self.status("Threads")

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.pid}/fd"))


def udp(address):
    here = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    here.bind((address, 0))
    here.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton("127.0.0.1"))
    return here


class Phone:
    """One bound address. It asks, answers its NOTIFY (but for some, which are sent again), and
    fetches its file."""

    numbers = itertools.count(1)

    def __init__(self, house, address, mac):
        self.house, self.address, self.mac = house, address, mac
        self.key = house.server.device(mac)["key"]
        self.socket = udp(address)

    def subscribe(self, call):
        here = b"%s:%d" % (self.address.encode(), self.socket.getsockname()[1])
        return (b"SUBSCRIBE sip:224.0.1.75:5060 SIP/2.0\r\n"
                b"From: <sip:00000001@" + here + b">;tag=" + call + b"\r\n"
                b"To: <sip:224.0.1.75:5060>\r\nCall-ID: " + call + b"\r\nCSeq: 1 SUBSCRIBE\r\n"
                b"Via: SIP/2.0/UDP " + here + b";rport;branch=z9hG4bK" + call + b"\r\n"
                b'Expires: 0\r\nEvent: ua-profile;profile-type="application";model="440HD";'
                b'version="2.2.2"\r\nMax-Forwards: 70\r\nAccept: application/url\r\n'
                b"Contact: <sip:00000001@" + here + b">\r\nContent-Length: 0\r\n\r\n")

    def ask(self):
        """True when 200 and NOTIFY with its own key came; asks again as a phone does."""
        number = next(self.numbers)
        call = b"soak%d" % number
        host = "224.0.1.75" if number % 3 == 0 else "127.0.0.1"
        missing = {b"200", b"NOTIFY"}
        begun = time.monotonic()
        for deadline in (0.5, 1.5, 3.5, ANSWER_S):
            self.socket.sendto(self.subscribe(call), (host, self.house.sip))
            while missing and (left := begun + deadline - time.monotonic()) > 0:
                self.socket.settimeout(left)
                try:
                    message, source = self.socket.recvfrom(65535)
                except TimeoutError:
                    break
                start, fields, body = headers(message)
                if fields.get("call-id") != [call]:
                    continue  # a NOTIFY of before, sent again
                if start.startswith(b"SIP/2.0 200 "):
                    missing.discard(b"200")
                elif start.startswith(b"NOTIFY ") and self.key.encode() in body:
                    missing.discard(b"NOTIFY")
                    if number % 10:
                        self.socket.sendto(answer_notify(message), source)
            if not missing:
                return True
        return False

    def fetch_http(self):
        with socket.create_connection(("127.0.0.1", self.house.http), ANSWER_S,
                                      (self.address, 0)) as client:
            client.sendall(f"GET /p/{self.key}/{self.mac}.cfg HTTP/1.1\r\nHost: x\r\n"
                           "Connection: close\r\n\r\n".encode())
            answer = b""
            while piece := client.recv(65536):
                answer += piece
        return answer.startswith(b"HTTP/1.1 200 ") and b"\r\n\r\n" in answer

    def fetch_tftp(self):
        with udp(self.address) as client:
            client.settimeout(ANSWER_S)
            client.sendto(b"\0\1" + f"{self.mac}.cfg".encode() + b"\0octet\0",
                          ("127.0.0.1", self.house.tftp))
            while True:
                datagram, there = client.recvfrom(65536)
                if datagram[:2] != b"\0\3":
                    return False
                client.sendto(b"\0\4" + datagram[2:4], there)
                if len(datagram) < 516:
                    return True


def read_garbage():
    """{door: [octets]}: our fixtures, the corpus where it is, and noise."""
    garbage = {"sip": [b"\0" * 100], "tftp": [struct.pack(">H", n) + b"x" for n in range(9)],
               "http": [b"\r\n\r\n", b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01\0\0"]}
    for path in sorted((SOURCE / "tests" / "fixtures" / "sip").glob("*.sip")):
        garbage["sip"].append(path.read_bytes())
    for path in sorted(CORPUS.glob("*/*")):
        door = {"tftp": "tftp", "http-requests": "http"}.get(path.parent.name, "sip")
        if path.suffix != ".tsv" and path.is_file() and path.stat().st_size < GARBAGE_BYTES_MAX:
            garbage[door].append(path.read_bytes())
    return garbage


def throw(house, door, octets):
    """From a stranger; what comes back is nobody's business."""
    if door != "http":
        with udp(STRANGER) as here:
            here.sendto(octets, ("127.0.0.1", house.sip if door == "sip" else house.tftp))
        return
    with socket.create_connection(("127.0.0.1", house.http), ANSWER_S, (STRANGER, 0)) as client:
        client.settimeout(1)
        try:
            client.sendall(octets)
            client.shutdown(socket.SHUT_WR)
            while client.recv(65536):
                pass
        except OSError:
            pass


def edit(server, number):
    """What an operator does all day, one thing a call."""
    turn, step = divmod(number, EDITS)
    mac = f"00908f10{turn % 40:04x}"
    server.cli(*(("device", "claim", mac, "--model", "440HD", "--label", f"number {turn}"),
                 ("profile", "set", "default", "--set", f"ntp_ip=192.0.2.{1 + turn % 250}"),
                 ("device", "block", mac),
                 ("device", "list"),
                 ("device", "set", PHONES["127.0.0.2"], "--label", f"edit {turn}"),
                 ("device", "unblock", mac),
                 ("status",),
                 ("device", "remove", mac))[step])


class Soak:
    def __init__(self, house, minutes):
        self.house = house
        self.seconds = minutes * 60
        self.warm_up_s = max(WARM_UP_S_MIN, WARM_UP_SHARE * self.seconds)
        self.phones = [Phone(house, *both) for both in PHONES.items()]
        self.garbage = read_garbage()
        self.random = random.Random(1)
        self.counts = dict.fromkeys(("exchanges", "unanswered", "files", "files_missing",
                                     "garbage", "edits"), 0)
        self.samples = []  # (seconds, RSS)

    def load(self, number):
        """One round; most are one exchange and one piece of garbage."""
        counts, phone = self.counts, self.phones[number % len(self.phones)]
        counts["exchanges"] += 1
        counts["unanswered"] += not phone.ask()
        door = self.random.choices(("sip", "tftp", "http"), (6, 2, 2))[0]
        throw(self.house, door, self.random.choice(self.garbage[door]))
        counts["garbage"] += 1
        if number % 4 == 0:
            counts["files"] += 1
            fetch = phone.fetch_tftp if number % 8 else phone.fetch_http
            try:
                counts["files_missing"] += not fetch()
            except OSError:
                counts["files_missing"] += 1
        if number % (2 * ROUNDS_PER_SECOND) == 0:
            edit(self.house.server, counts["edits"])
            counts["edits"] += 1
        if number % (15 * ROUNDS_PER_SECOND) == 0:
            self.house.reload()

    def report(self, seconds, rounds):
        house = self.house
        self.samples.append((seconds, house.rss_kb()))
        print(f"{seconds:6.0f} s  rounds {rounds}  " +
              "  ".join(f"{name} {count}" for name, count in self.counts.items()) +
              f"  reloads {house.reloads}  RSS {self.samples[-1][1]} kB  "
              f"fds {house.descriptors()}  threads {house.threads()}", flush=True)

    def run(self):
        begun = time.monotonic()
        next_report = REPORT_EVERY_S
        for number in itertools.count(1):
            seconds = time.monotonic() - begun
            if seconds >= next_report:
                self.report(seconds, number)
                next_report += REPORT_EVERY_S
            if seconds >= self.seconds:
                return
            self.load(number)
            pause = begun + number / ROUNDS_PER_SECOND - time.monotonic()
            if pause > 0:
                time.sleep(pause)

    def growth(self):
        """Share by which RSS grew after the warm-up, or None when the run was too short to say."""
        warm = [rss for seconds, rss in self.samples if seconds >= self.warm_up_s]
        if len(warm) < 6:
            return None
        return statistics.median(warm[-3:]) / statistics.median(warm[:3]) - 1


def judge(soak, idle):
    """The sentences of what went wrong."""
    house, faults = soak.house, []
    growth = soak.growth()
    if growth is None:
        print(f"the run was too short to judge memory (warm-up {soak.warm_up_s:.0f} s)")
    else:
        print(f"RSS after the warm-up of {soak.warm_up_s:.0f} s: {growth:+.1%} "
              f"(allowed {GROWTH_MAX:.0%})")
        if growth > GROWTH_MAX:
            faults.append(f"memory grew by {growth:.1%}")
    for name in ("unanswered", "files_missing"):
        if soak.counts[name]:
            faults.append(f"{name}: {soak.counts[name]}")
    for name, before, now in zip(("descriptors", "threads"), idle,
                                 (house.descriptors, house.threads)):
        try:
            wait_for(f"{name} to be {before} again", lambda: now() <= before)
        except AssertionError as fault:
            faults.append(f"{fault}; they are {now()}")
    return faults


def main():
    minutes = float(sys.argv[1]) if len(sys.argv) > 1 else MINUTES_DEFAULT
    house = House()
    with house.server as server:
        for address, mac in PHONES.items():
            form = "rfc" if int(mac, 16) % 2 else "print"
            server.cli("device", "claim", mac, "--model", "440HD", "--address", address,
                       "--form", form)
        soak = Soak(house, minutes)
        house.reload()
        for number in range(EDITS):  # each door and edit once: what they open may stay open
            soak.load(number + 1)
            edit(server, number)
        time.sleep(1)
        idle = house.descriptors(), house.threads()
        print(f"bellhopd {house.pid}, {minutes:g} minutes; at rest RSS {house.rss_kb()} kB  "
              f"fds {idle[0]}  threads {idle[1]}", flush=True)
        soak.run()
        faults = judge(soak, idle)
    for fault in faults:
        print("FAILED:", fault)
    if not faults:
        print("ok")
    sys.exit(1 if faults else 0)


main()
