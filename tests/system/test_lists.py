#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""`bellhop device ... -`: many devices at once, told in the order of the list. Against servers of
our own making, which decide who is answered when, and against bellhopd."""

import contextlib
import http.server
import json
import os
import re
import socketserver
import subprocess
import tempfile
import threading
from pathlib import Path

from house import BUILD, PATIENCE_S, Bellhopd, free_port, main

AT_ONCE = 16  # client_batch_max
MACS = [f"00908f{number:06x}" for number in range(3 * AT_ONCE)]


class Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, path, answer):
        self.answer = answer
        self.asked = []  # the MAC of each request, in the order in which they came
        self.under_way = 0
        self.most = 0
        self.changed = threading.Condition()
        super().__init__(path, Handler)

    def handle_error(self, request, client_address):
        pass  # a client that is gone

    def wait_for(self, condition):
        with self.changed:
            assert self.changed.wait_for(condition, PATIENCE_S), "waited in vain"


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def address_string(self):
        return "unix"

    def log_message(self, *_):
        pass

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))) or "{}")
        mac = body.get("mac") or self.path.split("/")[4]
        server = self.server
        with server.changed:
            server.asked.append(mac)
            server.under_way += 1
            server.most = max(server.most, server.under_way)
            server.changed.notify_all()
        status, answer = server.answer(server, mac)
        with server.changed:
            server.under_way -= 1
            server.changed.notify_all()
        if status is None:
            self.close_connection = True
            return
        text = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)


@contextlib.contextmanager
def serving(answer):
    with tempfile.TemporaryDirectory(prefix="bellhop-lists-") as folder:
        with Server(os.path.join(folder, "admin.sock"), answer) as server:
            thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
            thread.start()
            try:
                yield server
            finally:
                server.shutdown()
                thread.join()


def bellhop(server, *arguments, macs=()):
    return subprocess.run([BUILD / "bellhop", "--socket", server.server_address, *arguments],
                          input="\n".join(macs), capture_output=True, text=True,
                          timeout=2 * PATIENCE_S, check=False)


def claimed(mac):
    return 200, {"mac": mac, "state": "claimed"}


def test_many_are_asked_at_once_and_told_in_order():
    answered = set()

    def answer(server, mac):
        """Of each sixteen the last one first."""
        first = MACS.index(mac) // AT_ONCE * AT_ONCE
        after = MACS[MACS.index(mac) + 1:first + AT_ONCE]
        server.wait_for(lambda: len(server.asked) >= first + AT_ONCE)
        server.wait_for(lambda: answered.issuperset(after))
        with server.changed:
            answered.add(mac)
            server.changed.notify_all()
        return claimed(mac) if mac != MACS[20] else (409, {"error": "no room", "what_to_do": "go"})

    with serving(answer) as server:
        done = bellhop(server, "device", "claim", "-", macs=MACS)
        assert done.stderr == f"bellhop: {MACS[20]}: no room; go\n", done.stderr
        assert done.returncode == 1, done.returncode
        assert done.stdout == "".join(f"{mac} is claimed\n" for mac in MACS if mac != MACS[20])
        assert server.most == AT_ONCE, server.most
    answered.clear()
    with serving(answer) as server:
        done = bellhop(server, "--json", "device", "claim", "-", macs=MACS)
        assert [row["mac"] for row in json.loads(done.stdout)] == MACS, done.stdout
        assert json.loads(done.stdout)[20] == {"mac": MACS[20], "error": "no room", "what_to_do": "go"}


def test_a_device_that_is_named_twice_is_changed_in_the_order_of_the_list():
    spellings = ["00908f000001", "00:90:8F:00:00:01", "00-90-8f-00-00-01"]
    open_macs = set()

    def answer(server, mac):
        digits = re.sub("[^0-9a-f]", "", mac.lower().replace("%3a", ""))
        assert digits not in open_macs, "two at once"
        open_macs.add(digits)
        # The others come meanwhile.
        server.wait_for(lambda: len(server.asked) >= 4)
        open_macs.discard(digits)
        return claimed(mac)

    with serving(answer) as server:
        done = bellhop(server, "device", "claim", "-",
                       macs=[MACS[2], MACS[3], MACS[4], *spellings])
        assert done.returncode == 0, done.stderr
        assert len(server.asked) == 6 and server.asked[-1].startswith("00-90"), server.asked


def test_an_address_goes_to_the_first_of_the_list():
    with serving(lambda _, mac: claimed(mac)) as server:
        done = bellhop(server, "device", "claim", "-", "--address", "192.0.2.1", macs=MACS)
        assert done.returncode == 0 and server.most == 1 and server.asked == MACS, server.most


def test_a_server_that_goes_away_is_told_of_once_for_each_that_was_asked():
    def answer(server, mac):
        if MACS.index(mac) < 4:
            return claimed(mac)
        server.wait_for(lambda: len(server.asked) >= 4 + AT_ONCE)
        return (None, None) if MACS.index(mac) > 5 else claimed(mac)

    with serving(answer) as server:
        done = bellhop(server, "device", "claim", "-", macs=MACS)
        assert done.returncode == 1
        # What was done is told as done, wherever it stands; nobody knows of what was under way.
        assert done.stdout == "".join(f"{mac} is claimed\n" for mac in MACS[:6]), done.stdout
        lines = done.stderr.splitlines()
        asked = len(set(server.asked))
        assert [line.split()[1] for line in lines] == [f"{mac}:" for mac in MACS[6:asked + 1]], lines
        assert all("look whether it runs" in line for line in lines[:-1]), lines
        assert lines[-1].endswith("not done, nor what comes after it in the list"), lines


def test_a_server_without_room_says_so():
    with serving(lambda _, mac: (503, b"")) as server:
        done = bellhop(server, "device", "claim", MACS[0])
        assert done.returncode == 1 and "too many at once" in done.stderr, done.stderr


def test_a_line_that_is_no_text_does_not_keep_the_others():
    config = (f"[sip]\nlisten = 127.0.0.1:{free_port()}\ngroup =\n[http]\nlisten =\n"
              "[https]\nlisten =\n[tftp]\nlisten =\n")
    with Bellhopd(config) as server:
        for command in ("add", "claim", "block", "remove"):
            done = subprocess.run([BUILD / "bellhop", "--socket", server.socket, "device", command, "-"],
                                  input=b"00908f000001\n\xff\xfe\n00908f000002\n", capture_output=True,
                                  timeout=PATIENCE_S, check=False)
            assert done.returncode == 1 and done.stdout.count(b"\n") == 2, (command, done)
            assert b"not the MAC" in done.stderr and done.stderr.count(b"\n") == 1, (command, done)


def test_lists_as_bellhopd_answers_them():
    config = (f"[sip]\nlisten = 127.0.0.1:{free_port()}\ngroup =\n[http]\nlisten =\n"
              "[https]\nlisten =\n[tftp]\nlisten =\n[limits]\ndevices = 1000\n")
    macs = [f"00908f{number:06x}" for number in range(1000)]
    with Bellhopd(config) as server:
        done = server.cli("device", "claim", "-", stdin="\n".join(macs + macs[:50]))
        assert done.stdout == "".join(f"{mac} is claimed\n" for mac in macs + macs[:50])
        done = server.cli("device", "add", "-", stdin="\n".join([macs[0], "00908f100000"]), check=False)
        assert done.returncode == 1 and "there already" in done.stderr and "full" in done.stderr, done
        done = server.cli("device", "remove", "-", stdin="\n".join(macs[:40] + macs[:40]), check=False)
        assert done.returncode == 1 and done.stdout.count("removed") == 40, done.stdout
        assert done.stderr.count("\n") == 40, done.stderr
        assert server.json("status")["devices"]["total"] == 960


if __name__ == "__main__":
    main(globals())
