#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""bellhop doctor: each fault is made on purpose, on a host of its own, and is found; a sound host
has none."""

import contextlib
import ctypes
import json
import os
import socket
import subprocess
import tempfile
import time
from pathlib import Path

from house import (BUILD, LIBC, PATIENCE_S, Bellhopd, Network, Skip, headers, in_namespace, ip,
                   main, make_certificate, program, socket_in, wait_for)
from phone import GROUP, Phone

SERVER = "10.13.4.121"
CLOCK = os.environ.get("BELLHOP_CLOCK_LIBRARY", "")
CLONE_NEWNS = 0x00020000
# No clock of this machine counts, unless the test is about the clock.
SOUND_CLOCK = {"LD_PRELOAD": CLOCK, "BELLHOP_CLOCK_STATUS": "0", "ASAN_OPTIONS":
               os.environ.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0"}


@contextlib.contextmanager
def host():
    """A server's host and another one on the same switch."""
    with Network({"server": (f"{SERVER}/16", "02:00:00:00:00:01"),
                  "other": ("10.13.0.9/16", "02:00:00:00:00:09")}) as network:
        yield network


@contextlib.contextmanager
def running(config=""):
    with host() as network, Bellhopd(config, network.namespace("server")) as server:
        yield network, server


def consult(network, socket_path="/nowhere", *words, variables=None, user=()):
    """(exit code, findings) of a doctor on the server's host; `user` is a command that becomes
    another one."""
    done = subprocess.run(
        in_namespace(network.namespace("server"), *user, BUILD / "bellhop", "--socket", socket_path,
                     "--json", "doctor", *words),
        capture_output=True, text=True, timeout=4 * PATIENCE_S, check=False,
        env={**os.environ, **SOUND_CLOCK, **(variables or {})})
    assert done.stdout, done
    return done.returncode, json.loads(done.stdout)


def found(findings, level, check, *words):
    rows = [row for row in findings if row["level"] == level and row["check"] == check and
            all(word in row["text"] + (row["what_to_do"] or "") for word in words)]
    assert rows, (level, check, words, findings)
    return rows[0]


def none_of(findings, *levels):
    rows = [row for row in findings if row["level"] in levels]
    assert not rows, rows


def test_a_sound_host_has_no_fault():
    with running() as (network, server):
        code, findings = consult(network, server.socket)
        none_of(findings, "fault", "warning", "skipped")
        assert code == 0, findings
        found(findings, "ok", "config", str(server.config_path))
        found(findings, "ok", "interface", "eth0", SERVER, "joined")
        found(findings, "ok", "firewall", "eth0")
        found(findings, "ok", "dhcp", "no DHCP server")
        for door in ("sip", "http", "tftp"):
            found(findings, "ok", "port", door)


def test_a_server_in_another_network_namespace():
    with running() as (network, server):
        _, findings = consult(network, server.socket)
        none_of(findings, "fault")
        done = subprocess.run(
            in_namespace(network.namespace("other"), BUILD / "bellhop", "--socket", server.socket,
                         "--json", "doctor"), capture_output=True, text=True, check=False,
            env={**os.environ, **SOUND_CLOCK})
        row = found(json.loads(done.stdout), "fault", "server", "another network namespace")
        assert f"--target {server.process.pid} " in row["what_to_do"], row
        assert done.returncode == 1, done


def test_a_person_reads_faults_and_remedies():
    with host() as network:
        done = subprocess.run(
            in_namespace(network.namespace("server"), BUILD / "bellhop", "--socket", "/nowhere",
                         "doctor"), capture_output=True, text=True, check=False)
        assert done.returncode == 1 and done.stderr == "", done
        assert "FAULT    server     no bellhopd answers" in done.stdout, done.stdout
        assert "-> start it" in done.stdout and "1 fault" in done.stdout, done.stdout


def test_an_interface_without_multicast():
    with running() as (network, server):
        ip("-n", network.namespace("server"), "link", "set", "eth0", "multicast", "off")
        code, findings = consult(network, server.socket)
        assert code == 1
        found(findings, "fault", "interface", "no interface is up and does multicast")
        found(findings, "warning", "interface", "eth0", "multicast on")
        server.write_config("[sip]\ninterfaces = eth0 eth7\n")
        _, findings = consult(network, server.socket)
        found(findings, "fault", "interface", "eth0 does no multicast")
        found(findings, "warning", "interface", "there is no interface eth7")


