#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Files through a whole bellhopd, as phones and strangers ask for them: curl, tftp-hpa and atftp as
foreign judges, raw sockets where a client would hide what went over the wire."""

import contextlib
import hashlib
import json
import os
import re
import socket
import struct
import subprocess
from pathlib import Path

from files_house import (BLOCKED, PASSWORD, PHONE, SECOND, UNCLAIMED, Server, corpus, rrq, udp,
                         without_date)
from house import PATIENCE_S, Bellhopd, Network, main, program, wait_for

FIRMWARE = os.urandom(3_000_000 + 17)


class Transfer:
    """A TFTP client that goes step by step: lockstep, 512 octets."""

    def __init__(self, client, port, name):
        self.client = client
        self.content = bytearray()
        self.error = None
        self.is_over = False
        client.sendto(rrq(name), ("127.0.0.1", port))

    def step(self):
        """Takes the next block and acknowledges it."""
        datagram, there = self.client.recvfrom(65536)
        opcode, block = struct.unpack(">HH", datagram[:4])
        if opcode == 5:
            self.error = block
            self.is_over = True
            return
        assert opcode == 3, datagram
        if block == (len(self.content) // 512 + 1) % 65536:
            self.content += datagram[4:]
            self.is_over = len(datagram) < 516
        self.client.sendto(struct.pack(">HH", 4, block), there)

    def run(self):
        while not self.is_over:
            self.step()
        return self.content


# Over HTTP.

def test_the_rendered_configuration_by_key_and_by_its_own_source():
    with Server() as s:
        expected = s.bellhopd.cli("device", "preview", PHONE, f"{PHONE}.cfg").stdout.encode()
        assert PASSWORD.encode() in expected
        by_key = f"/p/{s.keys[PHONE]}/{PHONE}.cfg"
        for path, source in ((by_key, "127.0.0.5"), (by_key, "127.0.0.2"),
                             (f"/{PHONE}.cfg", "127.0.0.2"),
                             (f"/p/{s.keys[PHONE]}/{PHONE.upper()}.cfg", "127.0.0.5"),
                             (f"/{PHONE.upper()}.cfg", "127.0.0.2")):
            status, fields, body = s.get(path, source)
            assert (status, body) == (200, expected), (path, source, status)
            assert fields["Cache-Control"] == "private, no-store"
            assert int(fields["Content-Length"]) == len(expected)
            etag = fields["ETag"]
        assert re.fullmatch('"[^"]+"', etag)
        status, fields, body = s.get(by_key, "127.0.0.5", "-H", f"If-None-Match: {etag}")
        assert (status, body, fields["ETag"]) == (304, b"", etag)
        head = without_date(s.http_raw(f"HEAD {by_key} HTTP/1.1\r\nHost: x\r\n\r\n".encode()))
        whole = without_date(s.http_raw(f"GET {by_key} HTTP/1.1\r\nHost: x\r\n\r\n".encode()))
        assert whole == head + expected
        s.bellhopd.cli("device", "set", PHONE, "--set", "sip_lines.1.username=202")
        status, fields, body = s.get(by_key, "127.0.0.5", "-H", f"If-None-Match: {etag}")
        assert status == 200 and b"202" in body and fields["ETag"] != etag


def test_a_served_file_is_an_event_and_makes_the_phone_fetched():
    with Server() as s:
        status, _, body = s.get(f"/p/{s.keys[PHONE]}/{PHONE}.cfg", "127.0.0.5")
        assert status == 200
        told = wait_for("the event", lambda: [line for line in s.bellhopd.events().splitlines()
                                              if "file_served" in line])
        assert len(told) == 1
        for part in ("info", PHONE, "127.0.0.5:", f'http served "{PHONE}.cfg"', f"{len(body)} bytes",
                     "identified by key"):
            assert part in told[0], (part, told)
        wait_for("the state", lambda: s.bellhopd.device(PHONE)["state"] == "fetched")
        s.get(f"/{PHONE}.cfg", "127.0.0.2")
        wait_for("the event", lambda: "identified by address" in s.bellhopd.events())
        # HEAD takes nothing, and what a phone has already is no event unless it is essential.
        s.http_raw(f"HEAD /{PHONE}.cfg HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        s.add("ring.wav", b"ring")
        etag = s.get("/ring.wav")[1]["ETag"]
        assert s.get("/ring.wav", "127.0.0.2", "-H", f"If-None-Match: {etag}")[0] == 304
        wait_for("the line", lambda: 'served "ring.wav", unchanged' in s.bellhopd.log_text())
        assert s.bellhopd.events().count("file_served") == 3


def served(s):
    """The file_served events, as programs see them."""
    lines = s.bellhopd.cli("--json", "events").stdout.splitlines()
    return [event for event in map(json.loads, lines) if event["reason"] == "file_served"]


def test_a_fetch_is_recorded_with_bytes_hash_and_proof():
    """As members of their own, for rendered and for stored files, over HTTP and TFTP."""
    with Server() as s:
        body = s.get(f"/p/{s.keys[PHONE]}/{PHONE}.cfg", "127.0.0.5")[2]
        event = wait_for("the event", lambda: served(s))[0]
        expected = {"door": "http", "file": f"{PHONE}.cfg", "bytes": len(body),
                    "sha256": hashlib.sha256(body).hexdigest(), "unchanged": False,
                    "identified_by": "key", "mac": PHONE}
        assert {name: event[name] for name in expected} == expected, event
        assert expected["sha256"] in event["text"]
        s.add("440HD.img", FIRMWARE)
        sha256 = hashlib.sha256(FIRMWARE).hexdigest()
        wait_for("the hash", lambda: s.bellhopd.json("file", "list")[0]["sha256"] == sha256)
        assert sha256 in s.bellhopd.cli("file", "list").stdout
        etag = s.get("/440HD.img")[1]["ETag"]
        assert s.get(f"/{PHONE}.cfg", "127.0.0.2", "-H", f"If-None-Match: {etag}")[0] == 200
        with udp("127.0.0.5") as client:
            assert Transfer(client, s.tftp, f"p/{s.keys[PHONE]}/440HD.img").run() == FIRMWARE
        events = wait_for("the events", lambda: (e := served(s)) and len(e) == 4 and e)
        for event, door, proof in ((events[1], "http", "address"), (events[3], "tftp", "key")):
            assert (event["file"], event["bytes"], event["sha256"]) == (
                "440HD.img", len(FIRMWARE), sha256), event
            assert (event["door"], event["identified_by"]) == (door, proof), event
        # The same after a restart, from the database; then a new version, with a hash of its own.
        s.bellhopd.stop()
        s.bellhopd.start()
        assert served(s) == events
        (s.files / "440HD.img").write_bytes(b"new")
        sha256 = hashlib.sha256(b"new").hexdigest()
        wait_for("its hash", lambda: s.bellhopd.json("file", "list")[0]["sha256"] == sha256)


def test_a_file_that_is_not_hashed_yet_is_told_without_a_hash():
    """What is asked for before the catalogue has come so far does not wait, and nothing is made up."""
    with Server() as s:
        s.add("ring.wav", b"old!")
        old = hashlib.sha256(b"old!").hexdigest()
        wait_for("its hash", lambda: s.bellhopd.json("file", "list")[0]["sha256"] == old)
        # As soon as it is written it is served, long before the folder is quiet and hashed anew.
        (s.files / "ring.wav").write_bytes(b"new!")
        assert s.get("/ring.wav")[2] == b"new!"
        event = wait_for("the event", lambda: served(s))[0]
        assert event["sha256"] in (None, hashlib.sha256(b"new!").hexdigest()), event
        assert event["sha256"] or "not hashed yet" in event["text"]


def test_every_refusal_is_the_same_404():
    with Server() as s:
        s.add("440HD.img", b"image")
        wrong = "0123456789abcdef0123456789abcdef"
        asked = [("/nothing", "127.0.0.2"), (f"/p/{wrong}/{PHONE}.cfg", "127.0.0.2"),
                 (f"/p/{wrong}/440HD.img", "127.0.0.9"), ("/00908f000000.cfg", "127.0.0.9"),
                 (f"/p/{s.keys[BLOCKED]}/{BLOCKED}.cfg", "127.0.0.9"),
                 (f"/p/{s.keys[BLOCKED]}/440HD.img", "127.0.0.9"),
                 (f"/{UNCLAIMED}.cfg", "127.0.0.9"), (f"/{PHONE}.cfg", "127.0.0.9"),
                 (f"/{PHONE}.cfg", "127.0.0.1"), ("/440HD.img", "127.0.0.9"),
                 (f"/p/{s.keys[PHONE]}/{SECOND}.cfg", "127.0.0.2"),
                 (f"/p/{s.keys[PHONE]}/", "127.0.0.2"), ("/", "127.0.0.2"),
                 (f"/p/{s.keys[PHONE]}/../{PHONE}.cfg", "127.0.0.2"),
                 (f"/p/{s.keys[PHONE]}", "127.0.0.2")]
        answers = [without_date(s.http_raw(
            f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode(), source)) for path, source in asked]
        assert answers[0].startswith(b"HTTP/1.1 404 "), answers[0]
        for (path, source), answer in zip(asked, answers):
            assert answer == answers[0], (path, source, answer)
        status, _, body = s.get(f"/p/{wrong}/{PHONE}.cfg")
        assert status == 404 and PHONE.encode() not in body


def test_the_second_name_of_an_audiocodes_url():
    """proto://host/440HD.img;p/KEY/<MAC>.cfg: counted from the root, or from the first one's folder."""
    with Server() as s:
        s.add("440HD.img", FIRMWARE)
        second = f"p/{s.keys[PHONE]}/{PHONE}.cfg"
        for folder in ("", "fw/", "a/b/", f"p/{s.keys[PHONE]}/"):
            assert s.get(f"/{folder}{second}", "127.0.0.5")[0] == 200, folder
            with udp("127.0.0.5") as client:
                assert PASSWORD.encode() in Transfer(client, s.tftp, folder + second).run(), folder
        assert s.get("/440HD.img")[2] == FIRMWARE
        assert s.get(f"/p/{s.keys[PHONE]}/440hd.IMG", "127.0.0.5")[2] == FIRMWARE


