#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""A server and phones on hosts of their own: network namespaces on a bridge. Real multicast, real
IGMP joins, real neighbour resolution."""

import re
import subprocess
import tempfile
from pathlib import Path

from house import (BUILD, CORPUS, PATIENCE_S, SOURCE, Bellhopd, Network, answer_notify, bound,
                   headers, in_namespace, main, matches, wait_for)

SERVER = "10.13.4.121"
HOSTS = {
    "server": (f"{SERVER}/16", "02:00:00:00:00:01"),
    "b": ("10.13.2.37/16", "00:90:8f:00:00:0b"),
    "c": ("10.13.2.38/16", "00:90:8f:00:00:0c"),
    "d": ("10.13.2.39/16", "00:90:8f:00:00:0d"),
}
GROUP = ("224.0.1.75", 5060)


def config(url):
    return ("[sip]\ninterfaces = eth0\n"
            f"[provisioning]\nurl = {url}\n[log]\nlevel = debug\n")


def agent(network, name, state, *more):
    return subprocess.run(
        in_namespace(network.namespace(name), BUILD / "bellhop-agent", "--once", "--state", state,
                     "--interface", "eth0", "--mac", HOSTS[name][1], "--model", "440HD",
                     "--version", "2.2.2", *more),
        capture_output=True, text=True, timeout=120, check=False)


def mac_of(name):
    return HOSTS[name][1].replace(":", "")


def claim(server, name):
    server.cli("device", "claim", mac_of(name), "--model", "440HD",
               "--set", "sip_registrar_ip=10.13.0.5", "--set", f"sip_lines.1.username={name}01",
               "--set", f"sip_lines.1.auth_username={name}01",
               "--set", "sip_lines.1.password=-", stdin=f"secret-of-{name}")


def test_three_phones_on_hosts_of_their_own():
    with Network(HOSTS) as network, tempfile.TemporaryDirectory() as folder, \
            Bellhopd(config("tftp://%{address}"), network.namespace("server")) as server:
        joins = subprocess.run(in_namespace(network.namespace("server"), "cat", "/proc/net/igmp"),
                               capture_output=True, text=True, check=True).stdout
        assert "4B0100E0" in joins.partition("eth0")[2], f"no IGMP membership on eth0:\n{joins}"
        claim(server, "b")
        claim(server, "c")

        state_b = Path(folder) / "b"
        done = agent(network, "b", state_b)
        assert done.returncode == 0, done.stdout + done.stderr
        wait_for("b to be fetched", lambda: server.device(mac_of("b"))["state"] == "fetched")
        assert "voip/line/0/id=b01" in (state_b / "phone.cfg").read_text()
        assert "secret-of-b" in (state_b / "phone.cfg").read_text()
        assert server.device(mac_of("b"))["identified_by"] in ("neighbour", "frame")

        server.reload(config("http://%{address}:8080/p/%{key}/"))
        state_c = Path(folder) / "c"
        done = agent(network, "c", state_c)
        assert done.returncode == 0, done.stdout + done.stderr
        wait_for("c to be fetched", lambda: server.device(mac_of("c"))["state"] == "fetched")
        assert "voip/line/0/id=c01" in (state_c / "phone.cfg").read_text()
        assert "secret-of-b" not in (state_c / "phone.cfg").read_text()

        # Nobody claimed d: silence, and it is listed as new.
        done = agent(network, "d", Path(folder) / "d")
        assert done.returncode != 0
        wait_for("d to be listed", lambda: server.device_or_none(mac_of("d")))
        assert server.device(mac_of("d"))["state"] == "new"
        assert server.device(mac_of("d"))["address"] == "10.13.2.39"
        assert "secret" not in server.log_text()


def seed_subscribe():
    for path in (CORPUS / "phones" / "seed-subscribe.sip",
                 SOURCE / "tests" / "fixtures" / "sip" / "seed-subscribe.sip"):
        if path.exists():
            return path.read_bytes()
    raise AssertionError("the manual's SUBSCRIBE is not among the fixtures")


GOLDEN_200 = b"""SIP/2.0 200 OK
Via: SIP/2.0/UDP 10.13.2.37:5060;rport=5060;branch=z9hG4bK-386d4398-6ad00ca2-7ca3606e;received=10.13.2.37
From: <sip:00000001@10.13.2.37:5060>;tag=87a5a8-25020d0a-13c4-50029-386d4398-66dc40c-386d4398
To: <sip:224.0.1.75:5060>;tag=<t>
Call-ID: 8884c8-25020d0a-13c4-50029-386d4398-3e2bcb8e-386d4398
CSeq: 1 SUBSCRIBE
Contact: <sip:10.13.4.121:5060>
Expires: 0
Content-Length: 0

"""
GOLDEN_NOTIFY = b"""NOTIFY sip:00000001@10.13.2.37:5060 SIP/2.0
Via: SIP/2.0/UDP 10.13.4.121:5060;branch=z9hG4bK<b>;rport
Max-Forwards: 70
From: <sip:224.0.1.75:5060>;tag=<t>
To: <sip:00000001@10.13.2.37:5060>;tag=87a5a8-25020d0a-13c4-50029-386d4398-66dc40c-386d4398
Call-ID: 8884c8-25020d0a-13c4-50029-386d4398-3e2bcb8e-386d4398
CSeq: 1 NOTIFY
Contact: <sip:10.13.4.121:5060>
Event: ua-profile;effective-by=0
Subscription-State: terminated;reason=timeout
Content-Type: application/url
Content-Length: 18