def test_an_interface_that_is_down_or_has_no_address():
    with running() as (network, server):
        server.write_config("[sip]\ninterfaces = eth0\n")
        ip("-n", network.namespace("server"), "address", "flush", "dev", "eth0")
        _, findings = consult(network, server.socket)
        found(findings, "fault", "interface", "eth0 has no IPv4 address")
        ip("-n", network.namespace("server"), "link", "set", "eth0", "down")
        code, findings = consult(network, server.socket)
        found(findings, "fault", "interface", "eth0 is down")
        assert code == 1


def test_a_join_that_is_missing():
    with running("[sip]\ninterfaces = lo\n") as (network, server):
        server.write_config("[sip]\ninterfaces = eth0\n")  # as if it had failed to join
        code, findings = consult(network, server.socket)
        found(findings, "fault", "interface", "not joined on eth0", "igmp_max_memberships")
        found(findings, "skipped", "firewall", "not joined")  # and no firewall is blamed
        assert code == 1


def test_a_port_that_is_taken():
    with host() as network:
        with contextlib.closing(socket_in(network.namespace("server"))) as holder, \
                contextlib.closing(socket_in(network.namespace("server"),
                                             socket.SOCK_STREAM)) as web:
            holder.bind(("0.0.0.0", 5060))
            web.bind(("0.0.0.0", 8080))
            web.listen()
            code, findings = consult(network)
        found(findings, "fault", "port", "UDP 0.0.0.0:5060 is taken", f"process {os.getpid()}")
        found(findings, "fault", "port", "TCP 0.0.0.0:8080 is taken")
        found(findings, "ok", "port", "UDP 0.0.0.0:69 is free")
        assert code == 1


def test_a_pbx_that_shares_its_port():
    a_pbx_on_the_same_host(True)


def test_a_pbx_that_has_its_port_alone():
    a_pbx_on_the_same_host(False)


def a_pbx_on_the_same_host(is_shared):
    config = "[sip]\nlisten = 0.0.0.0:5070\n"
    with host() as network, contextlib.closing(socket_in(network.namespace("server"))) as pbx:
        pbx.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, is_shared)
        pbx.bind(("0.0.0.0", 5060))
        with Bellhopd(config, network.namespace("server")) as server:
            _, findings = consult(network, server.socket)
            row = found(findings, "warning", "pbx", f"process {os.getpid()}", "UDP port 5060",
                        "224.0.1.75")
            # What hears packets stands before the firewall: neither now nor with the rule is
            # anything dropped that we want, and the remedy is not to undo the other one.
            found(findings, "ok", "firewall", "packet socket")
            none_of(findings, "fault")
            rule = row["what_to_do"].split(":\n", 1)[1]
            nft(network, "-f", "-", rules=rule)  # what it prints is a rule
            # With it there is nothing left to do: neither is told to be mended.
            code, findings = consult(network, server.socket)
            found(findings, "ok", "pbx", f"process {os.getpid()}", "by packets")
            found(findings, "ok", "firewall", "packet socket")
            none_of(findings, "fault", "warning", "skipped")
            assert code == 0
            if not is_shared:
                return
            # By UDP that very rule makes the server deaf, and that is told.
            server.stop()
            server.write_config(f"{config}group_socket = udp\n")
            server.start()
            code, findings = consult(network, server.socket)
            found(findings, "warning", "pbx", "group_socket = packet")
            found(findings, "fault", "firewall", "eth0", "group_socket = packet")
            assert code == 1


def nft(network, *arguments, rules=None):
    done = subprocess.run(in_namespace(network.namespace("server"), program("nft"), *arguments),
                          input=rules, capture_output=True, text=True, check=False)
    if "Operation not supported" in done.stderr or "not permitted" in done.stderr:
        raise Skip(f"nft cannot be used here: {done.stderr.strip()}")
    assert done.returncode == 0, done


def test_a_firewall_that_drops_the_group():
    with running() as (network, server):
        nft(network, "-f", "-", rules="table inet wall {\nchain in {\ntype filter hook input "
                                      "priority 0;\nudp dport 5060 drop\n}\n}\n")
        code, findings = consult(network, server.socket)
        found(findings, "fault", "firewall", "eth0", "drops")
        assert code == 1
        nft(network, "flush", "ruleset")
        code, findings = consult(network, server.socket)
        found(findings, "ok", "firewall", "eth0")