def test_a_file_replaced_while_it_is_fetched_is_old_or_cut_never_mixed():
    old, new = b"o" * 8_000_000, b"n" * 8_000_000
    for is_in_place in (False, True):
        with Server() as s:
            s.add("big.bin", old)
            with socket.create_connection(("127.0.0.1", s.http), PATIENCE_S, ("127.0.0.2", 0)) as web, \
                    udp() as client:
                web.sendall(b"GET /big.bin HTTP/1.0\r\n\r\n")
                answer = bytearray(web.recv(1000))
                transfer = Transfer(client, s.tftp, "big.bin")
                for _ in range(100):
                    transfer.step()
                if is_in_place:
                    with open(s.files / "big.bin", "r+b") as file:
                        file.write(new)
                else:
                    (s.files / ".big.new").write_bytes(new)
                    os.replace(s.files / ".big.new", s.files / "big.bin")
                with contextlib.suppress(ConnectionResetError):
                    while piece := web.recv(65536):
                        answer += piece
                got = answer.partition(b"\r\n\r\n")[2]
                transfer.run()
            if is_in_place:
                assert len(got) < len(old) and transfer.error == 0
                assert 'served "big.bin"' not in s.bellhopd.log_text()
            else:
                assert len(got) == len(old) and len(transfer.content) == len(old)
            assert not got.strip(b"o") and not transfer.content.strip(b"o")
            wait_for("the new one", lambda: s.get("/big.bin")[2] == new)


