#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Networks as they are: five makers' phones on two LANs of one server, interfaces that go and come,
a router in between, a second responder, a spoofer, two Bellhops, a LAN that is heard twice, several
subnets on one cable, IPv6, and what else is said to the group.

8021q is not in every kernel: two bridges stand for two VLANs. To Bellhop a VLAN is an interface as
any other; the tags are the kernel's business."""

import contextlib
import socket
import subprocess
import sys
import threading

from house import Bellhopd, Network, bound, headers, in_namespace, ip, main, wait_for
from phone import GROUP, MODELS, Phone, check_configuration, claim

IP_RECVTTL = 12  # of Linux; Python has no name for it
SERVER_A, SERVER_B = "10.1.0.1", "10.2.0.1"
PHONES = {  # name: (maker, bridge, address/bits, MAC)
    "snom": ("snom", "br0", "10.1.0.11/24", "00:04:13:00:00:11"),
    "yea": ("yealink", "br0", "10.1.0.12/24", "00:15:65:00:00:12"),
    "aud": ("audiocodes", "br1", "10.2.0.13/24", "00:90:8f:00:00:13"),
    "gra": ("grandstream", "br1", "10.2.0.14/24", "c0:74:ad:00:00:14"),
    "fan": ("fanvil", "br1", "10.2.0.15/24", "0c:38:3e:00:00:15"),
}


def config(sip="", canary="0"):
    return f"[sip]\ncanary = {canary}\n{sip}[log]\nlevel = debug\n"


def plain(mac):
    return mac.replace(":", "")


class House:
    """A server with eth0 and eth1 on two LANs, and the phones that are asked for."""

    def __init__(self, text, *phones):
        self.text, self.names = text, phones

    def __enter__(self):
        self.network = Network({})
        try:
            for bridge in ("br1", "br2"):
                self.network.add_bridge(bridge)
            self.network.add_host("server")
            self.network.plug_in("server", "eth0", "br0", "02:00:00:00:00:01", f"{SERVER_A}/24")
            self.network.plug_in("server", "eth1", "br1", "02:00:00:00:00:02", f"{SERVER_B}/24")
            for name in self.names:
                _, bridge, address, mac = PHONES[name]
                self.network.add_host(name)
                self.network.plug_in(name, "eth0", bridge, mac, address)
            self.server = Bellhopd(self.text, self.network.namespace("server"))
        except BaseException:
            self.network.close()
            raise
        return self

    def __exit__(self, kind, value, trace):
        try:
            self.server.__exit__(kind, value, trace)
        finally:
            self.network.close()

    def phone(self, name, claims=None):
        maker, _, address, mac = PHONES[name]
        return Phone(self.network.namespace(name), maker, address.partition("/")[0], mac, claims)

    def claim(self, name, *more, server=None):
        claim(server or self.server, plain(PHONES[name][3]), f"of-{name}", *more)


def put_into_service(house, name, server_address):
    """The whole road of one phone, as its maker goes it, with the pack that comes with Bellhop."""
    maker, _, _, mac = PHONES[name]
    mac = plain(mac)
    before = house.server.device(mac)["fetched"]
    with house.phone(name) as phone:
        status, url, source = phone.search()
        assert (status, source) == (200, (server_address, 5060)), (name, status, source)
        assert phone.host_of(url) == (server_address, 8080), (name, url)
        assert phone.body == (url + ("\r\n" if maker == "grandstream" else "")).encode(), phone.body
        status, text = phone.fetch(url)
        assert status == 200, (name, url, status, text)
        check_configuration(maker, text, f"of-{name}")
        if maker == "yealink":
            status, text = phone.got["y000000000000.boot"]
            assert status == 200 and text.startswith("#!version:1.0.0.1\n"), (status, text)
        others = [source for _, source in phone.heard if source != (server_address, 5060)]
        assert not others, others
    device = wait_for(f"{name} to be fetched", lambda: fetched(house.server, mac, before))
    told = tuple(device[member] for member in ("vendor", "model", "firmware", "certainty",
                                               "identified_by", "form_in_force"))
    # By the key of its own URL, on its own link.
    assert told == (maker, *MODELS[maker], "proven", "key", "rfc"), (name, told)
    return device


def fetched(server, mac, before=None):
    """The device, once it has fetched after that time."""
    device = server.device(mac)
    return device if device["state"] == "fetched" and device["fetched"] != before else None


