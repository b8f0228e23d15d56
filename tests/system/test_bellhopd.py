#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The server as an operator meets it: mistakes of the configuration, ports that are taken, signals,
and that an acknowledged change survives kill -9."""

import os
import re
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

from house import BUILD, PATIENCE_S, Bellhopd, free_port, main, wait_for

MAC = "00908f123456"


def quiet_config(**ports):
    """Doors on free loopback ports, nothing else."""
    sip = ports.get("sip") or free_port(socket.SOCK_DGRAM)
    http = ports.get("http") or free_port()
    tftp = ports.get("tftp") or free_port(socket.SOCK_DGRAM)
    return (f"[sip]\nlisten = 127.0.0.1:{sip}\ngroup =\n[http]\nlisten = 127.0.0.1:{http}\n"
            f"[tftp]\nlisten = 127.0.0.1:{tftp}\n[https]\nlisten =\n")


def run(*arguments):
    return subprocess.run([BUILD / "bellhopd", *map(str, arguments)], capture_output=True,
                          text=True, timeout=PATIENCE_S, check=False)


def test_help_and_version():
    assert run("--version").stdout.startswith("bellhopd ")
    done = run("--help")
    assert done.returncode == 0 and "--print-config" in done.stdout
    assert run("--nonsense").returncode == 2
    assert run("stray").returncode == 2


def test_check_tells_every_mistake_with_its_line():
    with tempfile.NamedTemporaryFile("w", suffix=".conf") as file:
        file.write("[sip]\nlisten = nonsense\n[log]\nlevel = loud\ncolour = red\n")
        file.flush()
        done = run("--check", "-c", file.name)
    assert done.returncode == 1
    for line in (f"{file.name}:2: [sip] listen is not legal; legal: one ADDRESS:PORT",
                 f"{file.name}:4: [log] level is not legal; legal: error, warning, info or debug",
                 f"{file.name}:5: [log] colour is no key; legal: level, format"):
        assert line in done.stderr, done.stderr


def test_without_vendor_packs_it_does_not_start():
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run([BUILD / "bellhopd", "--check", "-c", "/dev/null"], check=False,
                              capture_output=True, text=True, timeout=PATIENCE_S,
                              env={**os.environ, "BELLHOP_VENDORS": folder})
    assert done.returncode == 1 and "BELLHOP_VENDORS" in done.stderr, done.stderr


def test_check_refuses_a_url_longer_than_the_maker_takes():
    with tempfile.NamedTemporaryFile("w", suffix=".conf") as file:
        file.write("[provisioning]\nurl.audiocodes = http://%{address}/" + "x" * 120 + "/\n")
        file.flush()
        done = run("--check", "-c", file.name)
    assert done.returncode == 1 and "audiocodes" in done.stderr, done.stderr
    assert f"{file.name}:2: [provisioning] url" in done.stderr, done.stderr


def test_check_warns_of_what_is_dangerous():
    with tempfile.NamedTemporaryFile("w", suffix=".conf") as file:
        file.write("[provisioning]\nspoofed = serve\n")
        file.flush()
        done = run("--check", "-c", file.name)
    assert done.returncode == 0 and "spoofed = serve is dangerous" in done.stderr, done.stderr


def test_check_refuses_the_port_of_a_door_that_is_shut():
    with tempfile.NamedTemporaryFile("w", suffix=".conf") as file:
        file.write("[tftp]\nlisten =\n[provisioning]\nurl = tftp://%{address}:%{port}\n")
        file.flush()
        done = run("--check", "-c", file.name)
    assert done.returncode == 1 and "door" in done.stderr, done.stderr


def test_the_limits_of_the_configuration_are_those_of_the_doors():
    port = free_port()
    config = quiet_config(http=port) + "[limits]\nhttp_connections_per_source = 1\n"
    with Bellhopd(config), socket.create_connection(("127.0.0.1", port)) as first:
        first.sendall(b"GET /x HTTP/1.1\r\nHost: x\r\n\r\n")
        assert b" 404 " in first.recv(4096)
        with socket.create_connection(("127.0.0.1", port)) as second:
            second.settimeout(PATIENCE_S)
            assert b" 503 " in second.recv(4096)


def test_a_flood_of_refused_requests_fills_neither_log_nor_events():
    port = free_port()
    with Bellhopd(quiet_config(http=port)) as server:
        begin = time.monotonic()
        with socket.create_connection(("127.0.0.1", port)) as stranger:
            stranger.settimeout(PATIENCE_S)
            for _ in range(1000):
                stranger.sendall(b"GET /x HTTP/1.1\r\nHost: x\r\n\r\n")
                assert b" 404 " in stranger.recv(4096)
        told = server.log_text().count('"/x" refused')
        may_be_told = 200 + 10 * (time.monotonic() - begin) + 1
        assert 0 < told <= may_be_told, (told, may_be_told)
        left_out = re.search(r"left_out\W+(\d+)", server.cli("status").stdout)
        assert int(left_out[1]) == 1000 - told, (left_out, told)


def test_what_is_made_is_for_nobody_else():
    with Bellhopd(quiet_config()) as server:
        server.cli("device", "claim", MAC)
        server.cli("file", "add", __file__, "--name", "there/is.py")
        modes = {path: path.stat().st_mode & 0o777
                 for path in [server.data, *server.data.rglob("*")]}
        socket_mode = modes.pop(server.socket)
        assert socket_mode == 0o660, oct(socket_mode)
        assert all(mode & 0o077 == 0 for mode in modes.values()), modes


def test_a_data_folder_that_others_may_enter_is_told():
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "data").mkdir(mode=0o755)
        path = Path(folder) / "conf"
        path.write_text(f"[server]\ndata = {folder}/data\n" + quiet_config())
        with subprocess.Popen([BUILD / "bellhopd", "-c", path], stderr=subprocess.PIPE,
                              text=True) as process:
            told = next(line for line in process.stderr if "data_folder_open" in line
                        or " started" in line)
            process.terminate()
        assert "(mode 0755); chmod 0700 it" in told, told


def test_print_config_reads_back():
    with tempfile.NamedTemporaryFile("w", suffix=".conf") as file:
        file.write(run("--print-config", "-c", "/dev/null").stdout)
        file.flush()
        assert run("--check", "-c", file.name).returncode == 0
        assert run("--print-config", "-c", file.name).stdout == Path(file.name).read_text()


def test_a_taken_port_is_named_with_the_remedy():
    for kind, door in ((socket.SOCK_DGRAM, "sip"), (socket.SOCK_STREAM, "http"),
                       (socket.SOCK_DGRAM, "tftp")):
        with socket.socket(socket.AF_INET, kind) as taken, \
                tempfile.TemporaryDirectory() as folder:
            taken.bind(("127.0.0.1", 0))
            if kind == socket.SOCK_STREAM:
                taken.listen()
            port = taken.getsockname()[1]
            path = Path(folder) / "conf"
            path.write_text(f"[server]\ndata = {folder}/data\n" + quiet_config(**{door: port}))
            done = run("-c", path)
            assert done.returncode == 1, door
            assert f":{port}" in done.stderr, done.stderr


def test_sigterm_finishes_cleanly_and_sighup_with_a_mistake_changes_nothing():
    config = quiet_config()
    with Bellhopd(config) as server:
        server.write_config(config + "[log]\nlevel = loud\n")
        server.process.send_signal(signal.SIGHUP)
        wait_for("the refusal", lambda: "reload_refused" in server.log_text())
        assert server.json("status")
        server.reload(config)
        assert "take effect" not in server.log_text(), server.log_text()
        # What waits for a restart is named, and nothing else.
        server.reload(config + "[resync]\nrate = 7\n[limits]\nrules = 9\npools = 9\n"
                      "[provisioning]\nrouted = serve\nurl.snom = http://a/\n")
        assert ("conf; [resync] rate, [limits] rules, [limits] pools take effect at the next start\n"
                in server.log_text()), server.log_text()
        assert server.stop() == 0


def test_one_server_a_data_folder():
    with Bellhopd(quiet_config()) as server, tempfile.NamedTemporaryFile("w") as second:
        second.write(f"[server]\ndata = {server.data}\n" + quiet_config())
        second.flush()
        done = run("-c", second.name)
        assert done.returncode == 1 and str(server.data) in done.stderr, done.stderr
        assert server.json("status")


def test_acknowledged_changes_survive_kill_9():
    config = quiet_config()
    with Bellhopd(config) as server:
        for i in range(10):
            mac = f"00908f0000{i:02x}"
            server.cli("device", "claim", mac, "--label", f"round {i}",
                       "--set", "sip_lines.1.password=-", stdin=f"secret{i}")
            server.kill()
            server.start()
            assert server.device(mac)["label"] == f"round {i}"
            assert re.fullmatch("[0-9a-f]{32}", server.device(mac)["key"])
        assert len(server.json("device", "list")) == 10 or "devices" in server.json("device", "list")


def test_malformed_datagrams_are_counted_by_reason():
    port = free_port(socket.SOCK_DGRAM)
    with Bellhopd(quiet_config(sip=port)) as server, \
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        before = server.cli("status").stdout
        for datagram in (b"", b"\r\n\r\n", b"\0" * 40, b"SIP/2.0 200 OK\r\n\r\n",
                         b"GET / HTTP/1.1\r\n\r\n", b"SUBSCRIBE sip:x SIP/2.0\r\n\r\n"):
            stranger.sendto(datagram, ("127.0.0.1", port))
        wait_for("the counters to move", lambda: server.cli("status").stdout != before)
        assert server.process.poll() is None


main(globals())
