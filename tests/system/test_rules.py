#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Rules that claim phones by themselves, pools of extensions, the import of devices, and the road of
a phone: over the network, at the command line, under load and through kill -9."""

import json
import socket
import tempfile
import threading
from pathlib import Path

from house import (SOURCE, Admin, Bellhopd, Network, answer_notify, free_port, headers, main, rows,
                   wait_for)
from phone import Phone

SERVER = "10.13.4.121"
HOSTS = {
    "server": (f"{SERVER}/16", "02:00:00:00:00:01"),
    "b": ("10.13.2.37/16", "00:90:8f:00:00:0b"),
    "c": ("10.13.2.38/16", "00:90:8f:00:00:0c"),
    "d": ("10.13.2.39/16", "00:90:8f:00:00:0d"),
}


def quiet():
    return (f"[sip]\nlisten = 127.0.0.1:{free_port(socket.SOCK_DGRAM)}\ngroup =\n"
            f"[http]\nlisten = 127.0.0.1:{free_port()}\n[https]\nlisten =\n[tftp]\nlisten =\n")


def phone_of(network, name):
    address, mac = HOSTS[name]
    return Phone(network.namespace(name), "audiocodes", address.partition("/")[0], mac)


def mac_of(name):
    return HOSTS[name][1].replace(":", "")


def history(server, mac):
    return server.cli("device", "history", mac).stdout


def test_a_phone_is_claimed_and_served():
    config = "[sip]\ninterfaces = eth0\n[log]\nlevel = debug\n"
    with Network(HOSTS) as network, Bellhopd(config, network.namespace("server")) as server:
        server.cli("profile", "set", "desk", "--set", "ntp_ip=10.13.0.9")
        server.cli("pool", "set", "office", "--range", "200-201")
        with tempfile.NamedTemporaryFile("w", suffix=".csv") as rows_file:
            rows_file.write("extension;password;display_name\r\n200;\"s3;cret\";Hall\r\n")
            rows_file.flush()
            server.cli("pool", "import", "office", rows_file.name)
        server.cli("rule", "set", "reception", "--mac", "00:90:8f", "--profile", "desk",
                   "--label", "Desk %{extension}", "--pool", "office")
        with phone_of(network, "b") as phone:
            # It asks, as phones do, with copies of one request until somebody answers.
            request = phone.subscribe()
            phone.ask(request)
            wait_for("the claim", lambda: server.device_or_none(mac_of("b")))
            assert server.device(mac_of("b"))["state"] == "claimed"
            # It may be told at once that there is something to fetch; its own question is what counts.
            phone.ask(request)
            url = ""
            while not url:
                message = phone.receive()[0]
                start, _, body = headers(message)
                assert start.startswith((b"SIP/2.0 200 ", b"NOTIFY ")), message
                if start.startswith(b"NOTIFY "):
                    url = body.decode().strip()
                    phone.socket.sendto(answer_notify(message), (SERVER, 5060))
            device = server.device(mac_of("b"))
            assert (device["claimed_by"], device["extension"], device["label"], device["profile"]) \
                == ("reception", "200", "Desk 200", "desk"), device
            assert device["settings"]["sip_lines.1.password"] == "********"
            status, text = phone.fetch(url)
            assert status == 200 and "s3;cret" in text, (status, text[:300])
            wait_for("the fetch", lambda: server.device(mac_of("b"))["state"] == "fetched")
        # Each member that an event has is in the description of the API.
        schema = json.loads((SOURCE / "core/admin/openapi.json").read_text(encoding="utf-8"))
        told = schema["components"]["schemas"]["event"]["properties"]
        for line in server.cli("--json", "events").stdout.splitlines():
            assert set(json.loads(line)) <= set(told), line
        steps = [line.split(" ", 1)[1] for line in history(server, mac_of("b")).splitlines()]
        road = [step for step in steps if " -> " in step]
        assert road[0].startswith(f"new -> claimed: by rule reception ({mac_of('b')}, "), steps
        assert road[1] == "claimed -> notified: its URL was sent", steps
        assert road[2].startswith("notified -> fetched: it fetched "), steps
        assert any(step.startswith("claimed_by_rule ") for step in steps), steps
        assert "s3;cret" not in history(server, mac_of("b")) + server.events() + server.log_text()

        # What was told is on disk, and a rule goes on after kill -9; then the pool is empty.
        server.kill()
        server.start()
        assert server.device(mac_of("b"))["extension"] == "200"
        assert history(server, mac_of("b")).splitlines()[0].split(" ", 1)[1] == steps[0]
        for name, state in (("c", "claimed"), ("d", "new")):
            with phone_of(network, name) as phone:
                phone.ask()
                wait_for(f"{name} to be listed",
                         lambda: (server.device_or_none(mac_of(name)) or {}).get("state") in
                         (state, "notified"))
        assert server.device(mac_of("c"))["extension"] == "201"
        assert "pool_empty" in server.events()
        assert "phone_appeared" in history(server, mac_of("d"))
        told = server.cli("rule", "test", mac_of("d")).stdout
        assert "no rule would claim it" in told and "its pool has no free number" in told, told
        # A number that is free again.
        server.cli("device", "remove", mac_of("b"))
        with phone_of(network, "d") as phone:
            phone.ask()
            wait_for("d to be claimed", lambda: server.device(mac_of("d"))["state"] != "new")
        assert server.device(mac_of("d"))["extension"] == "200"
        assert server.json("rule", "show", "reception")["used"] == 3


def test_rules_and_pools_at_the_command_line():
    with Bellhopd(quiet()) as server:
        server.cli("pool", "set", "p", "--range", "10-12,20")
        server.cli("rule", "set", "r", "--mac", "00908f,001565000000-0015650000fe",
                   "--model", "44*", "--pool", "p", "--set", "ntp_ip=10.0.0.1", "--priority", "7")
        server.cli("rule", "set", "r", "--set", "syslog_ip=10.0.0.2", "--enabled", "no")
        rule = server.json("rule", "show", "r")
        assert rule["mac"] == ["001565000000-0015650000fe", "00908f"], rule
        assert rule["settings"] == {"ntp_ip": "10.0.0.1", "syslog_ip": "10.0.0.2"}, rule
        assert (rule["priority"], rule["enabled"], rule["certainty"]) == (7, False, "seen"), rule
        assert "it is switched off" in server.cli("rule", "test", "00908f000001").stdout
        server.cli("rule", "set", "r", "--enabled", "yes", "--unset", "ntp_ip")
        told = server.json("rule", "test", "00908f000001", "--model", "440hd")
        assert told["claimed_by"] == "r", told
        told = server.cli("rule", "test", "00908f000001", "--model", "405").stdout
        assert "the model is not 44*" in told, told
        assert "00908f" in server.cli("rule", "show", "r").stdout
        listed = server.cli("rule", "list").stdout.splitlines()[1]
        assert " r " in listed and "00908f, model 44*" in listed and " yes " in listed, listed
        # A rule without a condition is not made unnoticed.
        told = server.cli("rule", "set", "all", "--enabled", "no").stdout
        assert told == "rule all is set: it claims every phone\n", told
        told = server.cli("rule", "set", "all", "--vendor", "snom", "--interface", "eth0").stdout
        assert told == "rule all is set: it claims vendor snom, interface eth0\n", told
        assert " no " in server.cli("rule", "list").stdout
        server.cli("rule", "remove", "all")

        claimed = server.cli("device", "claim", "00908f000001", "--pool", "p").stdout
        assert claimed == "00908f000001 is claimed, extension 10\n", claimed
        server.cli("device", "claim", "00908f000002", "--extension", "20")
        refused = server.cli("device", "claim", "00908f000003", "--extension", "20", check=False)
        assert refused.returncode == 1 and "another device has this number" in refused.stderr
        assert server.device_or_none("00908f000003") is None
        kept = server.cli("pool", "remove", "p", check=False)
        assert (kept.returncode, kept.stderr) == (
            1, "bellhop: rules still use it: p; remove them, or give them another with rule set "
            "NAME --pool\n"), kept
        assert "00908f000002" in server.cli("pool", "show", "p").stdout
        pool = server.json("pool", "list")[0]
        assert (pool["name"], pool["size"], pool["taken"]) == ("p", 4, 2), pool
        server.cli("rule", "remove", "r")
        server.cli("pool", "remove", "p")
        for usage in (("--enabled", "maybe"), ("--priority", "high"), ("--priority", "")):
            done = server.cli("rule", "set", "x", *usage, check=False)
            assert done.returncode == 2 and done.stderr.count("\n") == 1, (usage, done.stderr)
        for wrong in (("rule", "set", "x", "--certainty", "sure"),
                      ("rule", "set", "x", "--vendor", "nobody"),
                      ("rule", "set", "x", "--pool", "nobody"),
                      ("rule", "set", "x", "--label", "%{extension}"),
                      ("pool", "set", "x", "--range", "9-1"), ("rule", "show", "x")):
            done = server.cli(*wrong, check=False)
            assert done.returncode == 1 and done.stderr.count("\n") == 1, (wrong, done.stderr)


def imported(server, text, *more, check=True):
    return server.cli("device", "import", "-", *more, stdin=text, check=check)


def test_devices_are_imported_all_or_none():
    good = ("\ufeffmac,label,pool,sip_lines.1.display_name,address\r\n"
            '00:90:8F:00:00:01,"Hall, left",p,"He said ""hi""",\r\n\r\n'
            "00908f000002,,,,10.0.0.2\r\n")
    with Bellhopd(quiet()) as server:
        server.cli("pool", "set", "p", "--range", "1-1")
        told = imported(server, good, "--dry-run").stdout
        assert told == "2 devices would be claimed\n", told
        assert server.json("device", "list") == []
        assert imported(server, good).stdout == "2 devices are claimed\n"
        device = server.device("00908f000001")
        assert (device["label"], device["extension"], device["state"]) == \
            ("Hall, left", "1", "claimed"), device
        assert device["settings"]["sip_lines.1.display_name"] == 'He said "hi"'
        assert server.device("00908f000002")["bound_address"] == "10.0.0.2"
        assert "claimed: by uid " in history(server, "00908f000002")

        # What is wrong here, each line of it.
        bad = ("mac;model;ntp_ip\n00908f000003;440HD;10.0.0.9\nnobody;;\n00908f000003;;\n"
               "00908f000004;;not a host!\n00908f000005;a;b;c\n00908f000006;\"open\n")
        done = imported(server, bad, check=False)
        assert done.returncode == 1
        for line in (3, 4, 5, 6, 7):
            assert f"-, line {line}: " in done.stderr, (line, done.stderr)
        assert "-, line 2" not in done.stderr
        assert server.device_or_none("00908f000003") is None
        assert imported(server, bad, "--partial").stdout.startswith("1 device is claimed, 5 ")
        assert server.device("00908f000003")["model"] == "440HD"

        # What only the server knows.
        bad = "mac,profile,pool\n00908f000007,nobody,\n00908f000008,,p\n00908f000009,,\n"
        done = imported(server, bad, check=False)
        assert done.returncode == 1, done
        assert "-, line 2 (00908f000007): no such profile" in done.stderr, done.stderr
        assert "-, line 3 (00908f000008): the pool has no free number" in done.stderr, done.stderr
        assert server.device_or_none("00908f000009") is None
        # Both kinds at once are all named, so that one look at the file mends it.
        done = imported(server, bad + "nonsense,,\n", check=False)
        for line in ("2 (00908f000007)", "3 (00908f000008)", "5"):
            assert f"-, line {line}: " in done.stderr, (line, done.stderr)
        assert done.returncode == 1 and server.device_or_none("00908f000009") is None
        told = imported(server, bad, "--partial", "--dry-run").stdout
        assert told == "1 device would be claimed, 2 rows would be passed over\n", told
        assert imported(server, bad, "--partial").stdout.startswith("1 device is claimed, 2 ")
        assert server.device("00908f000009")["state"] == "claimed"
        for text in ("", "model\n440HD\n", "mac,colour\n00908f000001,red\n", "mac,mac\n1,2\n",
                     "mac\n", '"mac\n'):
            done = imported(server, text, check=False)
            assert done.returncode == 1 and done.stderr, text