def test_a_bridge_that_snoops_without_a_querier():
    with running() as (network, server):
        there = network.namespace("server")
        ip("-n", there, "link", "add", "br9", "type", "bridge", "mcast_snooping", "1")
        ip("-n", there, "link", "add", "port9", "type", "veth", "peer", "name", "end9")
        ip("-n", there, "link", "set", "end9", "up")
        ip("-n", there, "link", "set", "port9", "master", "br9", "up")
        ip("-n", there, "link", "set", "br9", "up")
        _, findings = consult(network, server.socket)
        found(findings, "note", "bridge", "br9", "mcast_querier")


@contextlib.contextmanager
def dhcp_server(network, *options):
    with tempfile.TemporaryDirectory(prefix="bellhop-test-") as folder:
        command = [program("dnsmasq"), "--no-daemon", "--conf-file=/dev/null", "--port=0",
                   "--interface=eth0", "--bind-interfaces", "--dhcp-authoritative",
                   "--dhcp-range=10.13.9.1,10.13.9.200,255.255.0.0,1h",
                   f"--dhcp-leasefile={folder}/leases", "--log-facility=-", "--user=root",
                   *[f"--dhcp-option={option}" for option in options]]
        with open(Path(folder) / "log", "wb") as log:
            process = subprocess.Popen(in_namespace(network.namespace("other"), *command),
                                       stdout=log, stderr=log)
        try:
            wait_for("dnsmasq", lambda: b"DHCP, IP range" in (Path(folder) / "log").read_bytes())
            yield
            assert not (Path(folder) / "leases").read_text(encoding="utf-8"), "a lease was taken"
        finally:
            process.terminate()
            process.wait(timeout=PATIENCE_S)


def test_dhcp_options_that_outrank_us():
    with running() as (network, server), \
            dhcp_server(network, "66,http://192.0.2.9/prov", "160,http://192.0.2.9/", "43,abc"):
        _, findings = consult(network, server.socket)
        found(findings, "warning", "dhcp", "10.13.0.9 on eth0", "option 66",
              '"http://192.0.2.9/prov"', "AudioCodes", "bellhop dhcp")
        found(findings, "warning", "dhcp", "option 160")
        found(findings, "warning", "dhcp", "option 43")


def test_dhcp_options_that_lead_here():
    with running() as (network, server), \
            dhcp_server(network, f"66,http://{SERVER}:8080/", f"150,{SERVER}"):
        _, findings = consult(network, server.socket)
        found(findings, "ok", "dhcp", "option 66", "which is us")
        none_of([row for row in findings if row["check"] == "dhcp"], "warning", "skipped")


def rsa_certificate(folder, days):
    certificate, key = Path(folder) / "rsa.pem", Path(folder) / "rsa.key"
    subprocess.run([program("openssl"), "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days",
                    str(days), "-subj", "/CN=bellhop", "-keyout", key, "-out", certificate],
                   check=True, capture_output=True)
    return certificate, key


def test_tls_that_old_phones_cannot_speak():
    with tempfile.TemporaryDirectory(prefix="bellhop-test-") as folder:
        certificate, key = make_certificate(folder, SERVER)
        with running(f"[https]\ncertificate = {certificate}\nkey = {key}\n") as (network, server):
            code, findings = consult(network, server.socket)
            found(findings, "warning", "tls", "no elliptic curves", "cannot speak to us")
            found(findings, "note", "tls", "TLS 1.0", "cannot speak to us")
            found(findings, "ok", "tls", "TLS 1.2")
            found(findings, "note", "tls", "signed by itself")
            found(findings, "warning", "tls", "ends in 1 days")
            assert code == 0, findings


def test_tls_that_phones_can_speak_until_the_certificate_ends():
    with tempfile.TemporaryDirectory(prefix="bellhop-test-") as folder:
        certificate, key = rsa_certificate(folder, 400)
        with running(f"[https]\ncertificate = {certificate}\nkey = {key}\n") as (network, server):
            _, findings = consult(network, server.socket)
            found(findings, "ok", "tls", "no elliptic curves")
            found(findings, "ok", "tls", "good for 399 days")
            in_years = {"BELLHOP_CLOCK": str(int(time.time()) + 500 * 86400)}
            code, findings = consult(network, server.socket, variables=in_years)
            found(findings, "fault", "tls", "ended 10")
            assert code == 1


