#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Long uploads over the admin socket: `bellhop file add` and `bellhop restore`. They go to the disk
as they come, so that the server's memory does not grow with them, and nothing of one that is not
whole can be seen or stays."""

import contextlib
import json
import os
import socket
import sqlite3
import subprocess

from house import PATIENCE_S, Admin, Bellhopd, free_port, main, program, wait_for

LONG_BYTES = 200_000_000
GROWTH_MAX_KB = 24 * 1024  # an eighth of that; what SQLite and the allocator keep is in it
LIMIT_BYTES = 1 << 30
JSON_MAX_BYTES = 8 << 20


class House(Bellhopd):
    def __init__(self):
        super().__init__(f"[sip]\nlisten = 127.0.0.1:{free_port(socket.SOCK_DGRAM)}\ngroup =\n"
                         "[http]\nlisten =\n[https]\nlisten =\n[tftp]\nlisten =\n")

    def sparse(self, name, size):
        path = self.folder / name
        with open(path, "wb") as file:
            file.truncate(size)
        return path

    def names(self):
        """Of all files below DATA/files, the hidden ones too."""
        return sorted(str(path.relative_to(self.data / "files"))
                      for path in (self.data / "files").rglob("*") if path.is_file())

    def nameless(self):
        """Descriptors of files below DATA that have no name."""
        folder = f"/proc/{self.process.pid}/fd"
        links = []
        for name in os.listdir(folder):
            with contextlib.suppress(FileNotFoundError):
                links.append(os.readlink(f"{folder}/{name}"))
        return [link for link in links
                if link.startswith(f"{self.data}/") and link.endswith(" (deleted)")]

    def begin_upload(self, path, length, sent):
        """A connection on which a part of an upload has come."""
        client = socket.socket(socket.AF_UNIX)
        client.settimeout(PATIENCE_S)
        client.connect(str(self.socket))
        client.sendall(f"PUT {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\r\n".encode()
                       + b"x" * sent)
        wait_for("the file that it goes to", self.nameless)
        return client


def grown_kb(house, work):
    """By how much the most memory that the server ever had has grown."""
    before = house.memory_kb("VmHWM")
    work()
    return house.memory_kb("VmHWM") - before


def test_memory_does_not_grow_with_a_file():
    with House() as house:
        house.cli("file", "add", house.sparse("little.bin", 100_000))
        path = house.sparse("long.bin", LONG_BYTES)
        grown = grown_kb(house, lambda: house.cli("file", "add", path, "--name", "a/long.bin"))
        print(f"# {grown} KiB")
        assert grown < GROWTH_MAX_KB, grown
        there = house.data / "files" / "a" / "long.bin"
        assert there.stat().st_size == LONG_BYTES
        assert house.names() == ["a/long.bin", "little.bin"] and not house.nameless()


def test_memory_does_not_grow_with_a_database():
    with House() as house:
        house.cli("device", "claim", "00908f123456", "--vendor", "audiocodes")
        backup = house.folder / "backup"
        house.cli("backup", backup)
        house.cli("restore", backup)
        with contextlib.closing(sqlite3.connect(backup)) as database:
            database.execute("CREATE TABLE filler (bytes)")
            for _ in range(LONG_BYTES // 10_000_000):
                database.execute("INSERT INTO filler VALUES (zeroblob(10000000))")
            database.execute("DROP TABLE filler")
            database.commit()
        assert backup.stat().st_size > LONG_BYTES
        grown = grown_kb(house, lambda: house.cli("restore", backup))
        print(f"# {grown} KiB")
        assert grown < GROWTH_MAX_KB, grown
        assert house.device("00908f123456")["state"] == "claimed"
        assert house.data.joinpath("bellhop.db").stat().st_mode & 0o777 == 0o600
        assert not list(house.data.glob("*.part-*")) and not house.nameless()
        house.cli("device", "claim", "00908f123457", "--vendor", "audiocodes")


def test_limits_are_told():
    with House() as house:
        too_long = house.sparse("too_long.bin", LIMIT_BYTES + 1)
        for command in (["file", "add", too_long], ["restore", too_long]):
            done = house.cli(*command, check=False)
            assert done.returncode == 1 and "takes nothing that long" in done.stderr, done.stderr
        assert house.names() == [] and not house.nameless()
        with Admin(house) as admin:
            status, text = admin.ask("PUT", "/api/v1/files/empty.bin", b"")
            assert status == 201 and json.loads(text)["bytes"] == 0, text
            status, text = admin.ask("PUT", "/api/v1/database", b"")
            assert status == 400 and "the body is empty" in text.decode(), text
            status, text = admin.ask("PUT", "/api/v1/files/.hidden", b"x")
            assert status == 400 and "no name for a file" in text.decode(), text
            # What is kept in memory has its own limit, and is not read to its end.
            connection = admin.connection
            connection.putrequest("POST", "/api/v1/devices/00908f123456/claim")
            connection.putheader("Content-Length", str(JSON_MAX_BYTES + 1))
            connection.endheaders()
            answer = connection.getresponse()
            text = answer.read().decode()
            assert answer.status == 413 and "the body is too long" in text, (answer.status, text)
        assert house.names() == ["empty.bin"]


def test_who_leaves_leaves_nothing_behind():
    with House() as house:
        for path in ("/api/v1/files/a.bin", "/api/v1/database"):
            client = house.begin_upload(path, 1_000_000, 500_000)
            assert house.names() == [] and not list(house.data.glob("*.part-*"))
            client.close()
            wait_for("the end of its file", lambda: not house.nameless())
        assert house.names() == [] and not list(house.data.glob("*.part-*"))


def test_a_server_that_is_killed_leaves_nothing_behind():
    with House() as house:
        (house.data / "files" / ".mine").write_text("an operator's", encoding="utf-8")
        for path in ("/api/v1/files/a.bin", "/api/v1/database"):
            with contextlib.closing(house.begin_upload(path, 1_000_000, 500_000)):
                house.kill()
            house.start()
            assert house.names() == [".mine"] and not list(house.data.glob("*.part-*"))
        # As when it is killed between giving a file a name and putting it in place.
        house.kill()
        (house.data / "files" / "rings").mkdir()
        (house.data / "files" / "rings" / ".bellhop-part-7").write_bytes(b"half")
        house.start()
        assert house.names() == [".mine"]
        assert house.json("file", "list") == []


def test_curl_uploads_in_chunks():
    """Whose length nobody knows before."""
    with House() as house:
        source = house.folder / "source"
        source.write_bytes(bytes(range(256)) * 20_000)
        with open(source, "rb") as file:
            done = subprocess.run(
                [program("curl"), "--silent", "--show-error", "--unix-socket", house.socket, "--upload-file",
                 "-", "http://bellhop/api/v1/files/chunks.bin"],
                stdin=file, capture_output=True, text=True, timeout=PATIENCE_S, check=True)
        assert json.loads(done.stdout)["bytes"] == source.stat().st_size, done.stdout
        assert (house.data / "files" / "chunks.bin").read_bytes() == source.read_bytes()


main(globals())
