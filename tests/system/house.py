# SPDX-License-Identifier: MIT
"""What the tests of the whole share: TAP, a running bellhopd, the command line, network namespaces
with sockets inside them, and waiting for something to become true."""

import contextlib
import ctypes
import http.client
import json
import os
import random
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
import traceback
from pathlib import Path

BUILD = Path(os.environ.get("BELLHOP_BUILD", "build")).resolve()
SOURCE = Path(__file__).resolve().parents[2]
CORPUS = Path(os.environ.get("BELLHOP_CORPUS", SOURCE.parent / "shared" / "corpus"))
os.environ.setdefault("BELLHOP_VENDORS", str(SOURCE / "vendors"))
PATIENCE_S = 30  # how long something may take before the test gives up; never a measurement


class Skip(Exception):
    """Raised by a test that cannot run here; says why."""


def main(module_globals):
    """Runs every function named test_… in the order of the file and prints TAP."""
    tests = [(name, function) for name, function in module_globals.items()
             if name.startswith("test_") and callable(function)]
    failed = 0
    print(f"1..{len(tests)}")
    for number, (name, function) in enumerate(tests, 1):
        title = name.removeprefix("test_")
        try:
            function()
            print(f"ok {number} - {title}")
        except Skip as reason:
            print(f"ok {number} - {title} # SKIP {reason}")
        except BaseException:  # a failed test must not hide the ones after it
            failed += 1
            for line in traceback.format_exc().splitlines():
                print("#", line)
            print(f"not ok {number} - {title}")
        sys.stdout.flush()
    sys.exit(1 if failed else 0)


