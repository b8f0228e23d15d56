#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""A PBX on the host that Bellhop runs on: Kamailio on 0.0.0.0:5060 hears the group as soon as
Bellhop has joined it. With the packet socket and nft's rule phones hear Bellhop alone."""

import contextlib
import socket
import subprocess
import tempfile
from pathlib import Path

from house import (BUILD, PATIENCE_S, SOURCE, Bellhopd, Network, in_namespace, main, program,
                   socket_in, wait_for)
from phone import GROUP, Phone, check_configuration, claim

SERVER = "10.13.4.121"
HOSTS = {
    "server": (f"{SERVER}/16", "02:00:00:00:00:01"),
    "b": ("10.13.2.37/16", "00:04:13:00:00:0b"),
}
MAC = "00:04:13:00:00:0b"
BESIDE = "listen = 0.0.0.0:5070\n"


def config(sip):
    return f"[sip]\ninterfaces = eth0\n{sip}[log]\nlevel = debug\n"


def rule():
    """The rule as the manual page prints it, so that what is printed is what is tested."""
    text = (SOURCE / "doc" / "pbx-beside.md").read_text(encoding="utf-8")
    start = text.index("   table inet bellhop_pbx\n")
    return "\n".join(line[3:] for line in text[start:text.index("   ```", start)].splitlines())


@contextlib.contextmanager
def house(sip):
    with Network(HOSTS) as network, \
            Bellhopd(config(sip), network.namespace("server")) as server:
        claim(server, MAC.replace(":", ""), "of-b")
        yield network, server


@contextlib.contextmanager
def kamailio(network, folder):
    """On 0.0.0.0:5060 of the server's host; refuses every request as a PBX without the package."""
    binary = program("kamailio")
    # Unpacked beside its wrapper, or installed.
    root = Path(binary).resolve().parents[1]
    modules = next(iter([*root.glob("usr/lib/*/kamailio/modules"),
                         *Path("/usr/lib").glob("*/kamailio/modules")]))
    (folder / "kamailio.cfg").write_text(
        "#!KAMAILIO\ndebug=0\nlog_stderror=yes\nfork=no\nchildren=1\ndisable_tcp=yes\n"
        f"auto_aliases=no\nlisten=udp:0.0.0.0:5060\nmpath=\"{modules}/\"\n"
        "loadmodule \"sl.so\"\n"
        "request_route {\n\tsl_send_reply(\"489\", \"Bad Event\");\n\texit;\n}\n",
        encoding="utf-8")
    with open(folder / "kamailio.log", "wb") as log:
        process = subprocess.Popen(
            in_namespace(network.namespace("server"), binary, "-f", folder / "kamailio.cfg",
                         "-DD", "-E", "-w", folder, "-Y", folder), stdout=log, stderr=log)
    try:
        wait_for("Kamailio to listen", lambda: "13C4" in udp_ports(network))
        yield
    except BaseException:
        print("#", (folder / "kamailio.log").read_text(errors="replace").replace("\n", "\n# "))
        raise
    finally:
        process.terminate()
        process.wait(timeout=PATIENCE_S)


def udp_ports(network):
    table = subprocess.run(
        in_namespace(network.namespace("server"), "cat", "/proc/net/udp"), capture_output=True,
        text=True, check=True).stdout
    return [line.split()[1].split(":")[1] for line in table.splitlines()[1:]
            if line.split()[1].startswith("00000000")]


def nft(network, *arguments, text=None):
    return subprocess.run(in_namespace(network.namespace("server"), program("nft"), *arguments),
                          input=text, capture_output=True, text=True, check=True).stdout


def phone_of(network):
    return Phone(network.namespace("b"), "snom", "10.13.2.37", MAC)


def hears_by(server):
    return [row["door"] for row in server.json("status")["listeners"]
            if row["door"].startswith("sip multicast")]


def counter(server, reason):
    return server.json("status")["counters"]["sip_socket"][reason]