def test_phones_behind_a_router():
    with running() as (network, server):
        there, here = network.namespace("other"), network.namespace("server")
        ip("-n", there, "address", "add", "192.0.2.50/32", "dev", "lo")
        ip("-n", here, "route", "add", "192.0.2.0/24", "via", "10.13.0.9")
        _, findings = consult(network, server.socket)
        found(findings, "ok", "phones")
        with Phone(there, "snom", "192.0.2.50", "00:04:13:00:00:11") as phone:
            phone.ask(to=(SERVER, 5060))
            phone.flush((SERVER, 5060))
            wait_for("the phone to be listed", lambda: server.json("device", "unidentified"))
        code, findings = consult(network, server.socket)
        found(findings, "warning", "phones", "192.0.2.50", "behind a router", "--address")
        assert code == 0, findings


def test_a_claimed_phone_that_was_last_seen_behind_a_router():
    """It was on our link; now it fetches from elsewhere. Bound to its address nothing is amiss."""
    mac = "00041300000a"
    with running() as (network, server):
        server.cli("device", "claim", mac)
        server.cli("device", "claim", "-", stdin="".join(  # more than come in one answer
            f"000001{number:06x}\n" for number in range(1000)))
        _, findings = consult(network, server.socket)
        found(findings, "ok", "phones")
        there, here = network.namespace("other"), network.namespace("server")
        ip("-n", there, "address", "add", "192.0.2.50/32", "dev", "lo")
        ip("-n", here, "route", "add", "192.0.2.0/24", "via", "10.13.0.9")
        server.cli("device", "set", mac, "--address", "192.0.2.50")
        with Phone(there, "snom", "192.0.2.50", mac) as phone:
            assert phone.search((SERVER, 5060))[0] == 200
            wait_for("the sighting", lambda: server.device(mac)["address"] == "192.0.2.50")
        _, findings = consult(network, server.socket)
        found(findings, "ok", "phones")
        server.cli("device", "set", mac, "--address", "")
        code, findings = consult(network, server.socket)
        found(findings, "warning", "phones", "1 phone, e.g. at 192.0.2.50, is behind a router")
        assert code == 0, findings


def test_a_canary_that_is_sent_or_not():
    with running("[sip]\ncanary = 0\n") as (network, server):
        code, findings = consult(network, server.socket)
        found(findings, "note", "canary", "would not be found", "canary = 15m")
        assert code == 0
        server.stop()
        server.write_config("[sip]\ncanary = 1s\n")
        server.start()
        wait_for("a canary", lambda: server.json("status")["counters"]["canary"]["sent"])
        _, findings = consult(network, server.socket)
        found(findings, "ok", "canary", "no other server answers")


def test_several_interfaces_of_which_one_has_not_joined():
    with host() as network:
        network.plug_in("server", "eth1", "br0", "02:00:00:00:00:02", "10.14.0.1/16")
        with Bellhopd("[sip]\ninterfaces = eth0\n", network.namespace("server")) as server:
            server.write_config("[sip]\ninterfaces = eth0 eth1\n")  # as if one had failed
            code, findings = consult(network, server.socket)
            found(findings, "ok", "interface", f"eth0 ({SERVER})", "the group is joined there")
            found(findings, "fault", "interface", "not joined on eth1 (10.14.0.1)")
            found(findings, "ok", "firewall", "eth0")
            found(findings, "skipped", "firewall", "eth1", "not joined")
            assert code == 1 and len([row for row in findings if row["level"] == "fault"]) == 1


def nobody(group):
    """A user without any right, in a group."""
    return (program("setpriv"), "--reuid=65534", f"--regid={group}", "--clear-groups",
            "--bounding-set=-all", "--inh-caps=-all")


