#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""bellhop, the command line, against a bellhopd of its own on loopback. $BELLHOP_BUILD names the
build folder; without bellhopd in it only what needs no server is tested. Arguments: names of tests.
Prints TAP."""

import contextlib
import fcntl
import http.client
import json
import os
import pty
import queue
import random
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import termios
import threading
import time
import traceback
import unicodedata
import urllib.parse

BUILD = os.path.abspath(os.environ.get("BELLHOP_BUILD", "build"))
BELLHOP = os.path.join(BUILD, "bellhop")
BELLHOPD = os.path.join(BUILD, "bellhopd")
SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
os.environ.setdefault("BELLHOP_VENDORS", os.path.join(SOURCE, "vendors"))
MAC = "00908f000001"
CONFIG = """[server]
data = {data}
[sip]
listen = 127.0.77.9:{sip}
group =
[http]
listen = 127.0.77.9:{http}
[tftp]
listen =
[https]
listen =
[admin]
listen =
"""


def free_port(kind):
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.77.9", 0))
        return probe.getsockname()[1]


class Server:
    def __init__(self, folder=None):
        self.folder = folder or tempfile.mkdtemp(prefix="bellhop-cli-")
        self.data = os.path.join(self.folder, "data")
        self.config = os.path.join(self.folder, "bellhop.conf")
        self.http = free_port(socket.SOCK_STREAM)
        self.sip = free_port(socket.SOCK_DGRAM)
        with open(self.config, "w", encoding="utf-8") as file:
            file.write(CONFIG.format(data=self.data, sip=self.sip, http=self.http))
        self.log = open(os.path.join(self.folder, "log"), "ab")
        self.start()

    def start(self):
        self.process = subprocess.Popen([BELLHOPD, "-c", self.config], stderr=self.log)
        for _ in range(1000):
            if self.process.poll() is not None:
                raise RuntimeError("bellhopd has ended: " + self.log_text())
            if run("status", server=self).status == 0:
                return
            time.sleep(0.01)
        raise RuntimeError("bellhopd does not answer")

    def log_text(self):
        with open(os.path.join(self.folder, "log"), encoding="utf-8", errors="replace") as file:
            return file.read()

    def stop(self, number=signal.SIGTERM):
        self.process.send_signal(number)
        return self.process.wait(30)

    def remove(self):
        if self.process.poll() is None:
            self.stop()
        self.log.close()
        shutil.rmtree(self.folder)


class Result:
    def __init__(self, done):
        self.status, self.out, self.err = done.returncode, done.stdout, done.stderr

    @property
    def json(self):
        return json.loads(self.out)


def run(*arguments, server=None, stdin="", environment=None):
    command = [BELLHOP, *arguments]
    if server:
        command[1:1] = ["--socket", os.path.join(server.data, "admin.sock")]
    return Result(subprocess.run(command, input=stdin, capture_output=True, text=True, timeout=60,
                                 check=False, env={**os.environ, **(environment or {})}))


def check(condition, told):
    if not condition:
        raise AssertionError(told)


def expect(result, status, *parts):
    check(result.status == status, f"left with {result.status}, not {status}: {result.err}")
    for part in parts:
        check(part in result.out + result.err, f"{part!r} is not in {result.out!r} {result.err!r}")
    if status == 1:
        check(result.err.count("\n") == 1, f"not one line: {result.err!r}")
    return result


# What needs no server.

def test_usage():
    expect(run("help"), 0, "device claim MAC", "--token-file")
    expect(run("--help"), 0, "device claim MAC")
    expect(run("help", "device", "set"), 0, "--address ADDRESS", "PATH=VALUE")
    expect(run("device", "set", "--help"), 0, "--address ADDRESS")
    expect(run("help", "settings"), 0, "sip_lines.#.password (secret)")
    expect(run("--version"), 0, "bellhop ")
    expect(run(), 2, "usage:")
    expect(run("devise", "list"), 2, "did you mean device?")
    expect(run("device", "lst"), 2, "did you mean list?")
    expect(run("device"), 2, "one more word")
    expect(run("device", "show"), 2, "MAC")
    expect(run("device", "show", MAC, "extra"), 2, "MAC")
    expect(run("status", "--jsn"), 2, "did you mean --json?")
    expect(run("status", "--label", "x"), 2, "takes no --label")
    expect(run("device", "set", MAC, "--label"), 2, "wants a value")
    expect(run("--json=1", "status"), 2, "takes no value")
    expect(run("-x"), 2)


def test_no_server():
    folder = tempfile.mkdtemp(prefix="bellhop-cli-")
    path = os.path.join(folder, "admin.sock")
    expect(run("--socket", path, "status"), 1, path, "start bellhopd")
    expect(run("status", environment={"BELLHOP_SOCKET": path}), 1, path)
    expect(run("--url", "http://127.0.77.9:1", "status"), 1, "cannot be asked")
    os.rmdir(folder)


# What does.

def test_device(server):
    expect(run("device", "list", server=server), 0)
    expect(run("device", "add", "00:90:8F:00:00:01", "--model", "440HD", server=server), 0,
           f"{MAC} is new")
    expect(run("device", "add", MAC, server=server), 1)
    expect(run("device", "claim", MAC, "--label", "Reception \u00fc", "--vendor", "audiocodes",
               "--address", "127.0.77.1", "--interface", "lo", server=server), 0, "claimed")
    shown = expect(run("--json", "device", "show", MAC, server=server), 0).json
    for member in ("mac vendor model firmware state profile label settings key first_seen "
                   "last_seen address interface identified_by form").split():
        check(member in shown, member)
    check(shown["address"] == "127.0.77.1" and shown["identified_by"] == "address", shown)
    check(shown["label"] == "Reception \u00fc" and len(shown["key"]) == 32, shown)
    expect(run("device", "show", MAC, server=server), 0, "Reception", "440HD")
    expect(run("device", "list", "--state", "claimed", server=server), 0, MAC, "LABEL")
    listed = expect(run("device", "list", "--state", "new", "--json", server=server), 0).json
    check(listed == [], listed)
    expect(run("device", "set", MAC, server=server), 2, "nothing to set")
    expect(run("device", "set", MAC, "--address", "", server=server), 0)
    shown = run("device", "show", MAC, "--json", server=server).json
    check(shown["address"] is None, shown)
    expect(run("device", "block", MAC, server=server), 0, "blocked")
    expect(run("device", "unblock", MAC, server=server), 0, "claimed")
    expect(run("device", "set", MAC, "--form", "fax", server=server), 1, "rfc or print")
    expect(run("device", "show", "xyz", server=server), 1, "MAC")
    expect(run("device", "remove", MAC, server=server), 0, "removed")
    expect(run("device", "show", MAC, server=server), 1, "no device")


def test_settings(server):
    secret = os.path.join(server.folder, "secret")
    with open(secret, "w", encoding="utf-8") as file:
        file.write("from-file\n")
    expect(run("device", "claim", MAC, "--set", "sip_lines.1.username=@@1001",
               "--set", f"sip_lines.1.password=@{secret}", "--set", "admin_password=-",
               stdin="from stdin\n", server=server), 0)
    shown = run("--json", "device", "show", MAC, server=server).json["settings"]
    check(shown["sip_lines.1.username"] == "@1001", shown)
    check(shown["sip_lines.1.password"] == "********", shown)
    shown = run("--json", "device", "show", MAC, "--secrets", server=server).json["settings"]
    check(shown["sip_lines.1.password"] == "from-file", shown)
    check(shown["admin_password"] == "from stdin", shown)
    told = expect(run("device", "set", MAC, "--set", "admin_password=on-the-line",
                      server=server), 0, "warning")
    check("on-the-line" not in told.err, told.err)
    expect(run("device", "set", MAC, "--unset", "admin_password", server=server), 0)
    shown = run("--json", "device", "show", MAC, server=server).json["settings"]
    check("admin_password" not in shown, shown)
    expect(run("device", "set", MAC, "--set", "sip_proxi_ip=192.0.2.1", server=server), 1,
           "sip_proxy_ip")
    expect(run("device", "set", MAC, "--set", "nothing", server=server), 1, "PATH=VALUE")
    expect(run("device", "set", MAC, "--set", "ntp_ip=@/nonexistent", server=server), 1,
           "/nonexistent")


def test_preview(server):
    expect(run("device", "claim", MAC, "--vendor", "audiocodes", "--model", "440HD",
               "--set", "sip_lines.1.username=4711", server=server), 0)
    files = expect(run("--json", "device", "files", MAC, server=server), 0).json
    rendered = [file["name"] for file in files if file["kind"] == "rendered"]
    check(rendered, files)
    whole = expect(run("device", "preview", MAC, server=server), 0, "4711").out
    check(expect(run("device", "preview", MAC, rendered[0], server=server), 0).out == whole,
          "the file differs from the default one")
    expect(run("device", "preview", MAC, "nothing.cfg", server=server), 1, "no file")


def test_profile(server):
    expect(run("profile", "set", "office", "--set", "ntp_ip=192.0.2.3", server=server), 0)
    expect(run("profile", "set", "hall", "--parent", "office", server=server), 0)
    expect(run("profile", "list", server=server), 0, "office", "hall", "default")
    shown = expect(run("--json", "profile", "show", "hall", "--effective", server=server), 0).json
    check(shown["effective_settings"]["ntp_ip"] == "192.0.2.3", shown)
    expect(run("profile", "remove", "office", server=server), 1)
    expect(run("profile", "remove", "hall", server=server), 0, "removed hall")
    expect(run("profile", "remove", "office", server=server), 0)
    expect(run("profile", "show", "office", server=server), 1)


def test_file(server):
    path = os.path.join(server.folder, "440HD.img")
    with open(path, "wb") as file:
        file.write(bytes(range(256)) * 4096)
    expect(run("file", "add", path, server=server), 0, "added 440HD.img, 1048576 bytes")
    expect(run("file", "add", path, "--name", "rings/ab.img", server=server), 0)
    names = [file["name"] for file in run("--json", "file", "list", server=server).json]
    check(names == ["440HD.img", "rings/ab.img"], names)
    with open(os.path.join(server.data, "files", "440HD.img"), "rb") as file:
        check(file.read() == bytes(range(256)) * 4096, "the file differs")
    for name in ("../x", "a b", ".hidden", "r\u00fc"):
        expect(run("file", "add", path, "--name", name, server=server), 1, "name")
        check(not os.path.exists(os.path.join(server.data, "files", name)), name)
    expect(run("file", "add", "/nonexistent", server=server), 1, "/nonexistent")
    expect(run("file", "add", "/tmp", server=server), 1, "/tmp")
    fifo = os.path.join(server.folder, "fifo")
    os.mkfifo(fifo)
    expect(run("file", "add", fifo, server=server), 1, "regular")
    # A folder where a file is wanted, and the other way round.
    expect(run("file", "add", path, "--name", "rings", server=server), 1, "a folder has that name")
    expect(run("file", "add", path, "--name", "440HD.img/x", server=server), 1, "another name")
    expect(run("file", "remove", "rings/ab.img", server=server), 0)
    expect(run("file", "remove", "rings/ab.img", server=server), 1)


def test_status_and_events(server):
    expect(run("status", server=server), 0, "bellhopd", "phones", server.data)
    check(run("--json", "status", server=server).json["pid"] == server.process.pid, "pid")
    expect(run("events", server=server), 0)
    expect(run("events", "--limit", "x", server=server), 1, "number")
    expect(run("events", "--device", "x", server=server), 1, "MAC")


def ask_for(server, name):
    """A request that is refused, which is an event."""
    connection = http.client.HTTPConnection("127.0.77.9", server.http, timeout=30)
    connection.request("GET", f"/{name}")
    check(connection.getresponse().status == 404, name)
    connection.close()


def test_following_goes_on_after_a_restart(server):
    for number in (signal.SIGTERM, signal.SIGKILL):
        follower = subprocess.Popen([BELLHOP, "--socket", os.path.join(server.data, "admin.sock"),
                                     "events", "--follow", "--json", "--limit", "0"],
                                    stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        # Until it follows nothing of this is told: asked again until it is.
        lines = queue.Queue()
        threading.Thread(target=lambda: [lines.put(json.loads(line)) for line in follower.stdout],
                         daemon=True).start()
        while lines.empty():
            ask_for(server, "before")
            time.sleep(0.05)
        server.stop(number)
        check("waiting until it is back" in follower.stderr.readline(), "said")
        server.start()
        ask_for(server, "after")
        seen = []
        while True:
            event = lines.get(timeout=30)
            check(event not in seen, f"{event} came twice")
            seen.append(event)
            if "after" in event["text"]:
                break
        follower.terminate()
        follower.wait(30)
    expect(run("events", server=server), 0, "after")


def test_a_follower_that_nobody_reads_ends(server):
    follower = subprocess.Popen([BELLHOP, "--socket", os.path.join(server.data, "admin.sock"),
                                 "events", "--follow"], stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, text=True)
    ask_for(server, "something")
    check("something" in follower.stdout.readline(), "an event")
    server.stop()
    check("waiting" in follower.stderr.readline(), "said")
    follower.stdout.close()
    check(follower.wait(30) == 1, follower.returncode)


def test_lists_of_devices(server):
    macs = [f"00908f0001{number:02x}" for number in range(200)]
    listed = "# a pallet\n\n" + "".join(f" {mac}  # label {mac}\r\n" for mac in macs)
    told = expect(run("device", "claim", "-", "--model", "440HD", "--profile", "default",
                      server=server, stdin=listed), 0)
    check(told.out == "".join(f"{mac} is claimed\n" for mac in macs), told.out)
    check(len(run("--json", "device", "list", "--state", "claimed", server=server).json) == 200,
          "all are there")
    # What fails is named, and does not keep the others.
    told = run("device", "block", macs[0], "00908f00ffff", "xyz", macs[1], server=server)
    check(told.status == 1 and told.err.count("\n") == 2, told.err)
    for part in ("00908f00ffff: no such device", "xyz: that is not the MAC"):
        check(part in told.err, told.err)
    check(told.out == f"{macs[0]} is blocked\n{macs[1]} is blocked\n", told.out)
    told = run("--json", "device", "unblock", macs[0], "00908f00ffff", server=server)
    check(told.status == 1 and [row["mac"] for row in told.json] == [macs[0], "00908f00ffff"],
          told.out)
    check(told.json[0]["state"] == "claimed" and told.json[1]["what_to_do"], told.out)
    # One device is answered with an object, a list of one with a list.
    check(run("--json", "device", "set", macs[0], "--label", "x", server=server).json["label"] == "x",
          "one")
    check(run("--json", "device", "set", "-", "--label", "y", server=server,
              stdin=macs[0]).json[0]["label"] == "y", "a list of one")
    expect(run("device", "remove", macs[0], server=server), 0,
           f"removed {macs[0]} (claimed, 440HD, y)\n")
    expect(run("device", "remove", "-", server=server, stdin="\n".join(macs[1:])), 0)
    check(run("--json", "device", "list", server=server).json == [], "all are gone")
    expect(run("device", "remove", "-", server=server, stdin="# none\n"), 1, "names no device")
    expect(run("device", "claim", "-", "--set", "admin_password=-", server=server, stdin="x"), 2,
           "cannot be both")
    server.stop()
    told = run("device", "block", *macs[:3], server=server)
    check(told.status == 1 and "start bellhopd" in told.err and told.err.count("\n") == 2, told.err)


def on_terminal(columns, *arguments, server):
    """What a terminal of so many columns gets."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    process = subprocess.Popen([BELLHOP, "--socket", os.path.join(server.data, "admin.sock"),
                                *arguments], stdout=theirs, stderr=subprocess.DEVNULL)
    os.close(theirs)
    told = b""
    with contextlib.suppress(OSError):  # EIO: the other side is closed
        while piece := os.read(ours, 65536):
            told += piece
    os.close(ours)
    check(process.wait(30) == 0, told)
    return told.decode().replace("\r\n", "\n").splitlines()


