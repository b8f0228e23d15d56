#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""`bellhop backup` and `bellhop restore` against a server that serves phones meanwhile."""

import contextlib
import http.client
import json
import os
import socket
import sqlite3
import subprocess
import threading
from pathlib import Path

from house import BUILD, PATIENCE_S, Bellhopd, free_port, main, rows, wait_for

MAC = "00908f123456"


def config(http, sip=None):
    return (f"[sip]\nlisten = 127.0.0.1:{sip or free_port(socket.SOCK_DGRAM)}\ngroup =\n"
            f"[http]\nlisten = 127.0.0.1:{http}\n[https]\nlisten =\n[tftp]\nlisten =\n")


def fetch(port, path):
    """(status, body) of what a phone would ask for."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def claim(server, mac, *more):
    server.cli("device", "claim", mac, "--vendor", "audiocodes", "--model", "440HD",
               "--set", "sip_lines.1.username=201", *more)
    return f"/p/{server.device(mac)['key']}/{mac}.cfg"


def test_a_backup_is_one_private_file_that_tells_what_it_holds():
    with Bellhopd(config(free_port())) as server:
        claim(server, MAC)
        server.cli("profile", "set", "office", "--set", "timezone=Europe/Berlin")
        path = server.folder / "bellhop.bak"
        done = server.cli("backup", path)
        schema = rows(path, "PRAGMA user_version")[0][0]
        assert done.stdout.startswith(f"{path}: 1 devices, 1 profiles, schema {schema}, "), done.stdout
        assert path.stat().st_mode & 0o777 == 0o600
        assert f" {path.stat().st_size} bytes" in done.stdout
        assert sorted(item.name for item in server.folder.iterdir()) == [
            "bellhop.bak", "bellhop.conf", "data", "log"]
        assert rows(path, "PRAGMA integrity_check") == [("ok",)]
        assert rows(path, "SELECT mac FROM devices") == [(MAC,)]
        # It is not replaced by accident.
        refused = server.cli("backup", path, check=False)
        assert refused.returncode == 1 and "--force" in refused.stderr, refused.stderr
        told = server.json("backup", path, "--force")
        assert told == {"file": str(path), "devices": 1, "profiles": 1, "schema": schema,
                        "bytes": path.stat().st_size}, told
        # To a pipe, for whoever wants to send it on.
        piped = subprocess.run([BUILD / "bellhop", "--socket", server.socket, "backup", "-"],
                               capture_output=True, timeout=PATIENCE_S, check=True).stdout
        assert piped[:16] == b"SQLite format 3\0" and len(piped) == told["bytes"]
        missing = server.cli("backup", server.folder / "none" / "x", check=False)
        assert missing.returncode == 1 and "No such file" in missing.stderr, missing.stderr


def test_a_restore_puts_back_what_was_while_phones_are_served():
    port = free_port()
    with Bellhopd(config(port)) as server:
        url = claim(server, MAC)
        before = fetch(port, url)
        assert before[0] == 200 and b"201" in before[1]
        server.cli("file", "add", __file__, "--name", "ring.wav")
        path = server.folder / "bellhop.bak"
        server.cli("backup", path)
        server.cli("device", "remove", MAC)
        assert fetch(port, url)[0] == 404
        other = claim(server, "00908f000002")
        told = server.json("restore", path)
        assert told["devices"] == 1 and told["bytes"] == path.stat().st_size, told
        kept = Path(told["kept"])
        assert kept.parent == server.data and kept.name.startswith("bellhop.db.before-restore-2")
        assert kept.stat().st_mode & 0o777 == 0o600
        assert fetch(port, url)[0] == 200
        assert fetch(port, other)[0] == 404
        # Files are not part of it, and stay.
        assert [file["name"] for file in server.json("file", "list")] == ["ring.wav"]
        assert "database_restored" in server.events()
        assert "database_restored" in server.log_text()
        # What was is a backup like any other: the other phone, and the removed one that asked again.
        assert server.json("restore", kept)["devices"] == 2
        assert fetch(port, other)[0] == 200
        audit = rows(server.data / "bellhop.db", "SELECT who FROM audit WHERE what = 'restore'")
        assert audit == [(f"uid {os.getuid()}",)], audit
        server.kill()
        server.start()
        assert fetch(port, other)[0] == 200 and fetch(port, url)[0] == 404


def test_a_restore_while_phones_fetch_and_admins_claim():
    """Every fetch is answered, every claim is acknowledged, every restore leaves a whole."""
    port = free_port()
    with Bellhopd(config(port)) as server:
        url = claim(server, MAC)
        path = server.folder / "bellhop.bak"
        server.cli("backup", path)
        is_over = threading.Event()
        statuses = []

        def phone():
            while not is_over.is_set():
                statuses.append(fetch(port, url)[0])

        phones = [threading.Thread(target=phone) for _ in range(3)]
        for thread in phones:
            thread.start()
        for i in range(8):
            claim(server, f"00908f0100{i:02x}")
            assert server.json("restore", path)["devices"] == 1
            assert len(server.json("device", "list")) == 1
        is_over.set()
        for thread in phones:
            thread.join()
        assert statuses and set(statuses) == {200}, set(statuses)
        assert len(list(server.data.glob("bellhop.db.before-restore-*"))) == 8


def test_what_is_no_backup_is_refused_and_loses_nothing():
    port = free_port()
    with Bellhopd(config(port)) as server:
        url = claim(server, MAC)
        path = server.folder / "bellhop.bak"
        server.cli("backup", path)
        bad = server.folder / "bad"
        newer = bytearray(path.read_bytes())
        newer[60:64] = (9).to_bytes(4, "big")
        for content, reason in ((b"", "empty"), (b"no database", "no database"),
                                (path.read_bytes()[:-4096], "damaged"), (newer, "newer")):
            bad.write_bytes(content)
            done = server.cli("restore", bad, check=False)
            assert done.returncode == 1 and reason in done.stderr, (reason, done.stderr)
            assert "; " in done.stderr, done.stderr
            assert fetch(port, url)[0] == 200
        assert server.cli("restore", server.folder, check=False).returncode == 1
        assert not list(server.data.glob("bellhop.db.*-restore-*"))
        assert not list(server.data.glob("*.part-*"))


def test_a_database_of_schema_1_is_brought_up_to_date():
    """As a server wrote it that knew no other schema, byte for byte the same tables."""
    port = free_port()
    with Bellhopd(config(port)) as server:
        server.stop()
        path = server.data / "bellhop.db"
        path.unlink()
        with contextlib.closing(sqlite3.connect(path)) as old:
            old.executescript(Path(__file__).with_name("schema_1.sql").read_text(encoding="utf-8"))
        server.start()
        kept = Path(f"{path}.schema-1")
        steps = server.log_text().count("is brought from")
        assert f"is brought from schema 1 to 2; what was is kept as {kept}" in server.log_text()
        assert kept.stat().st_mode & 0o777 == 0o600
        assert rows(kept, "PRAGMA user_version") == [(1,)]
        assert rows(kept, "SELECT count(*) FROM events") == [(3,)]

        def check_devices():
            states = {row["mac"]: row["state"] for row in server.json("device", "list")}
            assert states == {"00908f000001": "fetched", "00908f000002": "blocked",
                              "00908f000003": "new"}, states
            status, body = fetch(port, "/p/605c0798143532a62b75d0df792901d5/00908f000001.cfg")
            assert status == 200 and b"201" in body and b"192.0.2.1" in body, (status, body)
            assert server.json("profile", "show", "hall")["parent"] == "office"

        check_devices()
        events = [json.loads(line) for line in server.cli("--json", "events").stdout.splitlines()]
        assert [event["id"] for event in events] == list(range(1, len(events) + 1)), events
        assert [event["reason"] for event in events[:3]] == [
            "file_served", "no_such_file", "no_such_file"], events
        assert events[0]["source"] == "127.0.0.1:35888" and "sha256" not in events[0], events[0]
        # What was kept is a backup like any other.
        server.cli("device", "remove", "00908f000001")
        assert server.json("restore", kept)["schema"] == 1
        check_devices()
        server.stop()
        server.start()
        check_devices()
        assert server.log_text().count("is brought from") == steps
        assert server.cli("events").stdout.count("no_such_file") == 2


def test_a_phone_that_is_gone_gets_no_copies_of_its_notify():
    """The restored database does not know it: what is under way to it ends."""
    port = free_port(socket.SOCK_DGRAM)
    with Bellhopd(config(free_port(), port)) as server:
        path = server.folder / "bellhop.bak"
        server.cli("backup", path)
        claim(server, MAC, "--address", "127.0.0.1")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as phone:
            phone.bind(("127.0.0.1", 0))
            phone.settimeout(PATIENCE_S)
            own = phone.getsockname()[1]
            phone.sendto((f"SUBSCRIBE sip:{MAC}@224.0.1.75 SIP/2.0\r\n"
                          f"Via: SIP/2.0/UDP 127.0.0.1:{own};branch=z9hG4bKrestore\r\n"
                          f"Max-Forwards: 20\r\nFrom: <sip:{MAC}@224.0.1.75>;tag=1\r\n"
                          f"To: <sip:{MAC}@224.0.1.75>\r\nCall-ID: restore@127.0.0.1\r\n"
                          f"CSeq: 1 SUBSCRIBE\r\nContact: <sip:{MAC}@127.0.0.1:{own}>\r\n"
                          "Event: ua-profile;profile-type=\"device\";vendor=\"AudioCodes\";"
                          "model=\"440HD\";version=\"2.2.2\"\r\nExpires: 0\r\n"
                          "Accept: application/url\r\nContent-Length: 0\r\n\r\n").encode(),
                         ("127.0.0.1", port))
            assert phone.recv(65535).startswith(b"SIP/2.0 200")
            assert phone.recv(65535).startswith(b"NOTIFY")
            server.cli("restore", path)
            wait_for("the notice", lambda: server.json("status")["counters"]["sip"].get(
                "notify_withdrawn") == 1)


main(globals())
