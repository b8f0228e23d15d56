#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Phones that are told to fetch again: by a real server, phones of several kinds, each outcome, a
dry run, the pace, a claim that serves at once, and a restart meanwhile. The phones check digests
with Python's own hashes."""

import contextlib
import hashlib
import json
import re
import select
import shutil
import socket
import subprocess
import tempfile
import threading
import urllib.request
from pathlib import Path

from house import BUILD, PATIENCE_S, Bellhopd, free_port, headers, main, wait_for

FILES = [{"name": "<MAC>.cfg", "kind": "config", "template": "mac.cfg.j2", "format": "text",
          "content_type": "text/plain", "secrets": True, "essential": True}]
PACKS = {
    "obeys": ("020000", {"resync": {"event": "check-sync;reboot=false"},
                         "reboot": {"event": "check-sync;reboot=true"}}),
    "asks": ("020001", {"resync": {"event": "resync", "asks_credentials": True}}),
    "takes": ("020002", {"answer": {"unsolicited": True}}),
    "mute": ("020003", {}),
    "account": ("020004", {"resync": {"event": "check-sync", "needs_account": True,
                                      "reboots": True}}),
}


class Phone(threading.Thread):
    """A UA on an address of loopback. `answers`: what it says to each NOTIFY in turn, the last one
    again and again: a status, "md5", "sha256", "stale" (challenges), or None for silence."""

    def __init__(self, house, mac, address, answers=(200,), fetches=True):
        super().__init__(daemon=True)
        self.house, self.mac, self.address = house, mac, address
        self.answers, self.fetches = list(answers), fetches
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((address, house.port))
        self.notifies = []  # (start line, headers, body) of each first copy
        self.seen = set()
        self.is_over = False
        self.start()

    def run(self):
        while not self.is_over:
            if not select.select([self.socket], [], [], 0.05)[0]:
                continue
            data, source = self.socket.recvfrom(65536)
            start, fields, body = headers(data)
            if start.startswith(b"NOTIFY") and fields["via"][0] not in self.seen:
                self.seen.add(fields["via"][0])
                self.notifies.append((start.decode(), fields, body))
                self.take(start, fields, source)

    def take(self, start, fields, source):
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        more = b""
        status = answer
        if answer is None:
            return
        if isinstance(answer, str):
            status, more = self.check(answer, start, fields)
        lines = [b"SIP/2.0 %d X" % status]
        for name in ("via", "from", "to", "call-id", "cseq"):
            value = fields[name][0]
            lines.append(name.title().encode() + b": " + value +
                         (b";tag=phone" if name == "to" else b""))
        self.socket.sendto(b"\r\n".join(lines + [more + b"Content-Length: 0", b"", b""]), source)
        if status == 200 and self.fetches:
            self.fetch()

    def fetch(self):
        key = self.house.server.device(self.mac)["key"]
        url = f"http://127.0.0.1:{self.house.http}/p/{key}/{self.mac}.cfg"
        with urllib.request.urlopen(url, timeout=PATIENCE_S) as reply:
            assert reply.status == 200

    def check(self, kind, start, fields):
        """200 for right credentials, else a 401 with a challenge of that kind."""
        challenge = {
            "md5": b'WWW-Authenticate: Digest realm="ua", nonce="n1", algorithm=MD5, qop="auth"\r\n',
            "sha256": b'WWW-Authenticate: Digest realm="ua", nonce="n1", algorithm=MD5, qop="auth"\r\n'
                      b'WWW-Authenticate: Digest realm="ua", nonce="n2", algorithm=SHA-256, '
                      b'qop="auth", opaque="o"\r\n',
            "old": b'WWW-Authenticate: Digest realm="ua", nonce="n3"\r\n',
        }[kind]
        given = fields.get("authorization")
        if not given:
            return 401, challenge
        values = {name: quoted or plain for name, quoted, plain in
                  re.findall(r'(\w+)=(?:"([^"]*)"|([^\s,]+))', given[0].decode())}
        algorithm = {"md5": "md5", "sha256": "sha256", "old": "md5"}[kind]

        def digest(text):
            return hashlib.new(algorithm, text.encode()).hexdigest()

        a1 = digest(f"{values['username']}:ua:zanzibar")
        a2 = digest(f"NOTIFY:{start.split()[1].decode()}")
        middle = ("" if kind == "old" else
                  f"{values['nc']}:{values['cnonce']}:{values['qop']}:")
        is_right = (values["username"] == "bob" and values["realm"] == "ua" and
                    values["uri"] == start.split()[1].decode() and
                    values["nonce"] == {"md5": "n1", "sha256": "n2", "old": "n3"}[kind] and
                    values.get("opaque", "") == ("o" if kind == "sha256" else "") and
                    values["response"] == digest(f"{a1}:{values['nonce']}:{middle}{a2}"))
        return (200, b"") if is_right else (401, challenge)

    def events(self):
        return [fields["event"][0].decode() for _, fields, _ in self.notifies]

    def close(self):
        self.is_over = True
        self.join()
        self.socket.close()