def test_tables(server):
    label = "\u7535\u8bdd " * 8 + "e\u0301nd"  # two columns a character; one with an accent of none
    expect(run("device", "claim", MAC, "--vendor", "audiocodes", "--model", "440HD", "--label",
               label, server=server), 0)
    expect(run("device", "claim", "00908f000002", "--label", "plain", server=server), 0)
    # A pipe gets all of it, and no blank at the end of a line.
    lines = run("device", "list", server=server).out.splitlines()
    check(lines[0].split()[0] == "MAC" and lines[1].endswith(label), lines)
    check(not any(line.endswith(" ") for line in lines), lines)
    wide = [unicodedata.east_asian_width(sign) == "W" for sign in lines[1]]
    at = lines[1].index("\u7535")
    check(lines[0].index("LABEL") == at + sum(wide[:at]), lines)
    for columns in (120, 80, 60, 40, 20, 5, 1):
        lines = on_terminal(columns, "device", "list", server=server)
        check(len(lines) == 3, lines)
        for line in lines:
            width = sum(0 if unicodedata.combining(sign) else
                        2 if unicodedata.east_asian_width(sign) == "W" else 1 for sign in line)
            check(width <= columns, (columns, line))
        if columns >= 40:
            check(all(line[:12] == mac for line, mac in zip(lines[1:], (MAC, "00908f000002"))), lines)
    check("LABEL" in on_terminal(80, "device", "list", server=server)[0], "the label is not spared")
    check("VENDOR" not in on_terminal(60, "device", "list", server=server)[0], "the vendor is")