def count(server, group, reason):
    return server.json("status")["counters"].get(group, {}).get(reason, 0)


def events(server, reason):
    return [line for line in server.events().splitlines() if reason in line]


def test_five_makers_on_two_lans():
    with House(config(), *PHONES) as house:
        for name, (maker, _, _, _) in PHONES.items():
            house.claim(name, "--model", MODELS[maker][0])
        for name, (_, bridge, _, _) in PHONES.items():
            on_a = bridge == "br0"
            device = put_into_service(house, name, SERVER_A if on_a else SERVER_B)
            assert device["interface"] == ("eth0" if on_a else "eth1"), device
            assert device["address"] == PHONES[name][2].partition("/")[0], device


def interfaces_that_go_and_come(kind):
    text = config(sip=f"interfaces = eth0 eth1 eth2\ngroup_socket = {kind}\n")
    with House(text, "snom", "aud") as house:
        server = house.network.namespace("server")
        house.claim("snom")
        house.claim("aud", "--model", "440HD")
        put_into_service(house, "snom", SERVER_A)
        put_into_service(house, "aud", SERVER_B)
        # Both down, by the admin and by the cable; the one that comes back is served again.
        ip("-n", server, "link", "set", "eth0", "down")
        house.network.pull_out("server", "eth1")
        ip("-n", server, "link", "set", "eth0", "up")
        put_into_service(house, "snom", SERVER_A)
        house.network.put_back("server", "eth1")
        put_into_service(house, "aud", SERVER_B)
        # The cable of LAN B goes, and an interface that was named but not there takes its place.
        ip("-n", server, "link", "del", "eth1")
        wait_for("eth1 to be left", lambda: "left the group on eth1" in house.server.log_text())
        house.network.plug_in("server", "eth2", "br1", "02:00:00:00:00:03", f"{SERVER_B}/24")
        wait_for("eth2 to be joined", lambda: "joined 224.0.1.75 on eth2" in
                 house.server.log_text())
        device = put_into_service(house, "aud", SERVER_B)
        assert device["interface"] == "eth2", device


def test_interfaces_that_go_and_come_by_udp():
    interfaces_that_go_and_come("udp")


def test_interfaces_that_go_and_come_by_packets():
    interfaces_that_go_and_come("packet")


def test_only_named_interfaces_are_heard():
    for kind in ("udp", "packet"):
        text = config(sip=f"interfaces = eth0\ngroup_socket = {kind}\n")
        with House(text, "snom", "aud") as house:
            house.claim("snom")
            house.claim("aud", "--model", "440HD")
            with house.phone("aud") as phone:
                phone.ask()
                assert phone.flush((SERVER_B, 5060)) == []
            put_into_service(house, "snom", SERVER_A)
            assert house.server.device(plain(PHONES["aud"][3]))["state"] == "claimed"


def test_a_router_in_between():
    """Nobody can vouch for a routed phone's MAC: it is served only where the operator said so."""
    with House(config()) as house:
        network = house.network
        network.add_host("router")
        network.plug_in("router", "eth0", "br0", "02:00:00:00:00:0e", "10.1.0.254/24")
        network.plug_in("router", "eth1", "br2", "02:00:00:00:00:0f", "10.3.0.254/24")
        subprocess.run(in_namespace(network.namespace("router"), "sysctl", "-qw",
                                    "net.ipv4.ip_forward=1"), check=True)
        ip("-n", network.namespace("server"), "route", "add", "10.3.0.0/24", "via", "10.1.0.254")
        mac = "00:04:13:00:00:31"
        network.add_host("far")
        network.plug_in("far", "eth0", "br2", mac, "10.3.0.31/24")
        ip("-n", network.namespace("far"), "route", "add", "default", "via", "10.3.0.254")
        claim(house.server, plain(mac), "of-far")
        with Phone(network.namespace("far"), "snom", "10.3.0.31", mac) as phone:
            # The group stays on its link.
            phone.ask()
            assert phone.flush((SERVER_A, 5060)) == []
            assert phone.search((SERVER_A, 5060))[0] == 403
            assert house.server.device(plain(mac))["state"] == "claimed"
            house.server.cli("device", "set", plain(mac), "--address", "10.3.0.31")
            status, url, source = phone.search((SERVER_A, 5060))
            assert (status, source) == (200, (SERVER_A, 5060)), (status, source)
            assert phone.host_of(url)[0] == SERVER_A, url
            status, text = phone.fetch(url)
            assert status == 200, (status, text)
            check_configuration("snom", text, "of-far")
        wait_for("the fetch", lambda: fetched(house.server, plain(mac)))