# Over TFTP.

def hpa(s, name, local, *more):
    return subprocess.run([program("tftp"), *more, "-m", "binary", "127.0.0.1", str(s.tftp), "-c",
                           "get", name, local], capture_output=True, text=True,
                          timeout=PATIENCE_S * 3, check=False)


def atftp(s, name, local, *options):
    more = [part for option in options for part in ("--option", option)]
    return subprocess.run([program("atftp"), *more, "--get", "-r", name, "-l", local, "127.0.0.1",
                           str(s.tftp)], capture_output=True, text=True, timeout=PATIENCE_S * 3,
                          check=False)


def fetches_over_tftp(fetch):
    with Server() as s:
        s.add("440HD.img", FIRMWARE)
        config = s.bellhopd.cli("device", "preview", SECOND, f"{SECOND}.cfg").stdout.encode()
        assert PASSWORD.encode() in config
        local = s.folder / "got"
        for name, content in ((f"p/{s.keys[SECOND]}/{SECOND}.cfg", config),
                              (f"/p/{s.keys[SECOND]}/{SECOND.upper()}.cfg", config),
                              (f"{SECOND}.cfg", config), (f"/{SECOND.upper()}.cfg", config),
                              (f"p/{s.keys[PHONE]}/440HD.img", FIRMWARE),
                              ("440HD.img", FIRMWARE)):
            local.unlink(missing_ok=True)
            done = fetch(s, name, local)
            assert local.exists() and local.read_bytes() == content, (name, done)
        wait_for("the events", lambda: s.bellhopd.events().count(
            f'tftp served "{SECOND}.cfg", {len(config)} bytes') == 2)
        assert "identified by address" in s.bellhopd.events()
        local.unlink()
        for name in (f"{PHONE}.cfg", "nothing", f"p/{s.keys[BLOCKED]}/{BLOCKED}.cfg"):
            done = fetch(s, name, local)
            assert "not found" in (done.stdout + done.stderr).lower(), (name, done)