def all_answers(phone, message=None):
    """Who answered one SUBSCRIBE, and how: {(port, start line)}; both servers are waited for."""
    phone.heard.clear()
    phone.ask(message)
    phone.flush((SERVER, 5070))
    phone.flush((SERVER, 5060))
    starts = [(source[1], heard.split(b"\r\n")[0][:11]) for heard, source in phone.heard
              if b"flush" not in heard]
    return set(starts)


def test_the_case_a_pbx_hears_the_group_too():
    """Both answer; which one is first is chance, and the phone takes that one."""
    with tempfile.TemporaryDirectory() as folder, house(BESIDE) as (network, server), \
            kamailio(network, Path(folder)), phone_of(network) as phone:
        assert hears_by(server) == ["sip multicast by packets"], hears_by(server)
        heard = all_answers(phone)
        assert (5060, b"SIP/2.0 489") in heard, heard
        assert (5070, b"SIP/2.0 200") in heard, heard
        assert (5070, b"NOTIFY sip:") in heard, heard
        # By UDP it is the same: a group socket of our own, which shares the port.
        server.stop()
        server.write_config(config(BESIDE + "group_socket = udp\n"))
        server.start()
        assert hears_by(server) == ["sip multicast"]
        heard = all_answers(phone)
        assert {(5060, b"SIP/2.0 489"), (5070, b"SIP/2.0 200")} <= heard, heard
        # Started after the PBX, the log says who holds the port.
        server.stop()
        server.write_config(config(BESIDE))
        server.start()
        assert "UDP port 5060: kamailio (pid " in server.log_text()


def test_with_the_rule_phones_hear_bellhop_alone():
    with tempfile.TemporaryDirectory() as folder, house(BESIDE) as (network, server), \
            kamailio(network, Path(folder)), phone_of(network) as phone:
        for _ in range(2):  # it may be loaded twice
            nft(network, "-f", "-", text=rule())
        status, url, source = phone.search()
        assert (status, source) == (200, (SERVER, 5070)), (status, source)
        status, text = phone.fetch(url)
        assert status == 200, (status, text)
        check_configuration("snom", text, "of-b")
        wait_for("the fetch", lambda: server.device("00041300000b")["state"] == "fetched")
        heard = all_answers(phone)
        assert heard and all(port == 5070 for port, _ in heard), heard
        dropped = nft(network, "list", "table", "inet", "bellhop_pbx")
        assert "counter packets 0 " not in dropped, dropped
        # The packet socket is why: by UDP the rule makes us deaf.
        server.stop()
        server.write_config(config(BESIDE + "group_socket = udp\n"))
        server.start()
        assert all_answers(phone) == set()


def fragmented(phone):
    return phone.subscribe().replace(b"User-Agent:", b"X-Long: " + b"x" * 3000 + b"\r\nUser-Agent:")


def test_packets_are_checked_as_the_kernel_would():
    """Fragments are put together; a wrong checksum is dropped and counted."""
    with house(BESIDE + "group_socket = packet\n") as (network, server), \
            phone_of(network) as phone:
        phone.ask(fragmented(phone))
        assert phone.receive()[0].startswith(b"SIP/2.0 200 ")
        payload = phone.subscribe()
        with contextlib.closing(raw_socket(network)) as raw:
            raw.sendto(udp_packet(phone, payload, checksum=0x1234), (GROUP[0], 0))
            wait_for("the count", lambda: counter(server, "group_checksum") == 1)
            phone.heard.clear()
            phone.flush((SERVER, 5070))
            # What is left of the first exchange: nothing of it knows this Call-ID.
            call_id = payload.split(b"Call-ID: ")[1].split(b"\r\n")[0]
            assert not any(call_id in heard for heard, _ in phone.heard)
            raw.sendto(udp_packet(phone, payload, checksum=0), (GROUP[0], 0))
            wait_for("the answer", lambda: any(call_id in heard for heard, _ in
                                               [phone.receive()]))


def raw_socket(network):
    return socket_in(network.namespace("b"), socket.SOCK_RAW, socket.AF_INET, socket.IPPROTO_UDP)


def udp_packet(phone, payload, checksum):
    return b"".join(value.to_bytes(2, "big") for value in
                    (phone.port, GROUP[1], 8 + len(payload), checksum)) + payload