class Rogue:
    """A responder as they stand about: it answers whatever asks the group, with its own URL, from
    the host that it runs on."""

    def __init__(self, namespace, address):
        self.stack = contextlib.ExitStack()
        self.socket = self.stack.enter_context(bound(namespace, "0.0.0.0", 5060))
        self.socket.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP,
                               socket.inet_aton(GROUP[0]) + socket.inet_aton(address))
        self.socket.setsockopt(socket.IPPROTO_IP, IP_RECVTTL, 1)
        self.refusals = 0
        self.ttls = set()  # of what the group was asked
        self.address = address
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()

    def _serve(self):
        while True:
            try:
                message, ancillary, _, source = self.socket.recvmsg(65535, 256)
            except OSError:
                return
            if message.startswith(b"SUBSCRIBE "):
                self.ttls |= {int.from_bytes(value[:4], sys.byteorder)
                              for level, kind, value in ancillary
                              if (level, kind) == (socket.IPPROTO_IP, socket.IP_TTL)}
            else:
                self.refusals += message.startswith(b"SIP/2.0 481 ")
                if message == b"end":
                    return
                continue
            _, fields, _ = headers(message)
            common = b"".join(name + b": " + fields[key][0] + b"\r\n" for name, key in (
                (b"Via", "via"), (b"From", "from"), (b"To", "to"), (b"Call-ID", "call-id")))
            body = f"http://admin:secret@{self.address}:88/rogue/".encode()
            self.socket.sendto(b"SIP/2.0 200 OK\r\n" + common + b"CSeq: 1 SUBSCRIBE\r\n"
                               b"Content-Length: 0\r\n\r\n", source)
            self.socket.sendto(b"NOTIFY sip:%s:%d SIP/2.0\r\n" % (source[0].encode(), source[1]) +
                               common + b"CSeq: 3 NOTIFY\r\nUser-Agent: snom PBX\r\n"
                               b"Content-Type: application/url\r\nContent-Length: %d\r\n\r\n"
                               % len(body) + body, source)

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        self.socket.sendto(b"end", ("127.0.0.1", 5060))
        self.thread.join()
        self.stack.close()


def warnings(server):
    return [text for text in server.json("status")["warnings"] if "rogue" in text]


def test_a_second_responder_is_found_by_the_canary():
    with House(config(canary="1s")) as house:
        network, server = house.network, house.server
        network.add_host("rogue")
        network.plug_in("rogue", "eth0", "br1", "02:00:00:00:00:66", "10.2.0.66/24")
        with Rogue(network.namespace("rogue"), "10.2.0.66") as rogue:
            wait_for("the alarm", lambda: events(server, "rogue_responder"))
            alarm = events(server, "rogue_responder")[0]
            for part in ("10.2.0.66 on eth1", "sends them to 10.2.0.66:88", "snom PBX"):
                assert part in alarm, alarm
            assert "secret" not in alarm and "/rogue/" not in alarm, alarm
            assert warnings(server) and "10.2.0.66" in warnings(server)[0]
            # It goes on asking on both LANs, and tells once.
            sent = count(server, "canary", "sent")
            wait_for("more canaries", lambda: count(server, "canary", "sent") >= sent + 6)
            assert len(events(server, "rogue_responder")) == 1
            assert rogue.ttls == {1}, rogue.ttls  # R-MCAST-12: it never leaves the link
            assert rogue.refusals > 0  # its NOTIFYs are not left to be sent eleven times
        # Gone: so is the warning.
        wait_for("the warning to go", lambda: not warnings(server))
        # None of all the phones that we played is listed.
        assert server.json("device", "list") == []


