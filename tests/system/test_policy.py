#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Who is given a file with secrets, and who a URL with a key: on hosts of their own, one of them
with a second address that is routed. Each combination of [provisioning] access and routed."""

import contextlib
import os
import re
import signal
import subprocess

from house import Bellhopd, Network, bound, in_namespace, ip, main, program, wait_for

SERVER = "10.13.4.121"
HOSTS = {
    "server": (f"{SERVER}/16", "02:00:00:00:00:01"),
    "b": ("10.13.2.37/16", "00:90:8f:00:00:0b"),
    "c": ("10.13.2.38/16", "00:90:8f:00:00:0c"),
    "d": ("10.13.2.39/16", "00:90:8f:00:00:0d"),
}
ROUTED = "192.168.9.5"  # of host c, behind its own 10.13.2.38 as a router would have it
MACS = {name: mac.replace(":", "") for name, (_, mac) in HOSTS.items()}


def config(more=""):
    return f"[sip]\ninterfaces = eth0\n[log]\nlevel = debug\n[provisioning]\n{more}"


class House:
    """A server that has claimed b and c; d is listed by nobody."""

    def __enter__(self):
        self.curl = program("curl")
        self.network = Network(HOSTS)
        ip("-n", self.network.namespace("c"), "address", "add", f"{ROUTED}/32", "dev", "lo")
        ip("-n", self.network.namespace("server"), "route", "add", f"{ROUTED}/32",
           "via", "10.13.2.38")
        try:
            self.server = Bellhopd(config(), self.network.namespace("server"))
        except BaseException:
            self.network.close()
            raise
        for name in ("b", "c"):
            self.server.cli("device", "claim", MACS[name], "--model", "440HD",
                            "--set", "admin_password=-", stdin=f"of-{name}")
        return self

    def __exit__(self, kind, value, trace):
        try:
            self.server.__exit__(kind, value, trace)
        finally:
            self.network.close()

    def key(self, name):
        return self.server.device(MACS[name])["key"]

    def forget_neighbours(self):
        ip("-n", self.network.namespace("server"), "neigh", "flush", "dev", "eth0")

    def status(self, host, path, *more):
        """What curl is told on that host; with tftp 200 stands for a file and 404 for none."""
        done = subprocess.run(
            in_namespace(self.network.namespace(host), self.curl, "-sS", "--max-time", "20",
                         "-o", "/dev/null", "-w", "%{http_code}", *more,
                         f"http://{SERVER}:8080/{path}"), capture_output=True, text=True,
            check=False)
        tftp = subprocess.run(
            in_namespace(self.network.namespace(host), self.curl, "-sS", "--max-time", "20",
                         "-o", "/dev/null", *more, f"tftp://{SERVER}/{path}"),
            capture_output=True, text=True, check=False)
        http = int(done.stdout)
        assert tftp.returncode in (0, 68), (tftp.returncode, tftp.stderr)
        assert (http == 200) == (tftp.returncode == 0), (http, tftp.returncode, path)
        return http


def names(house):
    """b's configuration by its name, and by its key."""
    name = f"{MACS['b'].upper()}.cfg"
    return name, f"p/{house.key('b')}/{name}"


def test_key_or_neighbour():
    with House() as house:
        by_name, by_key = names(house)
        house.forget_neighbours()
        assert house.status("b", by_name) == 200
        assert house.status("b", by_key) == 200
        assert house.status("c", by_key) == 200
        for host in ("c", "d"):
            assert house.status(host, by_name) == 404, host
        # An address that is routed proves nothing, whoever's frame brought it.
        assert house.status("c", by_name, "--interface", ROUTED) == 404
        assert house.status("c", f"{MACS['c'].upper()}.cfg") == 200
        assert house.status("c", f"{MACS['c'].upper()}.cfg", "--interface", ROUTED) == 404
        # Nobody claimed d; b is blocked from now on.
        assert house.status("d", f"{MACS['d'].upper()}.cfg") == 404
        house.server.cli("device", "block", MACS["b"])
        assert house.status("b", by_name) == house.status("b", by_key) == 404
        assert house.status("c", by_key) == 404