class House:
    """A server on loopback with makers of our own; phones are bound to addresses of loopback."""

    def __init__(self, more=""):
        self.port = free_port(socket.SOCK_DGRAM)  # where phones listen
        self.http = free_port()
        self.sip = free_port(socket.SOCK_DGRAM)
        self.vendors = Path(tempfile.mkdtemp(prefix="bellhop-vendors-"))
        self.phones = []
        for name, (oui, rest) in PACKS.items():
            folder = self.vendors / name
            folder.mkdir()
            answer = {**rest.get("answer", {}), "sip_port": self.port}
            (folder / "pack.json").write_text(json.dumps(
                {"schema": 1, "name": name, "display_name": name, "recognise": {"oui": [oui]},
                 "files": FILES, **rest, "answer": answer}), encoding="utf-8")
            (folder / "mac.cfg.j2").write_text("phone=yes\n", encoding="utf-8")
        config = (f"[sip]\nlisten = 127.0.0.1:{self.sip}\ngroup =\n"
                  f"[http]\nlisten = 127.0.0.1:{self.http}\n[https]\nlisten =\n[tftp]\nlisten =\n"
                  f"[provisioning]\nurl = http://%{{address}}:%{{port}}/p/%{{key}}/\n{more}")
        self.server = Bellhopd(config, variables={"BELLHOP_VENDORS": str(self.vendors)})

    def claim(self, mac, address, *more):
        self.server.cli("device", "claim", mac, "--address", address, *more)

    def phone(self, mac, address, **how):
        """A claimed phone."""
        self.claim(mac, address)
        self.phones.append(Phone(self, mac, address, **how))
        return self.phones[-1]

    def state(self, mac):
        return self.server.device(mac)["resync"]

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        for phone in self.phones:
            phone.close()
        try:
            self.server.__exit__(kind, value, trace)
        finally:
            shutil.rmtree(self.vendors, ignore_errors=True)


CREDENTIALS = ("--set", "sip_lines.1.username=4711", "--set", "sip_lines.1.auth_username=bob",
               "--set", "sip_lines.1.password=zanzibar")