def test_tftp_hpa_fetches():
    program("tftp")
    fetches_over_tftp(hpa)


def test_atftp_fetches():
    program("atftp")
    fetches_over_tftp(atftp)
    fetches_over_tftp(lambda s, name, local: atftp(s, name, local, "blksize 1428", "tsize 0",
                                                   "timeout 2"))


def test_curl_fetches_over_tftp_from_the_bound_address():
    with Server() as s:
        s.add("440HD.img", FIRMWARE)
        config = s.bellhopd.cli("device", "preview", PHONE, f"{PHONE}.cfg").stdout.encode()
        for name, content in ((f"{PHONE}.cfg", config), ("440HD.img", FIRMWARE)):
            with udp("127.0.0.2") as client:
                assert Transfer(client, s.tftp, name).run() == content
        done = subprocess.run([program("curl"), "-sS", "--max-time", str(PATIENCE_S), "--tftp-blksize",
                               "1400", f"tftp://127.0.0.1:{s.tftp}/440HD.img"],
                              capture_output=True, check=False)
        assert done.stdout == FIRMWARE, done.stderr


def test_every_refusal_is_the_same_error_1_and_writing_is_error_2():
    with Server() as s:
        wrong = "0123456789abcdef0123456789abcdef"
        answers = {s.tftp_first(rrq(name), source) for name, source in (
            ("nothing", "127.0.0.1"), (f"p/{wrong}/{SECOND}.cfg", "127.0.0.1"),
            ("00908f000000.cfg", "127.0.0.9"), (f"p/{s.keys[BLOCKED]}/{BLOCKED}.cfg", "127.0.0.9"),
            (f"{UNCLAIMED}.cfg", "127.0.0.9"), (f"{PHONE}.cfg", "127.0.0.1"),
            ("../bellhop.db", "127.0.0.1"), ("..\\bellhop.db", "127.0.0.1"))}
        assert len(answers) == 1 and answers.pop()[:4] == b"\0\5\0\1", answers
        for name in ("new.cfg", f"{SECOND}.cfg", f"p/{s.keys[SECOND]}/{SECOND}.cfg"):
            assert s.tftp_first(rrq(name, opcode=2))[:4] == b"\0\5\0\2"
        assert not list(s.files.iterdir())


