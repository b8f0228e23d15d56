#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Forms of the NOTIFY through the whole server: a phone that takes one form only gets it, what works
is learned over a restart, shown, pinned and forgotten. Prints TAP."""

import contextlib
import re
import socket
import urllib.request

from house import Bellhopd, answer_notify, free_port, headers, main, PATIENCE_S, wait_for

SERVER = "127.0.81.1"
PHONE = "127.0.81.2"
MAC = "00908f810001"
SUBSCRIBE = """SUBSCRIBE sip:224.0.1.75:5060 SIP/2.0
From: <sip:00000001@{phone}:{port}>;tag=t{number}
To: <sip:224.0.1.75:5060>
Call-ID: call-{number}
CSeq: 1 SUBSCRIBE
Via: SIP/2.0/UDP {phone}:{port};rport;branch=z9hG4bK-{number}
Expires: 0
Event: ua-profile;profile-type="application";model="440HD";version="2.2.2"
Max-Forwards: 70
Accept: application/url
Contact: <sip:00000001@{phone}:{port}>
User-Agent: AUDC-IPPhone/2.2.2
Content-Length: 0

"""


class House(contextlib.ExitStack):
    """A server with one phone claimed, and that phone's socket."""

    def __enter__(self):
        super().__enter__()
        self.sip = free_port(socket.SOCK_DGRAM, SERVER)
        http = free_port(socket.SOCK_STREAM, SERVER)
        self.server = self.enter_context(Bellhopd(
            f"[sip]\nlisten = {SERVER}:{self.sip}\ngroup =\n[http]\nlisten = {SERVER}:{http}\n"
            "[tftp]\nlisten =\n[https]\nlisten =\n[admin]\nlisten =\n"
            f"[provisioning]\nurl = http://{SERVER}:{http}/p/%{{key}}/\n"))
        self.phone = self.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        self.phone.bind((PHONE, 0))
        self.phone.settimeout(PATIENCE_S)
        self.number = 0
        self.server.cli("device", "claim", MAC, "--vendor", "audiocodes", "--model", "440HD",
                        "--address", PHONE)
        return self

    def ask(self):
        """One boot: its 200, and the NOTIFY behind it."""
        self.number += 1
        text = SUBSCRIBE.format(phone=PHONE, port=self.phone.getsockname()[1], number=self.number)
        self.phone.sendto(text.replace("\n", "\r\n").encode(), (SERVER, self.sip))
        answer = self.receive()
        assert answer.startswith(b"SIP/2.0 200 "), answer
        return self.notify()

    def receive(self):
        """The next datagram of this boot: NOTIFYs of an earlier one may still be sent again."""
        while True:
            message = self.phone.recv(65536)
            if headers(message)[1]["call-id"][0] == f"call-{self.number}".encode():
                return message

    def notify(self):
        """The next NOTIFY of this boot: its form, and its octets."""
        message = self.receive()
        return ("print" if headers(message)[1]["max-forwards"] == [b"20"] else "rfc"), message

    def respond(self, notify, status):
        answer = answer_notify(notify).replace(b"200 OK", status)
        self.phone.sendto(answer, (SERVER, self.sip))

    def forms(self):
        return self.server.json("form", "list")

    def learned(self, what):
        """Waits until the one record of the list has these members."""
        wait_for(f"a record with {what}", lambda: any(
            all(form[name] == value for name, value in what.items()) for form in self.forms()))

    def fetch(self, notify):
        """The configuration by the URL that it was told: host/firmware;path/<MAC>.cfg, or a folder."""
        _, _, url = headers(notify)
        url = url.decode()
        origin, _, path = url.partition(";")
        base = re.match(r"http://[^/]+/", origin)[0]
        path = (base + path).replace("<MAC>", MAC.upper()) if path else url + MAC.upper() + ".cfg"
        with urllib.request.urlopen(path, timeout=PATIENCE_S) as reply:
            assert reply.status == 200