def test_each_outcome_is_told():
    kinds = {
        "020000000001": ({}, "done"),
        "020001000001": ({"answers": ["md5"]}, "done"),
        "020001000002": ({"answers": ["sha256"]}, "done"),
        "020001000003": ({"answers": ["old"]}, "done"),
        "020000000002": ({"fetches": False}, "acknowledged but did not fetch"),
        "020000000003": ({"answers": [481]}, "refused"),
        "020000000004": ({"answers": [489]}, "refused"),
        "020001000004": ({"answers": ["md5"]}, "refused"),  # its password is another
    }
    with House("[resync]\nverify = 2s\n") as house:
        for number, (mac, (how, _)) in enumerate(kinds.items(), 1):
            house.phone(mac, f"127.0.1.{number}", **how)
            if mac.startswith("020001"):
                house.server.cli("device", "set", mac, *CREDENTIALS)
        house.server.cli("device", "set", "020001000004", "--set", "sip_lines.1.password=other")
        house.claim("020000000009", "127.0.1.99")        # nobody listens there
        house.server.cli("device", "claim", "02000000000a")  # and this one nobody has seen
        house.claim("020003000001", "127.0.1.98")        # no order of its maker's
        done = house.server.cli("--json", "device", "resync", "--all", "--wait", check=False)
        assert done.returncode == 1, done.stderr
        told = {row["mac"]: row for row in json.loads(done.stdout)}
        assert len(told) == 11, told
        for mac, (_, outcome) in kinds.items():
            assert told[mac]["resync"] == outcome, told[mac]
            shown = house.server.device(mac)
            assert shown["resync"] == outcome and shown["resync_time"], shown
        assert [told[mac]["resync_status"] for mac in
                ("020000000003", "020000000004", "020001000004")] == [481, 489, 401]
        assert told["020000000009"]["resync"] == "no answer"
        assert told["02000000000a"]["resync"] == "no address"
        assert told["020003000001"]["resync"] == "not supported"
        for reason in ("ordered", "done", "refused", "not_fetched", "no_answer", "no_address",
                       "unsupported"):
            assert f" resync_{reason} " in house.server.events(), reason
        everything = house.server.events() + house.server.log_text()
        assert "zanzibar" not in everything and house.server.device("020000000001")["key"] \
            not in everything
        # Two copies: without credentials, and with them, never a third.
        assert len(house.phones[7].notifies) == 2
        assert "refused (401), " in house.server.cli("device", "show", "020001000004").stdout


def test_wait_tells_those_that_are_done_and_exits_with_0():
    with House() as house:
        phone = house.phone("020000000001", "127.0.1.1")
        house.phone("020000000002", "127.0.1.2")
        done = house.server.cli("device", "resync", "-", "--wait",
                                stdin="02:00:00:00:00:01 # one\n020000000002\n")
        assert sorted(done.stdout.split("\n")) == ["", "020000000001: done", "020000000002: done"]
        done = house.server.cli("device", "reboot", "020000000001", "--wait")
        assert done.stdout == "020000000001: done\n"
        assert phone.events() == ["check-sync;reboot=false", "check-sync;reboot=true"]
        start, fields, body = phone.notifies[0]
        assert start == f"NOTIFY sip:127.0.1.1:{house.port} SIP/2.0", start
        assert fields["subscription-state"] == [b"terminated"] and body == b""
        assert fields["contact"] == [b"<sip:bellhop@127.0.0.1:%d>" % house.sip]


def test_what_is_not_claimed_is_named():
    with House() as house:
        phone = house.phone("020000000001", "127.0.1.1")
        house.server.cli("device", "add", "020000000002")
        done = house.server.cli("device", "resync", "020000000001", "020000000002",
                                "020000000003", "--wait", check=False)
        assert done.returncode == 1
        assert done.stdout == "020000000001: done\n"
        assert "020000000002: nobody claimed it" in done.stderr
        assert "020000000003: there is no such device" in done.stderr
        done = house.server.cli("device", "resync", "020000000001", "020000000002", check=False)
        assert (done.returncode, done.stdout) == (1, "1 accepted\n")
        wait_for("the second order", lambda: len(phone.notifies) == 2)
        for words in ((), ("--all", "020000000001"), ("--all", "--profile", "default")):
            assert house.server.cli("device", "resync", *words, check=False).returncode == 2
        done = house.server.cli("device", "resync", "xyz", check=False)
        assert done.returncode == 1 and "xyz: that is not the MAC" in done.stderr
        assert house.server.cli("device", "resync", "--profile", "attic",
                                check=False).returncode == 1