def test_who_hangs_up_is_no_event():
    with Server() as s:
        s.add("440HD.img", FIRMWARE)
        assert s.tftp_first(rrq("440HD.img"))[:4] == b"\0\3\0\1"
        wait_for("the line", lambda: "transfer_abandoned" in s.bellhopd.log_text())
        assert "transfer_abandoned" not in s.bellhopd.events()


# The folder.

def test_what_is_no_plain_file_is_not_served():
    with Server() as s:
        outside = s.folder / "outside.txt"
        outside.write_text("outside")
        (s.files / "link.txt").symlink_to(outside)
        (s.files / "inside.txt").write_text("inside")
        (s.files / "to-inside.txt").symlink_to("inside.txt")
        os.mkfifo(s.files / "pipe.txt")
        (s.files / "folder.txt").mkdir()
        (s.files / ".hidden.txt").write_text("hidden")
        with contextlib.closing(socket.socket(socket.AF_UNIX)) as listener:
            listener.bind(str(s.files / "socket.txt"))
        (s.files / "last.txt").write_text("last")  # seen after all of them
        wait_for("the last file", lambda: s.get("/last.txt")[0] == 200)
        names = ("link.txt", "to-inside.txt", "pipe.txt", "folder.txt", ".hidden.txt", "socket.txt",
                 "../outside.txt", "../data/bellhop.db", "../../etc/passwd", "/etc/passwd",
                 str(s.files / "inside.txt"), "..%2foutside.txt", "%2e%2e/outside.txt",
                 "folder.txt/../inside.txt", "./inside.txt", "..\\outside.txt", "inside.txt/",
                 "inside.txt%00.cfg", "..%5coutside.txt")
        for name in names:
            for source in ("127.0.0.2", "127.0.0.9"):
                status, _, body = s.get("/" + name, source)
                assert status in (400, 404) and b"side" not in body, (name, status, body)
            assert s.tftp_first(rrq(name))[:4] == b"\0\5\0\1", name
        listed = s.bellhopd.cli("file", "list").stdout
        assert "inside.txt" in listed and "link.txt" not in listed and "hidden" not in listed
        assert s.get("/inside.txt")[2] == b"inside"


def test_folders_below_the_folder():
    with Server() as s:
        s.add("fw/2/440HD.img", b"image")
        assert s.get("/fw/2/440HD.img")[2] == b"image"
        assert s.tftp_first(rrq("fw/2/440HD.img")) == b"\0\3\0\1image"
        outside = s.folder / "outside"
        outside.mkdir()
        (outside / "secret.txt").write_text("outside")
        (s.files / "linked").symlink_to(outside)
        (s.files / "fw" / "linked").symlink_to(outside)
        (s.files / "fw" / "last.txt").write_text("last")
        wait_for("the last file", lambda: s.get("/fw/last.txt")[0] == 200)
        for name in ("linked/secret.txt", "fw/linked/secret.txt", "fw", "fw/", "fw/2"):
            assert s.get("/" + name)[0] == 404, name
            assert s.tftp_first(rrq(name))[:4] == b"\0\5\0\1", name


def test_a_known_name_that_became_something_else_is_refused_at_once():
    """Between the folder's change and the catalogue's: what is opened is looked at, not the list."""
    with Server() as s:
        outside = s.folder / "outside"
        outside.mkdir()
        (outside / "a.txt").write_text("outside")
        for i, change in enumerate((lambda path: path.symlink_to(outside / "a.txt"), os.mkfifo,
                                    Path.mkdir)):
            name = f"changes{i}.txt"
            s.add(name, b"good")
            assert s.get("/" + name)[2] == b"good"
            (s.files / name).unlink()
            change(s.files / name)
            for _ in range(3):
                assert s.get("/" + name)[0] == 404
                assert s.tftp_first(rrq(name))[:4] == b"\0\5\0\1"
        s.add("fw/a.txt", b"good")
        (s.files / "fw").rename(s.folder / "fw")
        (s.files / "fw").symlink_to(outside)
        assert s.get("/fw/a.txt")[0] == 404
        assert s.tftp_first(rrq("fw/a.txt"))[:4] == b"\0\5\0\1"
        s.alive()