def test_pages(server):
    macs = [f"00908f10{number:04x}" for number in range(2300)]
    expect(run("device", "claim", "-", server=server, stdin="\n".join(macs)), 0)
    check([row["mac"] for row in run("--json", "device", "list", server=server).json] == macs, "json")
    lines = run("device", "list", server=server).out.splitlines()
    check([line.split()[0] for line in lines] == ["MAC"] + macs, "lines")


def hostile_bytes(dice):
    pieces = [b"\0", b"\n", b'"', b"\\", b"\x1b[2J", b"\x7f", b"\xc2\x9b", b"\xc0\xaf", b"\xed\xa0\x80",
              b"\xe2\x80\xa8", b"\xff", b"\xf0\x9f\x93\x9e", b"<MAC>", b"%0a", b"text"]
    return b"".join(dice.choice(pieces) for _ in range(dice.randrange(1, 12)))


def subscribe(dice, source):
    """A SUBSCRIBE with something hostile in one place where one may write something."""
    places = iter(range(6))
    hostile = dice.randrange(6)

    def word():
        return hostile_bytes(dice).replace(b"\n", b"") if next(places) == hostile else b"x"
    here = f"{source[0]}:{source[1]}".encode()
    mac = MAC.encode()
    return (b"SUBSCRIBE sip:MAC%3a" + mac + b"@224.0.1.75 SIP/2.0\r\nVia: SIP/2.0/UDP " + here +
            b";branch=z9hG4bK%d\r\n" % dice.randrange(1 << 30) +
            b"From: \"" + word() + b"\" <sip:MAC%3a" + mac + b"@x>;tag=1\r\nTo: <sip:x>\r\n"
            b"Call-ID: %d\r\nCSeq: 1 SUBSCRIBE\r\nExpires: 0\r\n" % dice.randrange(1 << 30) +
            b'Event: ua-profile;profile-type="device";vendor="' + word() + b'";model="' + word() +
            b'";version="' + word() + b'"\r\nUser-Agent: ' + word() + b"\r\nMax-Forwards: 70\r\n"
            b"Contact: <sip:" + word() + b"@" + here + b">\r\nContent-Length: 0\r\n\r\n")