def test_neighbour_alone():
    with House() as house:
        house.server.reload(config("access = neighbour\n"))
        by_name, by_key = names(house)
        for path in (by_key, by_name):
            house.forget_neighbours()
            assert house.status("b", path) == 200, path
            assert house.status("c", path) == 404, path
            assert house.status("c", path, "--interface", ROUTED) == 404, path
        house.server.cli("device", "set", MACS["b"], "--address", ROUTED)
        assert house.status("c", by_name, "--interface", ROUTED) == 200
        house.server.cli("device", "set", MACS["b"], "--address", ROUTED, "--interface", "eth9")
        assert house.status("c", by_name, "--interface", ROUTED) == 404


def test_key_alone():
    with House() as house:
        house.server.reload(config("access = key\n"))
        by_name, by_key = names(house)
        assert house.status("b", by_name) == 404
        assert house.status("b", by_key) == house.status("c", by_key) == 200
        assert house.status("c", by_key, "--interface", ROUTED) == 200
        wrong = by_key[:-20].replace(house.key("b")[:4], "0000", 1)
        assert house.status("b", wrong + by_key[-20:]) == 404


def test_a_storm_of_phones_never_spoken_to_is_answered_whole():
    """More senders in one turn of the loop than the kernel's answers can be read between."""
    count = 240
    with House() as house:
        there = house.network.namespace("b")
        batch = "".join(f"address add 10.13.7.{i + 1}/16 dev eth0\n" for i in range(count))
        subprocess.run(["ip", "-n", there, "-batch", "-"], input=batch, text=True, check=True)
        with contextlib.ExitStack() as stack:
            phones = [stack.enter_context(bound(there, f"10.13.7.{i + 1}", 5060))
                      for i in range(count)]
            os.kill(house.server.process.pid, signal.SIGSTOP)
            try:
                for i, phone in enumerate(phones):
                    phone.sendto(subscribe(phone, f"storm{i}", "1"), (SERVER, 5060))
            finally:
                os.kill(house.server.process.pid, signal.SIGCONT)
            for i, phone in enumerate(phones):
                assert phone.recv(65535).startswith(b"SIP/2.0 200 "), i


def subscribe(phone, call, names_mac):
    here = "{}:{}".format(*phone.getsockname())
    return (f"SUBSCRIBE sip:{names_mac}@224.0.1.75:5060 SIP/2.0\r\nVia: SIP/2.0/UDP {here};rport;"
            f"branch=z9hG4bK{call}\r\nFrom: <sip:{names_mac}@{here}>;tag={call}\r\n"
            f"To: <sip:224.0.1.75:5060>\r\nCall-ID: {call}\r\nCSeq: 1 SUBSCRIBE\r\nExpires: 0\r\n"
            f'Event: ua-profile;profile-type="device";vendor="AudioCodes";model="440HD"\r\n'
            f"Max-Forwards: 70\r\nAccept: application/url\r\nContact: <sip:1@{here}>\r\n"
            f"Content-Length: 0\r\n\r\n").encode()


def is_told_its_url(phone, call, mac, to):
    phone.sendto(subscribe(phone, call, mac), to)
    first = phone.recv(65535)
    return first.startswith(b"SIP/2.0 200 ") and b"http://" in phone.recv(65535)


def test_a_routed_phone_is_told_nothing_unless_it_is_bound_or_routed_is_serve():
    server_port = (SERVER, 5060)
    with House() as house, bound(house.network.namespace("c"), ROUTED, 5070) as phone:
        assert not is_told_its_url(phone, "routed1", MACS["c"], server_port)
        assert not is_told_its_url(phone, "routed2", MACS["b"], server_port)
        house.server.cli("device", "set", MACS["b"], "--address", ROUTED)
        assert is_told_its_url(phone, "routed3", MACS["b"], server_port)
        phone.sendto(subscribe(phone, "routed4", MACS["c"]), server_port)
        wait_for("the conflict", lambda: "mac_conflict" in house.server.events())
        house.server.cli("device", "set", MACS["b"], "--address", "")
        house.server.reload(config("routed = serve\n"))
        wait_for("the URL", lambda: is_asked_until_told(phone, MACS["b"], server_port))
        assert not re.search("[0-9a-f]{32}", house.server.log_text() + house.server.events())


def is_asked_until_told(phone, mac, to):
    """Whatever still comes from the requests before is passed over."""
    call = f"again{is_asked_until_told.count}"
    is_asked_until_told.count += 1
    phone.sendto(subscribe(phone, call, mac), to)
    for _ in range(8):
        message = phone.recv(65535)
        if f"Call-ID: {call}\r\n".encode() in message:
            return message.startswith((b"SIP/2.0 200 ", b"NOTIFY "))
    return False


is_asked_until_told.count = 0

main(globals())
