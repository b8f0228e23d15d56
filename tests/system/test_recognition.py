#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Phones that are recognised when they fetch, over HTTP and TFTP, on-link and behind a router; those
that are listed as no device; and what nobody has to be claimed for (unknown = bootstrap)."""

import subprocess

from house import (Bellhopd, Network, answer_notify, bound, headers, in_namespace, ip, main,
                   program, wait_for)

SERVER = "10.13.4.121"
HOSTS = {
    "server": (f"{SERVER}/16", "02:00:00:00:00:01"),
    "phone": ("10.13.2.37/16", "00:90:8f:00:00:0b"),
    "other": ("10.13.2.38/16", "00:90:8f:00:00:0c"),
    "laptop": ("10.13.2.39/16", "02:00:00:00:00:0d"),
}
ROUTED = "192.168.9.5"  # of host other, behind its own 10.13.2.38 as a router would have it
PHONE, OTHER = "00908f00000b", "00908f00000c"
FAR = "00908f0000fa"    # behind the router, where nobody sees its hardware address
SECRET = "wohl-geheim-8731"


def agent(mac):
    return f"AUDC-IPPhone/2.2.8.61 (440HDG-Rev0; {mac.upper()})"


def config(more=""):
    return f"[sip]\ninterfaces = eth0\n[log]\nlevel = debug\n[provisioning]\n{more}"


class House:
    def __init__(self, more=""):
        self.more = more

    def __enter__(self):
        self.curl = program("curl")
        self.network = Network(HOSTS)
        ip("-n", self.network.namespace("other"), "address", "add", f"{ROUTED}/32", "dev", "lo")
        ip("-n", self.network.namespace("server"), "route", "add", f"{ROUTED}/32",
           "via", "10.13.2.38")
        try:
            self.server = Bellhopd(config(self.more), self.network.namespace("server"))
        except BaseException:
            self.network.close()
            raise
        return self

    def __exit__(self, kind, value, trace):
        try:
            self.server.__exit__(kind, value, trace)
        finally:
            self.network.close()

    def curl_on(self, host, url, *more):
        return subprocess.run(
            in_namespace(self.network.namespace(host), self.curl, "-sS", "--max-time", "20",
                         *more, url), capture_output=True, text=True, check=False)

    def http(self, host, path, *more):
        """Status and bytes."""
        done = self.curl_on(host, f"http://{SERVER}:8080/{path}", "-w", "\n%{http_code}", *more)
        body, _, status = done.stdout.rpartition("\n")
        return int(status), body

    def tftp(self, host, path, *more):
        done = self.curl_on(host, f"tftp://{SERVER}/{path}", *more)
        assert done.returncode in (0, 68), (done.returncode, done.stderr)
        return done.stdout if done.returncode == 0 else None

    def wait_for_device(self, mac, **members):
        def is_there():
            device = self.server.device_or_none(mac)
            return device and all(device[name] == value for name, value in members.items())
        wait_for(f"{mac} with {members}", is_there)
        return self.server.device(mac)

    def strangers(self):
        return self.server.json("device", "unidentified")


def subscribe(socket, call, user="", event='model="440HD";version="2.2.2"'):
    here = "{}:{}".format(*socket.getsockname())
    name = f"{user}@" if user else ""
    return (f"SUBSCRIBE sip:{name}224.0.1.75 SIP/2.0\r\nVia: SIP/2.0/UDP {here};rport;"
            f"branch=z9hG4bK{call}\r\nFrom: <sip:00000001@{here}>;tag={call}\r\n"
            f"To: <sip:{name}224.0.1.75>\r\nCall-ID: {call}\r\nCSeq: 1 SUBSCRIBE\r\nExpires: 0\r\n"
            f'Event: ua-profile;profile-type="application";{event}\r\nMax-Forwards: 70\r\n'
            f"Accept: application/url\r\nContact: <sip:00000001@{here}>\r\n"
            f"User-Agent: AUDC-IPPhone/2.2.2\r\nContent-Length: 0\r\n\r\n").encode()


def test_who_fetches_over_http_or_tftp_is_new():
    with House() as house:
        # On-link, over TFTP by its name: what the network shows agrees.
        assert house.tftp("phone", f"{PHONE.upper()}.cfg") is None
        house.wait_for_device(PHONE, state="new", vendor="audiocodes", certainty="confirmed",
                              identified_by="neighbour", address="10.13.2.37")
        # Over HTTP its User-Agent tells the rest; the answer is what a stranger gets.
        known = house.http("phone", f"{PHONE.upper()}.cfg", "-A", agent(PHONE))
        assert known == house.http("laptop", "nothing") == (404, "Not Found\n")
        house.wait_for_device(PHONE, model="440HD", firmware="2.2.8.61")
        # A laptop is no phone, whatever common file it asks for.
        assert house.http("laptop", "440HD.img")[0] == 404
        # Behind a router its word must do.
        assert house.http("other", "x.cfg", "--interface", ROUTED, "-A", agent(FAR))[0] == 404
        house.wait_for_device(FAR, state="new", model="440HD", certainty="claimed",
                              identified_by="user_agent", address=ROUTED)
        assert {row["mac"] for row in house.server.json("device", "list")} == {PHONE, FAR}
        assert not house.strangers()


def test_another_s_name_makes_no_device():
    with House() as house:
        house.server.cli("device", "claim", PHONE, "--model", "440HD")
        for _ in range(3):
            assert house.http("laptop", f"{PHONE.upper()}.cfg")[0] == 404
        wait_for("the stranger", lambda: house.strangers() and house.strangers()[0]["count"] == 3)
        (row,) = house.strangers()
        assert (row["address"], row["named_mac"], row["certainty"], row["reason"]) == (
            "10.13.2.39", PHONE, "spoofed?", "mac_is_not_its_own"), row
        assert house.server.events().count("unidentified_seen") == 1
        assert [row["mac"] for row in house.server.json("device", "list")] == [PHONE]
        assert "spoofed?" in house.server.cli("device", "unidentified").stdout


def test_the_unidentified_is_listed_until_its_request_names_it():
    with House() as house, bound(house.network.namespace("other"), ROUTED, 5070) as phone:
        phone.sendto(subscribe(phone, "far1"), (SERVER, 5060))
        assert phone.recv(65535).startswith(b"SIP/2.0 403 ")
        wait_for("the stranger", house.strangers)
        (row,) = house.strangers()
        assert (row["address"], row["vendor"], row["model"], row["firmware"], row["named_mac"],
                row["certainty"], row["reason"]) == (
            ROUTED, "audiocodes", "440HD", "2.2.2", None, "unidentified", "routed"), row
        phone.sendto(subscribe(phone, "far2"), (SERVER, 5060))
        assert phone.recv(65535).startswith(b"SIP/2.0 403 ")
        wait_for("the second", lambda: house.strangers()[0]["count"] == 2)
        assert house.server.events().count("unidentified_seen") == 1
        house.http("other", f"{FAR.upper()}.cfg", "--interface", ROUTED)
        house.wait_for_device(FAR, state="new", model="440HD", firmware="2.2.2",
                              certainty="claimed", identified_by="file_name")
        wait_for("the list to be empty", lambda: not house.strangers())


def test_spoofed_is_refused_unless_it_is_served():
    with House() as house, bound(house.network.namespace("other"), "10.13.2.38", 5060) as liar:
        house.server.cli("device", "claim", PHONE, "--model", "440HD")
        liar.sendto(subscribe(liar, "liar1", f"MAC%3a{PHONE}"), (SERVER, 5060))
        wait_for("the stranger", house.strangers)
        assert house.strangers()[0]["certainty"] == "spoofed?"
        assert "mac_conflict" in house.server.events()
        house.server.reload(config("spoofed = serve\n"))
        assert "spoofed = serve is dangerous" in house.server.log_text()
        liar.sendto(subscribe(liar, "liar2", f"MAC%3a{PHONE}"), (SERVER, 5060))
        # The first thing that it hears is of the second request: the first got nothing.
        answer = liar.recv(65535)
        assert answer.startswith(b"SIP/2.0 200 ") and b"liar2" in answer, answer
        assert house.server.device(PHONE)["key"].encode() in liar.recv(65535)
        house.wait_for_device(PHONE, certainty="spoofed?")


def test_bootstrap_serves_a_profile_without_secrets():
    with House("unknown = bootstrap\n") as house:
        house.server.cli("profile", "set", "default", "--set", "ntp_ip=10.13.4.7", "--set",
                         "admin_password=-", stdin=SECRET)
        name = f"{PHONE.upper()}.cfg"
        with bound(house.network.namespace("phone"), "10.13.2.37", 5060) as phone:
            phone.sendto(subscribe(phone, "boot1"), (SERVER, 5060))
            assert phone.recv(65535).startswith(b"SIP/2.0 200 ")
            notify = phone.recv(65535)
            phone.sendto(answer_notify(notify), (SERVER, 5060))
        url = headers(notify)[2].decode().strip()
        assert url == f"http://{SERVER}:8080/440HD.img;p/bootstrap/<MAC>.cfg", url
        house.wait_for_device(PHONE, state="new", key="", certainty="seen")
        for status, body in (house.http("phone", f"p/bootstrap/{name}"),
                             house.http("phone", name)):
            assert status == 200 and "10.13.4.7" in body and SECRET not in body, body
        body = house.tftp("phone", name)
        assert "10.13.4.7" in body and SECRET not in body, body
        assert house.http("other", f"p/bootstrap/{name}")[0] == 404
        house.server.cli("profile", "set", "bootstrap", "--set", "ntp_ip=10.13.4.8")
        assert "10.13.4.8" in house.http("phone", f"p/bootstrap/{name}")[1]
        assert house.server.device(PHONE)["state"] == "new"
        # Claimed, it gets its own at the very same URL; blocked, nothing.
        house.server.cli("device", "claim", PHONE)
        status, body = house.http("phone", f"p/bootstrap/{name}", "-A", agent(PHONE))
        assert status == 200 and SECRET in body, (status, body)
        house.wait_for_device(PHONE, state="fetched", firmware="2.2.8.61", certainty="confirmed")
        assert house.http("other", f"p/bootstrap/{name}")[0] == 404
        house.server.cli("device", "block", PHONE)
        assert house.http("phone", f"p/bootstrap/{name}")[0] == 404
        assert house.tftp("phone", name) is None


main(globals())