def test_output_is_json_whatever_phones_send(server):
    """And what goes to a terminal does not steer it."""
    dice = random.Random(20261122)
    expect(run("device", "claim", MAC, "--address", "127.0.0.1", server=server), 0)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as phone:
        phone.bind(("127.0.0.1", 0))
        for _ in range(300):
            phone.sendto(subscribe(dice, phone.getsockname()), ("127.0.77.9", server.sip))
    for _ in range(100):
        path = urllib.parse.quote(hostile_bytes(dice)).encode()
        with socket.create_connection(("127.0.77.9", server.http), 30) as client:
            client.sendall(b"GET /" + path + b" HTTP/1.1\r\nHost: x\r\nUser-Agent: " +
                           (hostile_bytes(dice).replace(b"\n", b"") if dice.random() < 0.2 else b"x")
                           + b"\r\nConnection: close\r\n\r\n")
            client.recv(65536)
    folder = os.path.join(server.data, "files").encode()
    for i in range(30):
        name = hostile_bytes(dice).replace(b"\0", b"").replace(b"/", b"")[:100] + b"%d" % i
        with contextlib.suppress(FileNotFoundError), open(os.path.join(folder, name), "wb"):
            pass
    for label in ("\x9b31m", "\u2028", "\u202e", "\ufffe", "a\\u0000b", '"'):
        expect(run("device", "claim", MAC, "--label", label, server=server), 0)
        check(run("--json", "device", "show", MAC, server=server).json["label"] == label, label)
    for command in (["device", "list"], ["device", "show", MAC], ["device", "files", MAC],
                    ["profile", "list"], ["file", "list"], ["status"], ["events", "--limit", "10000"]):
        told = raw(server, "--json", *command)
        rows = told.splitlines() if command[0] == "events" else [told]
        for row in rows:
            json.loads(row.decode("utf-8", errors="strict"))
        shown = raw(server, *command).decode("utf-8", errors="strict")
        bad = [sign for sign in shown if sign != "\n" and
               (unicodedata.category(sign) == "Cc" or sign in "\u2028\u2029")]
        check(not bad, (command, bad))
    check(len(raw(server, "--json", "events", "--limit", "10000").splitlines()) > 50, "events")