def test_a_user_without_root_who_may_not_ask_the_server():
    """What cannot be looked at is said to be so: no fault is made of it."""
    with running() as (network, server):
        code, findings = consult(network, server.socket, user=nobody(65534))
        found(findings, "skipped", "server", "may not ask it", "run it as root")
        found(findings, "skipped", "port", "cannot be told")
        found(findings, "skipped", "firewall", "cannot be tried")
        found(findings, "skipped", "dhcp", "eth0", "CAP_NET_RAW")
        found(findings, "skipped", "pbx", "cannot see", "5060")
        found(findings, "ok", "interface", "eth0")
        none_of(findings, "fault")
        assert code == 0
        _, findings = consult(network, server.socket, server.config_path, user=nobody(65534))
        found(findings, "skipped", "config", str(server.config_path), "may not be read")
        none_of(findings, "fault")


def test_a_user_of_the_group_of_the_server_and_a_pbx_of_another():
    with running("[sip]\nlisten = 0.0.0.0:5070\n") as (network, server), \
            contextlib.closing(socket_in(network.namespace("server"))) as pbx:
        for folder in (server.folder, server.data):
            os.chmod(folder, 0o710)
        _, findings = consult(network, server.socket, user=nobody(0))
        found(findings, "ok", "server", f"process {server.process.pid}")
        found(findings, "ok", "port", "sip")
        none_of(findings, "fault", "warning")
        none_of([row for row in findings if row["check"] == "pbx"], "skipped")
        pbx.bind(("0.0.0.0", 5060))
        _, findings = consult(network, server.socket, user=nobody(0))
        found(findings, "skipped", "pbx", "cannot see")
        none_of(findings, "fault", "warning")


def test_a_second_responder():
    with host() as network, contextlib.closing(socket_in(network.namespace("other"))) as rogue:
        rogue.bind(GROUP)
        rogue.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP,
                         socket.inet_aton(GROUP[0]) + socket.inet_aton("10.13.0.9"))
        rogue.settimeout(PATIENCE_S)
        with Bellhopd("[sip]\ncanary = 1s\n", network.namespace("server")) as server:
            subscribe, source = rogue.recvfrom(65535)
            _, fields, _ = headers(subscribe)
            lines = [b"SIP/2.0 489 Bad Event"]
            for name in ("via", "from", "to", "call-id", "cseq"):
                lines += [name.title().encode() + b": " + value for value in fields[name]]
            rogue.sendto(b"\r\n".join(lines + [b"Content-Length: 0", b"", b""]), source)
            wait_for("the alarm", lambda: server.json("status")["warnings"])
            _, findings = consult(network, server.socket)
            found(findings, "warning", "canary", "rogue responder", "10.13.0.9 on eth0", "stop it")
            none_of([row for row in findings if row["check"] == "server"], "warning")  # told once


def test_a_clock_that_is_wrong():
    with running() as (network, server):
        code, findings = consult(network, server.socket, variables={"BELLHOP_CLOCK": "1000"})
        found(findings, "fault", "clock", "1970-01-01T00:16:40Z")
        assert code == 1
        _, findings = consult(network, server.socket, variables={"BELLHOP_CLOCK_STATUS": "64"})
        found(findings, "warning", "clock", "nothing keeps it right")


def test_a_disk_that_is_full_or_cannot_be_written():
    if os.geteuid() != 0 or LIBC.unshare(CLONE_NEWNS) != 0:
        raise Skip(f"no mount namespace may be made here: {os.strerror(ctypes.get_errno())}")
    subprocess.run(["mount", "--make-rprivate", "/"], check=True)
    with host() as network, tempfile.TemporaryDirectory(prefix="bellhop-test-") as folder:
        data = Path(folder) / "data"
        config = Path(folder) / "bellhop.conf"
        data.mkdir()
        config.write_text(f"[server]\ndata = {data}\n", encoding="utf-8")
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", data], check=True)
        try:
            (data / "big").write_bytes(b"x" * 2_000_000)
            _, findings = consult(network, "/nowhere", str(config))
            found(findings, "fault", "disk", str(data), "is full")
            subprocess.run(["mount", "-o", "remount,ro", data], check=True)
            _, findings = consult(network, "/nowhere", str(config))
            found(findings, "fault", "disk", "can only be read")
        finally:
            subprocess.run(["umount", data], check=True)


def test_a_configuration_with_a_mistake():
    with running() as (network, server):
        server.write_config("[sip]\ncolour = red\n")
        code, findings = consult(network, server.socket)
        found(findings, "fault", "config", "bellhop.conf:4", "colour")
        assert code == 1


main(globals())