def test_a_dry_run_sends_nothing_and_tells_what_would_be():
    with House() as house:
        phone = house.phone("020000000001", "127.0.1.1")
        house.claim("020001000001", "127.0.1.2")
        house.claim("020003000001", "127.0.1.3")
        house.claim("020004000001", "127.0.1.4")
        house.claim("020004000002", "127.0.1.5", "--set", "sip_lines.1.username=7")
        house.server.cli("profile", "set", "house")
        house.server.cli("profile", "set", "floor", "--parent", "house")
        house.server.cli("device", "set", "020000000001", "--profile", "floor")
        rows = {row["mac"]: row for row in
                house.server.json("device", "resync", "--all", "--dry-run")}
        assert rows["020000000001"]["event"] == "check-sync;reboot=false"
        assert rows["020000000001"]["address"] == f"127.0.1.1:{house.port}"
        assert rows["020000000001"]["works"] and not rows["020000000001"]["reboots"]
        assert rows["020001000001"]["credentials"]
        assert not rows["020003000001"]["works"] and rows["020003000001"]["why"]
        assert not rows["020004000001"]["works"] and "account" in rows["020004000001"]["why"]
        assert rows["020004000002"]["works"] and rows["020004000002"]["reboots"]
        text = house.server.cli("device", "reboot", "--profile", "house", "--dry-run").stdout
        assert "check-sync;reboot=true" in text and "restarts" in text and text.count("\n") == 2
        assert not phone.notifies and house.state("020000000001") == "none"
        assert " resync_ordered " not in house.server.events()


def test_no_more_wait_for_their_answer_than_may():
    """Forty phones, of which three may be asked at once: counted at the phones."""
    with House("[resync]\nrate = 1000\nconcurrency = 3\n") as house:
        macs = [f"0200000001{number:02x}" for number in range(40)]
        house.server.cli("device", "claim", "-", stdin="\n".join(macs))
        for number, mac in enumerate(macs):
            house.server.cli("device", "set", mac, "--address", f"127.0.2.{number + 1}")
        with contextlib.closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as phones:
            phones.bind(("0.0.0.0", house.port))
            phones.settimeout(PATIENCE_S)
            house.server.cli("device", "resync", "--all")
            open_calls = {}
            answered = set()
            while len(answered) < len(macs):
                data, source = phones.recvfrom(65536)
                _, fields, _ = headers(data)
                call = fields["call-id"][0]
                if call not in answered:
                    open_calls[call] = (fields, source)
                assert len(open_calls) <= 3, open_calls
                # Whoever is third is answered, and only then another one may come.
                if len(open_calls) == 3 or len(answered) >= len(macs) - 3:
                    call, (fields, source) = open_calls.popitem()
                    answered.add(call)
                    lines = [b"SIP/2.0 481 X"] + [
                        name.title().encode() + b": " + fields[name][0]
                        for name in ("via", "from", "to", "call-id", "cseq")]
                    phones.sendto(b"\r\n".join(lines + [b"Content-Length: 0", b"", b""]), source)
        wait_for("all outcomes", lambda: all(house.state(mac) == "refused" for mac in macs))


SUBSCRIBE = ("SUBSCRIBE sip:127.0.0.1:{sip} SIP/2.0\r\n"
             "Via: SIP/2.0/UDP {address}:{port};branch=z9hG4bK-{branch};rport\r\n"
             "From: <sip:MAC%3a{mac}@{address}>;tag=1\r\nTo: <sip:MAC%3a{mac}@127.0.0.1>\r\n"
             "Call-ID: {branch}@{address}\r\nCSeq: 1 SUBSCRIBE\r\n"
             "Contact: <sip:{address}:{port}>\r\nMax-Forwards: 70\r\nExpires: 0\r\n"
             "Event: ua-profile;profile-type=\"device\"\r\nAccept: application/url\r\n"
             "Content-Length: 0\r\n\r\n")


def show_itself(house, phone, branch):
    text = SUBSCRIBE.format(sip=house.sip, address=phone.address, port=house.port, mac=phone.mac,
                            branch=branch)
    phone.socket.sendto(text.encode(), ("127.0.0.1", house.sip))