def test_two_bellhops_on_one_lan():
    """Each serves its own phones and is silent for the other's; neither takes the other's canary
    for a phone, nor for a rogue."""
    text = config(canary="1s")
    with House(text, "snom", "yea") as house:
        network = house.network
        network.add_host("second")
        network.plug_in("second", "eth0", "br0", "02:00:00:00:00:22", "10.1.0.2/24")
        with Bellhopd(text, network.namespace("second")) as second:
            house.claim("snom")
            house.claim("yea", server=second)
            put_into_service(house, "snom", SERVER_A)
            with house.phone("yea") as phone:
                status, url, source = phone.search()
                assert (status, source) == (200, ("10.1.0.2", 5060))
                assert phone.fetch(url)[0] == 200
                phone.flush((SERVER_A, 5060))
                assert all(heard[1][0] == "10.1.0.2" for heard in phone.heard[:-1]), phone.heard
            for one in (house.server, second):
                seen = count(one, "sip", "canary")
                wait_for("canaries of the other", lambda one=one, seen=seen:
                         count(one, "sip", "canary") >= seen + 2)
                assert not events(one, "rogue_responder")
                macs = {device["mac"] for device in one.json("device", "list")}
                assert macs == {plain(PHONES[name][3]) for name in ("snom", "yea")}, macs


def test_a_spoofer_gets_nothing_and_the_real_phone_does():
    for kind in ("udp", "packet"):
        with House(config(sip=f"group_socket = {kind}\n"), "snom", "yea") as house:
            house.claim("snom")
            # The spoofer speaks the phone's own dialect and names its MAC.
            maker, (_, _, address, mac) = "snom", PHONES["yea"]
            with Phone(house.network.namespace("yea"), maker, address.partition("/")[0], mac,
                       claims=PHONES["snom"][3]) as spoofer:
                spoofer.ask()
                wait_for("the alarm", lambda: events(house.server, "mac_conflict"))
                assert spoofer.flush((SERVER_A, 5060)) == []
            put_into_service(house, "snom", SERVER_A)


def test_a_lan_that_is_heard_twice():
    """eth0 and eth2 are on the same LAN: the phone's one datagram comes twice and is answered
    once."""
    for kind in ("udp", "packet"):
        with House(config(sip=f"group_socket = {kind}\n"), "snom") as house:
            house.network.plug_in("server", "eth2", "br0", "02:00:00:00:00:04", "10.1.0.4/24")
            wait_for("eth2", lambda: "joined 224.0.1.75 on eth2" in house.server.log_text())
            house.claim("snom")
            with house.phone("snom") as phone:
                status, _, source = phone.search()
                assert status == 200 and source[0] in (SERVER_A, "10.1.0.4")
                wait_for("the copy", lambda: count(house.server, "sip", "copy_by_another_way") +
                         count(house.server, "sip", "copy_absorbed") >= 1)
                phone.flush(source)
                starts = [heard.split(b" ")[0] for heard, _ in phone.heard[:-1]]
                assert starts == [b"SIP/2.0", b"NOTIFY"], starts


def test_several_subnets_on_one_cable():
    """Answer and URL carry our address in the phone's own subnet."""
    with House(config(), "yea") as house:
        server = house.network.namespace("server")
        ip("-n", server, "address", "add", "192.168.7.1/24", "dev", "eth0")
        ip("-n", server, "address", "add", "10.1.0.9/24", "dev", "eth0")
        house.network.add_host("sub")
        mac = "00:04:13:00:00:77"
        house.network.plug_in("sub", "eth0", "br0", mac, "192.168.7.77/24")
        claim(house.server, plain(mac), "of-sub")
        house.claim("yea")
        with Phone(house.network.namespace("sub"), "snom", "192.168.7.77", mac) as phone:
            status, url, source = phone.search()
            assert (status, source) == (200, ("192.168.7.1", 5060)), (status, source)
            assert phone.host_of(url)[0] == "192.168.7.1", url
            assert phone.fetch(url)[0] == 200
        put_into_service(house, "yea", SERVER_A)


def link_local_phone(house, mac, before):
    """Of the same phone on its link-local address: the zone is the phone's own business."""
    for name, address in (("server", "fe80::1/64"), ("snom", "fe80::11/64")):
        ip("-n", house.network.namespace(name), "address", "add", address, "dev", "eth0", "nodad")
    scope = int(ip("-n", house.network.namespace("snom"), "-o", "link", "show",
                   "eth0").partition(":")[0])
    with Phone(house.network.namespace("snom"), "snom", "fe80::11", mac, scope=scope) as phone:
        status, url, _ = phone.search(("fe80::1", 5060, 0, scope))
        assert status == 200 and url.startswith("http://[fe80::1]:8080/"), (status, url)
        assert phone.fetch(url)[0] == 200
    wait_for("the fetch", lambda: fetched(house.server, plain(mac), before))