def raw(server, *arguments):
    done = subprocess.run([BELLHOP, "--socket", os.path.join(server.data, "admin.sock"), *arguments],
                          capture_output=True, timeout=60, check=False)
    check(done.returncode == 0, done.stderr)
    return done.stdout


def test_acknowledged_is_durable(server):
    expect(run("device", "claim", MAC, "--label", "kept", server=server), 0)
    key = run("--json", "device", "show", MAC, server=server).json["key"]
    server.stop(signal.SIGKILL)
    expect(run("status", server=server), 1)
    server.start()  # over the socket file that the dead one left
    shown = run("--json", "device", "show", MAC, server=server).json
    check(shown["label"] == "kept" and shown["key"] == key, shown)


def main():
    failed = 0
    wanted = sys.argv[1:]
    tests = [(name, function) for name, function in globals().items()
             if name.startswith("test_") and (not wanted or name[5:] in wanted)]
    for i, (name, function) in enumerate(tests, 1):
        wants_server = function.__code__.co_argcount == 1
        if wants_server and not os.access(BELLHOPD, os.X_OK):
            print(f"ok {i} - {name[5:]} # SKIP there is no {BELLHOPD}")
            continue
        server = None
        try:
            server = Server() if wants_server else None
            function(*([server] if server else []))
            print(f"ok {i} - {name[5:]}", flush=True)
        except Exception:  # pylint: disable=broad-except
            failed += 1
            for line in traceback.format_exc().splitlines():
                print("#", line)
            print(f"not ok {i} - {name[5:]}", flush=True)
        finally:
            if server:
                server.remove()
    print(f"1..{len(tests)}")
    return 1 if failed else 0


sys.exit(main())