def checksum(octets):
    total = sum(int.from_bytes(octets[i:i + 2], "big") for i in range(0, len(octets), 2))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def tagged_frame(phone, payload, vlan):
    """Ethernet with an 802.1Q tag, as it comes from a switch's trunk."""
    udp = udp_packet(phone, payload, checksum=0)
    head = bytes([0x45, 0]) + (20 + len(udp)).to_bytes(2, "big") + bytes([0, 0, 0, 0, 1, 17])
    ends = socket.inet_aton(phone.ip) + socket.inet_aton(GROUP[0])
    head += checksum(head + bytes(2) + ends).to_bytes(2, "big") + ends
    return (bytes.fromhex("01005e00014b") + bytes.fromhex(MAC.replace(":", "")) +
            b"\x81\x00" + vlan.to_bytes(2, "big") + b"\x08\x00" + head + udp)


def test_a_vlan_that_the_host_has_no_interface_for_is_not_heard():
    """As by UDP. VLAN 0 is no VLAN, but a priority."""
    for kind in ("udp", "packet"):
        with house(BESIDE + f"group_socket = {kind}\n") as (network, server), \
                phone_of(network) as phone, contextlib.closing(
                    socket_in(network.namespace("b"), socket.SOCK_RAW, socket.AF_PACKET)) as raw:
            raw.bind(("eth0", 0))
            raw.send(tagged_frame(phone, phone.subscribe(), 20))
            raw.send(tagged_frame(phone, phone.subscribe(), 0))
            assert phone.receive()[0].startswith(b"SIP/2.0 200 ")
            assert counter(server, "received_by_multicast") == 1


def test_a_port_that_another_program_has_alone():
    """224.0.1.75:5060 is bound and not shared: auto takes packets, udp says what is wrong."""
    with Network(HOSTS) as network, \
            contextlib.closing(socket_in(network.namespace("server"))) as other:
        other.bind(GROUP)
        address = f"listen = {SERVER}:5060\n"
        with Bellhopd(config(address), network.namespace("server")) as server:
            assert hears_by(server) == ["sip multicast by packets"]
            assert "its port is taken" in server.log_text()
        failed = start_and_fail(network, config(address + "group_socket = udp\n"))
        assert "UDP port 5060 on 224.0.1.75 is taken by another program" in failed, failed


def test_whoever_starts_first():
    """A PBX that shares its port with nobody finds it free while Bellhop runs beside it."""
    with house(BESIDE) as (network, _), phone_of(network) as phone, \
            contextlib.closing(socket_in(network.namespace("server"))) as pbx:
        pbx.bind(("0.0.0.0", 5060))
        assert phone.search()[0] == 200


def start_and_fail(network, text, *prefix):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "bellhop.conf"
        path.write_text(f"[server]\ndata = {folder}/data\n{text}", encoding="utf-8")
        done = subprocess.run(
            in_namespace(network.namespace("server"), *prefix, BUILD / "bellhopd", "-c", path),
            capture_output=True, text=True, timeout=PATIENCE_S, check=False)
        assert done.returncode not in (0, -15), done
        return done.stderr


def test_without_the_capability():
    """The error names the remedy; auto goes on by UDP and says so."""
    without = (program("setpriv"), "--bounding-set", "-net_raw", "--inh-caps", "-net_raw")
    with Network(HOSTS) as network:
        failed = start_and_fail(network, config(BESIDE + "group_socket = packet\n"), *without)
        assert "CAP_NET_RAW" in failed and "setcap" in failed, failed
        with NoRaw(config(BESIDE), network.namespace("server"), without) as server:
            assert hears_by(server) == ["sip multicast"]
            assert "group_by_udp" in server.log_text()


class NoRaw(Bellhopd):
    """A bellhopd that lacks CAP_NET_RAW."""

    def __init__(self, text, namespace, without):
        self.without = without
        super().__init__(text, namespace)

    def start(self):
        self.log = open(self.folder / "log", "ab")
        self.process = subprocess.Popen(
            in_namespace(self.namespace, *self.without, BUILD / "bellhopd", "-c",
                         self.config_path), stderr=self.log)
        wait_for("the admin socket", self._is_up)


main(globals())