def test_everything_but_the_group_over_ipv6():
    text = ("[sip]\ncanary = 0\nlisten = 0.0.0.0:5060 [::]:5060\n[http]\n"
            "listen = 0.0.0.0:8080 [::]:8080\n[log]\nlevel = debug\n")
    with House(text, "snom") as house:
        for name, address in (("server", "fd00:1::1/64"), ("snom", "fd00:1::11/64")):
            ip("-n", house.network.namespace(name), "address", "add", address, "dev", "eth0",
               "nodad")
        house.claim("snom")
        mac = PHONES["snom"][3]
        with Phone(house.network.namespace("snom"), "snom", "fd00:1::11", mac) as phone:
            status, url, source = phone.search(("fd00:1::1", 5060))
            assert (status, source[:2]) == (200, ("fd00:1::1", 5060)), (status, source)
            assert url.startswith("http://[fd00:1::1]:8080/"), url
            status, body = phone.fetch(url)
            assert status == 200, (status, body)
            check_configuration("snom", body, "of-snom")
        device = wait_for("the fetch", lambda: fetched(house.server, plain(mac)))
        assert device["address"] == "fd00:1::11", device
        link_local_phone(house, mac, device["fetched"])
        put_into_service(house, "snom", SERVER_A)


# What else is said to the group (dialects.md B.1, end): (request, headers, what counts it).
OTHERS = (
    ("REGISTER sip:224.0.1.75 SIP/2.0", "", "method_not_allowed"),
    ("OPTIONS sip:224.0.1.75 SIP/2.0", "", "options"),
    ("INVITE sip:x@224.0.1.75 SIP/2.0", "", "method_not_allowed"),
    ("MESSAGE sip:x@224.0.1.75 SIP/2.0", "", "method_not_allowed"),
    ("SUBSCRIBE sip:x@224.0.1.75 SIP/2.0", "Event: presence\r\n", "event_unknown"),
    ("SUBSCRIBE sip:x@224.0.1.75 SIP/2.0", "Event: message-summary\r\n", "event_unknown"),
    ("SUBSCRIBE sip:x@224.0.1.75 SIP/2.0", "Event: ua-profile;profile-type=user\r\n"
     "Accept: application/service-user-profile+xml\r\n", "profile_type_not_served"),
    ("SUBSCRIBE sip:x@224.0.1.75 SIP/2.0", 'Event: ua-profile;profile-type="local-network"\r\n',
     "profile_type_not_served"),
    ("SUBSCRIBE sip:x@224.0.1.75 SIP/2.0", 'Event: ua-profile;profile-type="device"\r\n'
     "Accept: text/xml\r\n", "not_acceptable"),
)


def test_other_traffic_on_the_group_is_left_alone():
    """Nothing is sent, each is counted by its reason, and nobody is listed."""
    with House(config(), "snom") as house, house.phone("snom") as phone:
        for number, (start, more, reason) in enumerate(OTHERS):
            before = house.server.json("status")["counters"].get("sip", {})
            method = start.split(" ")[0]
            phone.heard.clear()
            phone.ask((f"{start}\r\nVia: SIP/2.0/UDP {phone.ip}:5060;branch=z9hG4bKo{number}\r\n"
                       f"From: <sip:x@{phone.ip}>;tag=1\r\nTo: <sip:x@224.0.1.75>\r\n"
                       f"Call-ID: other{number}\r\nCSeq: 1 {method}\r\nMax-Forwards: 70\r\n"
                       f"Contact: <sip:{phone.ip}:5060>\r\n{more}Content-Length: 0\r\n\r\n"
                       ).encode())
            assert phone.flush((SERVER_A, 5060)) == [], (start, more, phone.heard)
            expected = {**before, "options": before.get("options", 0) + 1}  # of the flush
            expected[reason] = expected.get(reason, 0) + 1
            wait_for(f"{start}, {more} to be counted by {reason}", lambda expected=expected:
                     house.server.json("status")["counters"]["sip"] == expected)
        assert house.server.json("device", "list") == []


main(globals())