def test_a_phone_that_waits_is_served_when_it_is_claimed():
    with House() as house:
        for mac, address in (("020002000001", "127.0.1.1"), ("020000000001", "127.0.1.2"),
                             ("020003000001", "127.0.1.3")):
            house.server.cli("device", "add", mac, "--address", address)
            house.phones.append(Phone(house, mac, address))
            show_itself(house, house.phones[-1], mac)
            wait_for("the phone to be seen", lambda: house.server.device(mac)["last_seen"])
        takes, obeys, mute = house.phones
        assert not takes.notifies
        for phone in house.phones:
            house.server.cli("device", "claim", phone.mac)
        wait_for("both events", lambda: house.server.events().count(" told_at_once ") == 2)
        key = house.server.device(takes.mac)["key"]
        _, fields, body = takes.notifies[0]
        assert fields["event"] == [b"ua-profile;effective-by=0"]
        assert fields["content-type"] == [b"application/url"]
        assert body.decode() == f"http://127.0.0.1:{house.http}/p/{key}/", body
        assert obeys.events() == ["check-sync;reboot=false"]
        wait_for("the fetch", lambda: house.server.device(takes.mac)["fetched"])
        assert house.server.device(takes.mac)["notified"]
        assert not mute.notifies and house.state(obeys.mac) == "none"
        # One that was served is not told again when its claim is edited.
        house.server.cli("device", "claim", takes.mac, "--label", "x")
        assert house.server.cli("device", "resync", obeys.mac, "--wait").returncode == 0
        assert len(takes.notifies) == 1
        assert key not in house.server.events() and key not in house.server.log_text()


def test_our_own_phone_obeys():
    mac = "0200000000aa"
    with House() as house, tempfile.TemporaryDirectory() as folder:
        house.claim(mac, "127.0.1.50", "--model", "440HD")
        (Path(folder) / "phone.cfg").write_text("provisioning/random_provisioning_time=0\n",
                                                encoding="utf-8")
        with open(Path(folder) / "lines", "wb") as lines, subprocess.Popen(
                [BUILD / "bellhop-agent", "--json", "--state", folder, "--mac", mac,
                 "--model", "440HD", "--interface", "lo", "--address", "127.0.1.50",
                 "--port", str(house.port), "--server", f"127.0.0.1:{house.sip}"],
                stdout=lines) as agent:
            try:
                wait_for("its first fetch", lambda: house.server.device(mac)["fetched"])
                before = house.server.device(mac)["fetched"]
                assert house.server.cli("device", "resync", mac, "--wait").returncode == 0
                assert house.server.device(mac)["fetched"] > before
                assert house.server.cli("device", "reboot", mac, "--wait").returncode == 0
            finally:
                agent.terminate()
        told = [json.loads(line) for line in
                (Path(folder) / "lines").read_text(encoding="utf-8").splitlines()]
        assert [row["reason"] for row in told if row["event"] == "notify" and row.get("reason")] \
            == ["check_sync", "reboot"], told
        assert sum(row["event"] == "subscribe_sent" and row["attempt"] == 1 for row in told) == 2


def test_a_restart_and_a_block_interrupt_what_is_under_way():
    with House() as house:
        phone = house.phone("020000000001", "127.0.1.1", answers=[None])
        house.phone("020000000002", "127.0.1.2", answers=[None])
        house.server.cli("device", "resync", "--all")
        wait_for("both to be sent", lambda: house.state("020000000001") == "sent"
                 and house.state("020000000002") == "sent")
        house.server.cli("device", "block", "020000000002")
        wait_for("the block", lambda: house.state("020000000002") == "interrupted")
        house.server.stop()
        house.server.start()
        assert house.state("020000000001") == "interrupted"
        phone.answers = [200]
        assert house.server.cli("device", "resync", phone.mac, "--wait").returncode == 0


def test_more_than_the_table_holds_is_refused():
    with House("[limits]\nresyncs = 2\n") as house:
        for number in range(1, 4):
            house.claim(f"02000000000{number}", f"127.0.1.{number}")
        done = house.server.cli("device", "resync", "--all", check=False)
        assert done.returncode == 1 and "raise resyncs in [limits]" in done.stderr, done.stderr
        assert house.server.cli("device", "resync", "020000000001").returncode == 0


def test_wait_ends_when_a_device_is_removed():
    with House() as house:
        house.phone("020000000001", "127.0.1.1", answers=[None])
        with subprocess.Popen([BUILD / "bellhop", "--socket", house.server.socket, "device",
                               "resync", "020000000001", "--wait"], stdout=subprocess.PIPE,
                              text=True) as waiting:
            wait_for("the order", lambda: house.state("020000000001") == "sent")
            house.server.cli("device", "remove", "020000000001")
            assert waiting.communicate(timeout=PATIENCE_S)[0] == "020000000001: interrupted\n"
        assert waiting.returncode == 1


if __name__ == "__main__":
    main(globals())