def wait_for(what, condition):
    """Calls `condition` until it returns something true, and returns that."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        result = condition()
        if result:
            return result
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {PATIENCE_S} s in vain for: {what}")
        time.sleep(0.02)


def free_port(kind=socket.SOCK_STREAM, address="127.0.0.1"):
    """Below those that the kernel gives to whoever connects: nobody gets it before the server."""
    for port in random.sample(range(10000, 30000), 100):
        with socket.socket(socket.AF_INET, kind) as probe, contextlib.suppress(OSError):
            probe.bind((address, port))
            return port
    raise AssertionError(f"no port of {address} is free")


def program(name):
    """A foreign program, or Skip."""
    path = shutil.which(name)
    if not path:
        raise Skip(f"{name} is not here (./dev test unpacks it)")
    return path


def make_certificate(folder, address):
    """A self-signed certificate for an address, and its key: two paths in `folder`."""
    certificate, key = Path(folder) / "certificate.pem", Path(folder) / "key.pem"
    subprocess.run(
        [program("openssl"), "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
         "-nodes", "-days", "2", "-subj", "/CN=bellhop", "-addext", f"subjectAltName=IP:{address}",
         "-keyout", key, "-out", certificate], check=True, capture_output=True)
    return certificate, key


class Bellhopd:
    """A bellhopd with a folder of its own. `config` is put behind [server] data."""

    def __init__(self, config, namespace=None, variables=None):
        self.folder = Path(tempfile.mkdtemp(prefix="bellhop-test-"))
        self.data = self.folder / "data"
        self.config_path = self.folder / "bellhop.conf"
        self.socket = self.data / "admin.sock"
        self.namespace = namespace
        self.variables = variables or {}
        self.process = None
        self.write_config(config)
        self.start()

    def write_config(self, config):
        self.config_path.write_text(f"[server]\ndata = {self.data}\n{config}", encoding="utf-8")

    def start(self):
        self.log = open(self.folder / "log", "ab")
        self.process = subprocess.Popen(
            in_namespace(self.namespace, BUILD / "bellhopd", "-c", self.config_path),
            stderr=self.log, env={**os.environ, **self.variables})
        try:
            wait_for("the admin socket", self._is_up)
        except BaseException:
            print("#", self.log_text().replace("\n", "\n# "))
            raise

    def _is_up(self):
        if self.process.poll() is not None:
            raise AssertionError(f"bellhopd left with {self.process.returncode}")
        with socket.socket(socket.AF_UNIX) as probe:
            return probe.connect_ex(str(self.socket)) == 0

    def memory_kb(self, field):
        """VmRSS (now) or VmHWM (the most there ever was)."""
        status = Path(f"/proc/{self.process.pid}/status").read_text(encoding="utf-8")
        return int(re.search(rf"{field}:\s+(\d+) kB", status)[1])

    def log_text(self):
        return (self.folder / "log").read_text(encoding="utf-8", errors="replace")

    def reload(self, config):
        count = self.log_text().count("reloaded")
        self.write_config(config)
        self.process.send_signal(signal.SIGHUP)
        wait_for("the reload", lambda: self.log_text().count("reloaded") > count)

    def cli(self, *arguments, check=True, stdin=None):
        done = subprocess.run([BUILD / "bellhop", "--socket", self.socket, *map(str, arguments)],
                              input=stdin, capture_output=True, text=True, timeout=PATIENCE_S,
                              check=False)
        if check and done.returncode != 0:
            raise AssertionError(f"bellhop {' '.join(map(str, arguments))}: {done.returncode}: "
                                 f"{done.stdout}{done.stderr}")
        return done

    def json(self, *arguments):
        return json.loads(self.cli("--json", *arguments).stdout)

    def device(self, mac):
        return self.json("device", "show", mac)

    def device_or_none(self, mac):
        done = self.cli("--json", "device", "show", mac, check=False)
        return json.loads(done.stdout) if done.returncode == 0 else None

    def events(self):
        return self.cli("events").stdout

    def stop(self):
        """SIGTERM, and a clean end."""
        if self.process.poll() is None:
            self.process.terminate()
        code = self.process.wait(timeout=PATIENCE_S)
        self.log.close()
        return code

    def kill(self):
        self.process.kill()
        self.process.wait(timeout=PATIENCE_S)
        self.log.close()

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        if kind is not None and kind is not Skip:
            print("# the server's log:")
            print("#", self.log_text()[-6000:].replace("\n", "\n# "))
        try:
            code = self.stop() if self.process.poll() is None else self.process.returncode
            if kind is None and code not in (0, -signal.SIGKILL):
                print("#", self.log_text()[-6000:].replace("\n", "\n# "))
                raise AssertionError(f"bellhopd left with {code}")
        finally:
            shutil.rmtree(self.folder, ignore_errors=True)


def rows(path, sql):
    """What a database answers; closed at once, which Python itself would put off."""
    with contextlib.closing(sqlite3.connect(path)) as database:
        return database.execute(sql).fetchall()


class UnixConnection(http.client.HTTPConnection):
    """HTTP over a unix socket."""

    def __init__(self, path):
        super().__init__("bellhop", timeout=PATIENCE_S)
        self.path = str(path)

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(PATIENCE_S)
        self.sock.connect(self.path)


class Admin:
    """A keep-alive connection to the API on a server's admin socket; another when that was the
    last answer on it."""

    def __init__(self, server):
        self.connection = UnixConnection(server.socket)
        self.connection.connect()

    def ask(self, method, path, body=None):
        """(status, text); a body that is not bytes is sent as JSON. OSError when the server is
        gone."""
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
        try:
            self.connection.request(method, path, body)
            answer = self.connection.getresponse()
            return answer.status, answer.read()
        except http.client.HTTPException as fault:
            raise ConnectionError(fault) from None

    def json(self, method, path, body=None):
        status, text = self.ask(method, path, body)
        assert 200 <= status < 300, (method, path, status, text)
        return json.loads(text)

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        self.connection.close()


# Network namespaces.

LIBC = ctypes.CDLL(None, use_errno=True)
CLONE_NEWNET = 0x40000000


def in_namespace(namespace, *command):
    prefix = ["ip", "netns", "exec", namespace] if namespace else []
    return [*prefix, *map(str, command)]


def ip(*arguments):
    done = subprocess.run(["ip", *map(str, arguments)], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise AssertionError(f"ip {' '.join(map(str, arguments))}: {done.stderr}")
    return done.stdout


def socket_in(namespace, kind=socket.SOCK_DGRAM, family=socket.AF_INET, protocol=0):
    """A socket that lives in a namespace, for this process to use."""
    with open("/proc/self/ns/net", "rb") as home, open(f"/run/netns/{namespace}", "rb") as there:
        if LIBC.setns(there.fileno(), CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), "setns")
        try:
            return socket.socket(family, kind, protocol)
        finally:
            LIBC.setns(home.fileno(), CLONE_NEWNET)


class Network:
    """Hosts on one switch: each a namespace with eth0 (address, hardware address), joined by a
    bridge in a namespace of its own. `hosts` is {name: (address/bits, mac)}."""

    def __init__(self, hosts):
        self.names = []
        self.prefix = f"bh{os.getpid()}"
        self.switch = f"{self.prefix}-switch"
        if os.geteuid() != 0:
            raise Skip("namespaces need root here")
        try:
            self._add(self.switch)
        except (AssertionError, OSError) as fault:
            self.close()
            raise Skip(f"namespaces may not be made here: {fault}") from None
        try:
            self.add_bridge("br0")
            for name, (address, mac) in hosts.items():
                self._plug(name, address, mac)
        except BaseException:
            self.close()
            raise

    def _add(self, name):
        self.names.append(name)
        ip("netns", "add", name)
        ip("-n", name, "link", "set", "lo", "up")

    def namespace(self, name):
        return f"{self.prefix}-{name}"

    def add_bridge(self, name):
        """Another switch: what is on it hears nothing of the first one."""
        ip("-n", self.switch, "link", "add", name, "type", "bridge")
        ip("-n", self.switch, "link", "set", name, "up")

    def add_host(self, name):
        """A host without an interface."""
        self._add(self.namespace(name))

    def plug_in(self, name, interface, bridge, mac, *addresses):
        """An interface of a host, on a switch, with as many addresses as are named."""
        there = self.namespace(name)
        port = self.port_of(name, interface)
        ip("-n", self.switch, "link", "add", port, "type", "veth", "peer", "name", interface,
           "address", mac, "netns", there)
        ip("-n", self.switch, "link", "set", port, "master", bridge, "up")
        for address in addresses:
            ip("-n", there, "address", "add", address, "dev", interface)
        ip("-n", there, "link", "set", interface, "up")

    @staticmethod
    def port_of(name, interface):
        """What the switch calls that cable."""
        return f"port-{name}" if interface == "eth0" else f"{name[:6]}-{interface}"

    def pull_out(self, name, interface):
        """The cable is out, until put_back."""
        ip("-n", self.switch, "link", "set", self.port_of(name, interface), "down")

    def put_back(self, name, interface):
        ip("-n", self.switch, "link", "set", self.port_of(name, interface), "up")

    def _plug(self, name, address, mac):
        self.add_host(name)
        self.plug_in(name, "eth0", "br0", mac, address)
        ip("-n", self.namespace(name), "route", "add", "224.0.0.0/4", "dev", "eth0")

    def close(self):
        for name in reversed(self.names):
            subprocess.run(["ip", "netns", "delete", name], check=False, capture_output=True)

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        self.close()


@contextlib.contextmanager
def bound(namespace, address, port):
    """A UDP socket of a host, bound, with a time-out that only ends a failing test."""
    with contextlib.closing(socket_in(namespace)) as endpoint:
        endpoint.bind((address, port))
        endpoint.settimeout(PATIENCE_S)
        yield endpoint


# SIP, as far as a judge needs it.

def headers(message):
    """(start line, {name: [values]}, body) of one message; names in lower case."""
    head, _, body = message.partition(b"\r\n\r\n")
    start, *lines = head.split(b"\r\n")
    fields = {}
    for line in lines:
        name, _, value = line.partition(b":")
        fields.setdefault(name.strip().lower().decode(), []).append(value.strip())
    return start, fields, body


def answer_notify(notify):
    """The 200 of a phone to a NOTIFY."""
    _, fields, _ = headers(notify)
    lines = [b"SIP/2.0 200 OK"]
    for name in ("via", "from", "to", "call-id", "cseq"):
        lines += [name.title().encode() + b": " + value for value in fields[name]]
    return b"\r\n".join(lines + [b"Content-Length: 0", b"", b""])


def matches(pattern, message):
    """Byte for byte, where <t> and <b> of the golden text stand for a token that must not change."""
    expression = b""
    seen = set()
    for part in re.split(rb"(<[tb]>)", pattern):
        name = part[1:2]
        if part not in (b"<t>", b"<b>"):
            expression += re.escape(part)
        elif name in seen:
            expression += b"(?P=" + name + b")"
        else:
            seen.add(name)
            expression += b"(?P<" + name + rb">[A-Za-z0-9.!%*_+`'~-]+)"
    return re.fullmatch(expression, message, re.DOTALL)