def test_ten_thousand_devices_in_one_transaction():
    lines = "".join(f"0015{n:08x},Phone {n},p\n" for n in range(10000))
    with Bellhopd(quiet()) as server:
        server.cli("pool", "set", "p", "--range", "10000-19999")
        before = counter(server, "transactions")
        assert imported(server, "mac,label,pool\n" + lines).stdout == "10000 devices are claimed\n"
        assert counter(server, "transactions") - before <= 2
        assert server.device("00150000270f")["extension"] == "19999"
        numbers = rows(server.data / "bellhop.db", "SELECT count(DISTINCT extension) FROM "
                                                   "device_numbers")
        assert numbers == [(10000,)], numbers
        done = imported(server, "mac\n" + "".join(f"0016{n:08x}\n" for n in range(10001)),
                        check=False)
        assert done.returncode == 1 and "split it" in done.stderr, done.stderr


def counter(server, reason):
    with Admin(server) as admin:
        counters = admin.json("GET", "/api/v1/status")["counters"]
    return counters["store"][reason]


def test_no_number_is_shared_under_load_and_kill_9():
    config = quiet()
    acknowledged = {}
    with Bellhopd(config) as server:
        server.cli("pool", "set", "p", "--range", "1-400")

        def claim(first):
            try:
                with Admin(server) as admin:
                    for n in range(first, first + 100):
                        mac = f"00908f{n:06x}"
                        status, text = admin.ask("POST", f"/api/v1/devices/{mac}/claim",
                                                 {"pool": "p"})
                        if status == 200:
                            acknowledged[mac] = json.loads(text)["extension"]
                        if n % 3 == 0:
                            acknowledged.pop(mac, None)
                            admin.ask("DELETE", f"/api/v1/devices/{mac}")
            except OSError:
                pass  # killed

        threads = [threading.Thread(target=claim, args=(n * 100,)) for n in range(4)]
        for thread in threads:
            thread.start()
        wait_for("some claims", lambda: len(acknowledged) > 150)
        server.kill()
        for thread in threads:
            thread.join()
        server.start()
        found = dict(rows(Path(server.data) / "bellhop.db",
                          "SELECT mac, extension FROM device_numbers"))
        assert len(set(found.values())) == len(found), "a number is shared"
        for mac, extension in acknowledged.items():
            assert found.get(mac) == extension, (mac, extension, found.get(mac))
        assert server.json("pool", "list")[0]["taken"] == len(found)


main(globals())