def test_the_catalogue_follows_the_folder():
    with Server() as s:
        (s.files / "by-hand.bin").write_bytes(b"one")
        wait_for("it to be listed", lambda: "by-hand.bin" in s.bellhopd.cli("file", "list").stdout)
        status, fields, body = s.get("/by-hand.bin")
        assert (status, body) == (200, b"one")
        (s.files / ".new").write_bytes(b"two!")
        os.replace(s.files / ".new", s.files / "by-hand.bin")
        status, changed, body = s.get("/by-hand.bin", "127.0.0.2", "-H",
                                      f"If-None-Match: {fields['ETag']}")
        assert (status, body) == (200, b"two!") and changed["ETag"] != fields["ETag"]
        assert s.get("/by-hand.bin", "127.0.0.2", "-H",
                     f"If-None-Match: {changed['ETag']}")[0] == 304
        (s.files / "by-hand.bin").unlink()
        assert s.get("/by-hand.bin")[0] == 404
        wait_for("it to be gone",
                 lambda: "by-hand.bin" not in s.bellhopd.cli("file", "list").stdout)
        s.add("added.bin", b"three")
        assert s.get("/added.bin")[2] == b"three"
        s.bellhopd.cli("file", "remove", "added.bin")
        assert s.get("/added.bin")[0] == 404 and not list(s.files.iterdir())


# Limits.

def test_http_connections_have_limits():
    with Server("http_connections = 3\nhttp_connections_per_source = 2") as s, \
            contextlib.ExitStack() as stack:
        def connect(source):
            client = stack.enter_context(socket.create_connection(
                ("127.0.0.1", s.http), PATIENCE_S, (source, 0)))
            client.settimeout(PATIENCE_S)
            return client

        def served(client):
            client.sendall(b"GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n")
            return client.recv(65536).split()[1]

        assert [served(connect("127.0.0.2")) for _ in range(2)] == [b"404"] * 2
        assert connect("127.0.0.2").recv(65536).split()[1] == b"503"
        wait_for("its end", lambda: s.counter("http", "refused_source") == 1)
        stranger = connect("127.0.0.3")
        assert served(stranger) == b"404"
        assert connect("127.0.0.4").recv(65536).split()[1] == b"503"
        assert s.counter("http", "refused_full") == 1


def test_r_tftp_8_the_last_ack_is_lost_and_the_phone_is_gone():
    with Server() as s:
        with udp() as client:
            client.sendto(rrq(f"{SECOND}.cfg", "blksize", "512"), ("127.0.0.1", s.tftp))
            answer, there = client.recvfrom(65536)
            assert answer[:2] == b"\0\6"
            block = 0
            while answer[:2] == b"\0\6" or len(answer) == 4 + 512:
                client.sendto(struct.pack(">HH", 4, block), there)
                answer = client.recv(65536)
                block = int.from_bytes(answer[2:4])
        # Its ACK of the last block is lost, and it is configured.
        wait_for("the transfer to count", lambda: s.counter("tftp", "completed") == 1)
        assert s.counter("tftp", "resent") > 0
        wait_for("the phone to be fetched", lambda: s.bellhopd.device(SECOND)["state"] == "fetched")
        assert "identified by address; the last acknowledgement did not come" in s.bellhopd.events()


