#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Foreign judges of our SIP: SIPp as a subscriber, and tshark over everything that we send."""

import os
import socket
import struct
import subprocess
import tempfile
from pathlib import Path

from house import (CORPUS, PATIENCE_S, SOURCE, Bellhopd, answer_notify, free_port, main,
                   program, wait_for)

MAC = "00908f123456"


def config(port, tftp, http):
    return (f"[sip]\nlisten = 127.0.0.1:{port}\ngroup = 224.0.1.75:{port}\n"
            f"interfaces = lo\n[http]\nlisten = 127.0.0.1:{http}\n"
            f"[tftp]\nlisten = 127.0.0.1:{tftp}\n[https]\nlisten =\n"
            f"[provisioning]\nurl = http://%{{address}}:{http}/p/%{{key}}/\n")


def start():
    port = free_port(socket.SOCK_DGRAM)
    server = Bellhopd(config(port, free_port(socket.SOCK_DGRAM), free_port()))
    return server, port


SCENARIO = """<?xml version="1.0" encoding="UTF-8"?>
<!-- SPDX-License-Identifier: MIT -->
<scenario name="a phone that subscribes to its profile">
  <send><![CDATA[
SUBSCRIBE sip:[remote_ip]:[remote_port] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];rport;branch=[branch]
From: <sip:00000001@[local_ip]:[local_port]>;tag=[call_number]
To: <sip:[remote_ip]:[remote_port]>
Call-ID: [call_id]
CSeq: 1 SUBSCRIBE
Max-Forwards: 70
Expires: 0
Event: ua-profile;profile-type="application";model="440HD";version="2.2.2"
Accept: application/url
Contact: <sip:00000001@[local_ip]:[local_port]>
User-Agent: AUDC-IPPhone/2.2.2
Content-Length: 0

]]></send>
  <recv response="200">
    <action>
      <ereg regexp="^ *0$" search_in="hdr" header="Expires:" check_it="true" assign_to="1"/>
      <ereg regexp="tag=" search_in="hdr" header="To:" check_it="true" assign_to="2"/>
    </action>
  </recv>
  <recv request="NOTIFY">
    <action>
      <ereg regexp="terminated;reason=timeout" search_in="hdr" header="Subscription-State:" check_it="true" assign_to="3"/>
      <ereg regexp="http://127" search_in="body" check_it="true" assign_to="4"/>
    </action>
  </recv>
  <send><![CDATA[
SIP/2.0 200 OK
[last_Via:]
[last_From:]
[last_To:]
[last_Call-ID:]
[last_CSeq:]
Content-Length: 0

]]></send>
  <Reference variables="1,2,3,4"/>
</scenario>
"""


def test_sipp_as_a_subscriber():
    sipp = program("sipp")
    server, port = start()
    with server, tempfile.TemporaryDirectory() as folder:
        server.cli("device", "claim", MAC, "--model", "440HD", "--address", "127.0.0.2")
        scenario = Path(folder) / "subscribe.xml"
        scenario.write_text(SCENARIO, encoding="utf-8")
        done = subprocess.run(
            [sipp, f"127.0.0.1:{port}", "-sf", scenario, "-i", "127.0.0.2",
             "-p", str(free_port(socket.SOCK_DGRAM, "127.0.0.2")), "-m", "20", "-r", "5",
             "-timeout", "60", "-nostdin", "-trace_err", "-error_file", Path(folder) / "errors"],
            cwd=folder, capture_output=True, text=True, timeout=120, check=False,
            env={**os.environ, "TERM": "dumb"})
        errors = Path(folder) / "errors"
        assert done.returncode == 0, (done.stdout[-3000:] + done.stderr[-1000:] +
                                      (errors.read_text()[-3000:] if errors.exists() else ""))
        wait_for("the phone to be notified",
                 lambda: server.device(MAC)["state"] == "notified")


def write_pcap(path, datagrams):
    """Datagrams as UDP in IPv4 from port 5060 to port 5060 (link type 101, raw IP)."""
    with open(path, "wb") as file:
        file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 101))
        for i, payload in enumerate(datagrams):
            length = 28 + len(payload)
            packet = struct.pack(">BBHHHBBH4s4sHHHH", 0x45, 0, length, i, 0, 64, 17, 0,
                                 bytes([127, 0, 0, 1]), bytes([127, 0, 0, 2]), 5060, 5060,
                                 length - 20, 0) + payload
            file.write(struct.pack("<IIII", i, 0, len(packet), len(packet)) + packet)


def collect(phone):
    """Everything that is there to be read."""
    replies = []
    phone.settimeout(0.2)
    try:
        while True:
            replies.append(phone.recvfrom(65535)[0])
    except socket.timeout:
        return replies


def test_tshark_finds_nothing_malformed_in_what_we_send():
    """Every answer to the corpus of mutants and to our own fixtures, from a bound phone."""
    tshark = program("tshark")
    server, port = start()
    sent = []
    messages = [path.read_bytes() for folder in
                (SOURCE / "tests" / "fixtures" / "sip", CORPUS / "subscribe-mutants", CORPUS / "rfc4475")
                if folder.is_dir() for path in sorted(folder.iterdir())
                if path.suffix in (".sip", ".dat")]
    assert messages
    with server, tempfile.TemporaryDirectory() as folder, \
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as phone:
        server.cli("device", "claim", MAC, "--model", "440HD", "--address", "127.0.0.2")
        phone.bind(("127.0.0.2", 0))
        here = f"127.0.0.2:{phone.getsockname()[1]}".encode()
        for i, message in enumerate(messages):
            if len(message) > 9000:
                continue
            # Each as a call of its own, from where the socket is.
            for address in (b"10.13.2.37:5060", b"192.0.2.10:5060", b"192.168.10.67:5060"):
                message = message.replace(address, here)
            message = message.replace(b"Call-ID: ", b"Call-ID: %d-" % i, 1)
            phone.sendto(message, ("127.0.0.1", port))
            if i % 20 == 19:
                for reply in collect(phone):
                    sent.append(reply)
                    if reply.startswith(b"NOTIFY"):
                        phone.sendto(answer_notify(reply), ("127.0.0.1", port))
        sent += collect(phone)
        kinds = {reply.split(b"\r\n", 1)[0].split(b" ", 2)[1][:3] for reply in sent
                 if reply.startswith(b"SIP/2.0")}
        assert {b"200", b"400", b"405", b"489"} <= kinds, kinds
        assert any(reply.startswith(b"NOTIFY") for reply in sent)

        pcap = Path(folder) / "sent.pcap"
        write_pcap(pcap, sent)
        def frames(expression):
            done = subprocess.run([tshark, "-n", "-r", pcap, "-Y", expression, "-T", "fields",
                                   "-e", "frame.number", "-e", "_ws.expert.message"],
                                  capture_output=True, text=True, timeout=PATIENCE_S * 4,
                                  check=False)
            assert done.returncode == 0, done.stderr[-2000:]
            return done.stdout.splitlines()
        assert len(frames("sip")) == len(sent)
        malformed = frames("_ws.malformed or (_ws.expert.severity >= 0x00800000)")
        # A 400 has to copy the Via whose port was at fault.
        malformed = [line for line in malformed
                     if not ("Via sent-by-port" in line
                             and sent[int(line.split()[0]) - 1].startswith(b"SIP/2.0 400 Bad Via"))]
        assert not malformed, [(line, sent[int(line.split()[0]) - 1]) for line in malformed[:5]]


main(globals())