tftp://10.13.4.121"""


def without_server_header(message):
    return re.sub(rb"\r\nServer: [^\r\n]*", b"", message)


def test_golden_exchange_with_a_phone_never_spoken_to():
    """The manual's SUBSCRIBE, byte for byte, from 10.13.2.37; R-SEED, the golden exchange."""
    with Network(HOSTS) as network, \
            Bellhopd(config("tftp://%{address}"), network.namespace("server")) as server:
        claim(server, "b")
        neighbours = subprocess.run(
            in_namespace(network.namespace("server"), "ip", "neigh", "show", "10.13.2.37"),
            capture_output=True, text=True, check=True).stdout
        assert "lladdr" not in neighbours, neighbours
        with bound(network.namespace("b"), "10.13.2.37", 5060) as phone:
            phone.sendto(seed_subscribe(), GROUP)
            ok, source_ok = phone.recvfrom(65535)
            notify, source_notify = phone.recvfrom(65535)
            phone.sendto(answer_notify(notify), source_notify)
            assert source_ok == source_notify == (SERVER, 5060)
            ok = without_server_header(ok)
            found = matches(GOLDEN_200.replace(b"\n", b"\r\n"), ok)
            assert found, ok.decode()
            golden = GOLDEN_NOTIFY.replace(b"\n", b"\r\n").replace(b"<t>", found["t"])
            assert matches(golden, notify), notify.decode()
            assert len(headers(notify)[2]) == 18
            # A copy gets the same 200 and no second NOTIFY: what comes after it is the next 200.
            phone.sendto(seed_subscribe(), (SERVER, 5060))
            assert without_server_header(phone.recvfrom(65535)[0]) == ok
            phone.sendto(seed_subscribe(), (SERVER, 5060))
            assert without_server_header(phone.recvfrom(65535)[0]) == ok


def test_printed_form_by_device():
    """form = print: the octets of the manual's own 200 and NOTIFY."""
    with Network(HOSTS) as network, \
            Bellhopd(config("tftp://%{address}"), network.namespace("server")) as server:
        claim(server, "b")
        server.cli("device", "set", mac_of("b"), "--form", "print")
        with bound(network.namespace("b"), "10.13.2.37", 5060) as phone:
            phone.sendto(seed_subscribe(), GROUP)
            ok, _ = phone.recvfrom(65535)
            notify, source = phone.recvfrom(65535)
            phone.sendto(answer_notify(notify), source)
        via = (b"Via: SIP/2.0/UDP 10.13.2.37:5060;rport;"
               b"branch=z9hG4bK-386d4398-6ad00ca2-7ca3606e")
        assert via in ok and via in notify
        assert headers(ok)[1]["to"] == headers(notify)[1]["to"] == [b"<sip:224.0.1.75:5060>"]
        assert headers(ok)[1]["contact"] == [b"<sip:10.13.2.37:5060>"]
        assert notify.startswith(b"NOTIFY sip:10.13.2.37:5060 SIP/2.0\r\n")
        assert notify.endswith(b"Content-Length: 18\r\n\r\ntftp://10.13.4.121")
        expected = CORPUS / "phones" / "seed-notify.sip"
        if expected.exists():
            assert notify == expected.read_bytes(), notify.decode()


def test_a_phone_that_names_another_gets_nothing():
    """A SUBSCRIBE from c that names b's MAC: no answer, and the operator is told."""
    with Network(HOSTS) as network, \
            Bellhopd(config("tftp://%{address}"), network.namespace("server")) as server:
        claim(server, "b")
        forged = (b"SUBSCRIBE sip:MAC%3a00908F00000B@224.0.1.75 SIP/2.0\r\n"
                  b"Via: SIP/2.0/UDP 10.13.2.38:5060;branch=z9hG4bKforged;rport\r\n"
                  b"From: <sip:MAC%3a00908F00000B@224.0.1.75>;tag=1\r\n"
                  b"To: <sip:MAC%3a00908F00000B@224.0.1.75>\r\n"
                  b"Call-ID: forged@10.13.2.38\r\nCSeq: 1 SUBSCRIBE\r\n"
                  b'Event: ua-profile;profile-type="device";vendor="AudioCodes";model="440HD"\r\n'
                  b"Expires: 0\r\nAccept: application/url\r\n"
                  b"Contact: <sip:10.13.2.38:5060>\r\nContent-Length: 0\r\n\r\n")
        with bound(network.namespace("c"), "10.13.2.38", 5060) as phone:
            phone.sendto(forged, GROUP)
            wait_for("the refusal to be told",
                     lambda: "mac_conflict" in server.events())
            # Whatever was going to be sent to it has been sent by the time that OPTIONS is answered.
            phone.sendto(forged.replace(b"SUBSCRIBE", b"OPTIONS").replace(b"forged", b"other"),
                         (SERVER, 5060))
            reply, _ = phone.recvfrom(65535)
            assert b"OPTIONS" in reply.partition(b"CSeq:")[2].partition(b"\r\n")[0], reply.decode()
        assert server.device(mac_of("b"))["state"] == "claimed"


main(globals())