def test_a_silent_phone_gets_the_other_form_once():
    with House() as house:
        form, _ = house.ask()
        assert form == "rfc"
        seen = [form]
        while "print" not in seen:
            seen.append(house.notify()[0])
        # The first goes on as it was, and the other one does not come again.
        while seen.count("rfc") < 4:
            seen.append(house.notify()[0])
        assert seen.count("print") == 1, seen
        house.learned({"form": "default", "suspect_form": "rfc", "failed": 1})
        assert house.server.device(MAC)["told_both"]
        assert "form_suspected" in house.server.events()


def test_a_phone_that_takes_print_only_proves_it_at_its_next_boot():
    with House() as house:
        form, notify = house.ask()
        assert form == "rfc"
        house.respond(notify, b"481 Subscription Does Not Exist")
        form, notify = house.notify()
        assert form == "print"
        house.fetch(notify)  # no credit: both were sent
        house.learned({"form": "default", "suspect_form": "rfc"})
        wait_for("the fetch", lambda: house.server.device(MAC)["fetched"])
        assert house.server.device(MAC)["form_in_force"] == "print"
        assert house.server.device(MAC)["form_reason"] == "rfc has failed"
        assert "print (rfc has failed)" in house.server.cli("device", "show", MAC).stdout

        form, notify = house.ask()
        assert form == "print"
        # What it was told is stored; the process ends before the phone comes for its files.
        wait_for("the telling", lambda: house.server.device(MAC)["told_form"] == "print" and
                 not house.server.device(MAC)["told_both"])
        house.server.stop()
        house.server.start()
        house.fetch(notify)
        house.learned({"form": "print", "evidence": "fetched", "fetched": 1, "failed": 0,
                       "shape": "firmware-config", "model": "440HD", "firmware": "2.2.2"})
        shown = house.server.cli("device", "show", MAC).stdout
        assert "print (learned: fetched 1 time)" in shown, shown
        assert "firmware-config" in shown, shown
        assert "form_learned" in house.server.events()


def test_pin_and_forget():
    with House() as house:
        done = house.server.cli("form", "pin", "audiocodes", "440HD", "2.2.2", "print",
                                "--shape", "folder")
        assert done.stdout == "pinned audiocodes 440HD 2.2.2: form print, shape folder\n"
        form, notify = house.ask()
        assert form == "print" and headers(notify)[2].endswith(b"/"), notify
        wait_for("its firmware", lambda: house.server.device(MAC)["firmware"])
        assert "print (pinned)" in house.server.cli("device", "show", MAC).stdout
        assert re.search(r"audiocodes +440HD +2\.2\.2 +print +folder +(true|yes)",
                         house.server.cli("form", "list").stdout)
        refused = house.server.cli("form", "pin", "audiocodes", "440HD", "2.2.2", "fax",
                                   check=False)
        assert refused.returncode == 1 and "form" in refused.stderr, refused.stderr
        assert house.server.cli("form", "forget", "audiocodes", "440HD").stdout == (
            "forgotten: audiocodes 440HD\n")
        assert house.forms() == []
        # What is empty is shown as such; no form is suspected here.
        done = house.server.cli("form", "pin", "audiocodes", "440HD", "", "print")
        assert done.stdout == 'pinned audiocodes 440HD "": form print\n', done.stdout
        assert "default" not in house.server.cli("form", "list").stdout
        assert house.server.json("form", "forget", "audiocodes") == {"removed": "audiocodes"}
        refused = house.server.cli("form", "forget", "audiocodes", check=False)
        assert refused.returncode == 1 and "nothing is known" in refused.stderr
        house.respond(notify, b"200 OK")
        form, notify = house.ask()
        assert form == "rfc"
        house.respond(notify, b"200 OK")
        house.learned({"form": "rfc", "evidence": "answered", "answered": 1})


if __name__ == "__main__":
    main(globals())
