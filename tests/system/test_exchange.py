#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The exchange over real sockets on loopback, where an operator's binding says who is who."""

import socket

from house import Bellhopd, answer_notify, free_port, headers, main, wait_for

MACS = {"127.0.0.2": "00908f000002", "127.0.0.3": "00908f000003", "127.0.0.4": "00908f000004"}


def start(more=""):
    port = free_port(socket.SOCK_DGRAM)
    http = free_port()
    server = Bellhopd(f"[sip]\nlisten = 127.0.0.1:{port}\ngroup = 224.0.1.75:{port}\n"
                      f"interfaces = lo\n{more}[http]\nlisten = 127.0.0.1:{http}\n[tftp]\nlisten =\n"
                      f"[https]\nlisten =\n"
                      f"[provisioning]\nurl = http://%{{address}}:{http}/p/%{{key}}/\n")
    for address, mac in list(MACS.items())[:2]:
        server.cli("device", "claim", mac, "--model", "440HD", "--address", address)
    return server, port


def phone_at(address):
    phone = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    phone.bind((address, 0))
    phone.settimeout(30)
    phone.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton("127.0.0.1"))
    return phone


def subscribe(phone, call, more=b"", event=b"ua-profile"):
    address, port = phone.getsockname()
    here = f"{address}:{port}".encode()
    return (b"SUBSCRIBE sip:224.0.1.75:5060 SIP/2.0\r\n"
            b"Via: SIP/2.0/UDP " + here + b";rport;branch=z9hG4bK" + call + b"\r\n"
            b"From: <sip:00000001@" + here + b">;tag=" + call + b"\r\n"
            b"To: <sip:224.0.1.75:5060>\r\nCall-ID: " + call + b"\r\nCSeq: 1 SUBSCRIBE\r\n"
            b"Expires: 0\r\nEvent: " + event + b';profile-type="application";model="440HD"\r\n'
            b"Max-Forwards: 70\r\nAccept: application/url\r\n"
            b"Contact: <sip:00000001@" + here + b">\r\n" + more + b"Content-Length: 0\r\n\r\n")


def is_served(phone, call, to):
    """Asks, and checks both answers."""
    phone.sendto(subscribe(phone, call), to)
    ok, _ = phone.recvfrom(65535)
    notify, source = phone.recvfrom(65535)
    phone.sendto(answer_notify(notify), source)
    assert ok.startswith(b"SIP/2.0 200 OK\r\n"), ok.decode()
    start_line, fields, body = headers(notify)
    assert start_line.startswith(b"NOTIFY "), notify.decode()
    assert fields["call-id"] == [call]
    assert fields["content-length"] == [str(len(body)).encode()]
    return body


def test_an_unreachable_phone_does_not_stop_the_next():
    """ICMP port unreachable for one phone's 200 and NOTIFY (R-3261-59, R-3261-79)."""
    server, port = start()
    with server:
        for i in range(20):
            gone = phone_at("127.0.0.2")
            gone.sendto(subscribe(gone, b"gone%d" % i), ("127.0.0.1", port))
            gone.close()
            with phone_at("127.0.0.3") as phone:
                assert is_served(phone, b"here%d" % i, ("127.0.0.1", port))
        wait_for("the phone that is gone to be told",
                 lambda: "unreachable" in server.events())


def test_padding_is_a_comment_in_server_and_can_be_off():
    for more, is_padded in (("", True), ("padding = off\n", False)):
        server, port = start(more)
        with server, phone_at("127.0.0.2") as phone:
            phone.sendto(subscribe(phone, b"padded"), ("127.0.0.1", port))
            ok, notify = (phone.recvfrom(65535)[0] for _ in range(2))
            assert headers(ok)[1]["server"][0].endswith(b".)") == is_padded, ok.decode()
            assert (len(ok) == len(notify)) == is_padded


def test_by_multicast_on_loopback_and_refusals_are_silence_there():
    server, port = start()
    with server, phone_at("127.0.0.2") as phone:
        group = ("224.0.1.75", port)
        body = is_served(phone, b"multicast", group)
        assert body.startswith(b"http://127.0.0.1:")
        key = server.device(MACS["127.0.0.2"])["key"]
        assert key.encode() in body
        # The same fault: 489 by unicast, silence by multicast.
        phone.sendto(subscribe(phone, b"wrong1", event=b"presence"), group)
        phone.sendto(subscribe(phone, b"wrong2", event=b"presence"), ("127.0.0.1", port))
        reply, _ = phone.recvfrom(65535)
        assert reply.startswith(b"SIP/2.0 489 ") and b"Call-ID: wrong2" in reply, reply.decode()
        assert b"Allow-Events: ua-profile" in reply
        assert key not in server.log_text() + server.events()


def test_a_stranger_is_refused_by_unicast_and_listed_by_nobody():
    """Loopback has no hardware address: a phone that nothing proves is not listed either."""
    server, port = start()
    with server, phone_at("127.0.0.4") as phone:
        phone.sendto(subscribe(phone, b"stranger"), ("127.0.0.1", port))
        reply, _ = phone.recvfrom(65535)
        assert reply.startswith(b"SIP/2.0 403 "), reply.decode()
        assert server.device_or_none(MACS["127.0.0.4"]) is None


def test_a_blocked_phone_gets_nothing_and_an_unblocked_one_its_url():
    server, port = start()
    with server, phone_at("127.0.0.2") as phone:
        server.cli("device", "block", MACS["127.0.0.2"])
        phone.sendto(subscribe(phone, b"blocked"), ("127.0.0.1", port))
        assert phone.recvfrom(65535)[0].startswith(b"SIP/2.0 403 ")
        server.cli("device", "unblock", MACS["127.0.0.2"])
        assert is_served(phone, b"again", ("127.0.0.1", port))


main(globals())