def test_tftp_transfers_have_limits():
    with Server("tftp_transfers = 3\ntftp_transfers_per_source = 2") as s, \
            contextlib.ExitStack() as stack:
        s.add("440HD.img", FIRMWARE)
        path = f"p/{s.keys[PHONE]}/440HD.img"

        def begin(source):
            client = stack.enter_context(udp(source))
            client.sendto(rrq(path), ("127.0.0.1", s.tftp))
            return client

        first = [begin("127.0.0.2") for _ in range(2)]
        assert all(client.recv(65536)[:4] == b"\0\3\0\1" for client in first)
        late = begin("127.0.0.2")
        wait_for("the third to be counted", lambda: s.counter("tftp", "full") == 1)
        assert begin("127.0.0.3").recv(65536)[:4] == b"\0\3\0\1"
        begin("127.0.0.4")
        wait_for("the fourth to be counted", lambda: s.counter("tftp", "full") == 2)
        _, there = first[0].recvfrom(65536)
        assert s.counter("tftp", "resent") > 0
        first[0].sendto(b"\0\5\0\0enough\0", there)
        wait_for("room", lambda: s.counter("tftp", "abandoned") == 1)
        late.sendto(rrq(path), ("127.0.0.1", s.tftp))
        assert late.recv(65536)[:4] == b"\0\3\0\1"


def test_neighbours_have_a_limit():
    with Network({"server": ("10.13.4.121/16", "02:00:00:00:04:79")}) as network:
        there = network.namespace("server")
        for i in range(1, 25):
            subprocess.run(["ip", "-n", there, "neighbour", "add", f"10.13.9.{i}", "lladdr",
                            f"02:00:00:00:09:{i:02x}", "dev", "eth0", "nud", "permanent"], check=True)
        config = ("[sip]\nlisten = 127.0.0.1:5060\ngroup =\n[http]\nlisten =\n[https]\nlisten =\n"
                  "[tftp]\nlisten =\n[limits]\nneighbours = ")
        for limit, is_full in ((16, True), (1000, False)):
            with Bellhopd(config + f"{limit}\n", namespace=there) as server:
                full = server.json("status")["counters"]["neighbours"]["full"]
                assert (full > 0) == is_full, (limit, full)


# The shared corpus.

def test_corpus_tftp():
    datagrams = corpus("tftp")
    with Server() as s:
        s.add("440HD.cfg", bytes(range(250)) * 4)
        wrong = []
        for row, datagram in datagrams:
            answer, is_legal = tftp_answer(s, datagram), row["pds_answer"]
            if answer is None:
                is_right = "no answer" in is_legal or "ignored" in is_legal
            elif answer[:2] == b"\0\5":
                is_right = str(answer[3]) in re.findall(r"\d+", is_legal.partition(";")[0])
            elif answer[:2] == b"\0\6":
                is_right = "OACK" in is_legal and granted_is_legal(answer, is_legal)
            else:
                is_right = "DATA" in is_legal or "ignored" in is_legal or "serve" in is_legal \
                    or "not acknowledged" in is_legal
            if not is_right:
                wrong.append((row["file"], is_legal, answer))
            assert answer is None or b"root:" not in answer
            s.alive()
        assert not wrong, wrong
        assert all(line.isprintable() for line in s.bellhopd.log_text().splitlines())


def tftp_answer(s, datagram):
    """The first answer; None when the server has counted the datagram as one without."""
    before = s.counter("tftp", "ignored")
    with udp() as client:
        client.sendto(datagram, ("127.0.0.1", s.tftp))
        client.settimeout(0.02)

        def outcome():
            try:
                return client.recvfrom(65536)
            except socket.timeout:
                return "none" if s.counter("tftp", "ignored") > before else None

        seen = wait_for("an answer or its absence", outcome)
        if seen == "none":
            return None
        answer, there = seen
        if there[1] != s.tftp:
            client.sendto(b"\0\5\0\0enough\0", there)
        return answer


def granted_is_legal(answer, legal):
    """Each option of an OACK is in the index's answer, and within its bound."""
    fields = answer[2:].rstrip(b"\0").split(b"\0")
    for name, value in zip(fields[::2], fields[1::2]):
        bound = re.search(name.decode() + r"\s*(<?=)\s*(\d+)", legal) or \
            re.search(r"OACK (<=)(\d+)", legal)
        if bound and (int(value) > int(bound[2]) if bound[1] == "<=" else int(value) != int(bound[2])):
            return False
        if not bound and name != b"tsize":
            return False
    return True


main(globals())
