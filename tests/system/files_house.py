# SPDX-License-Identifier: MIT
"""A bellhopd with phones and files in it, and what tests of its doors ask it: curl, octets over a
socket, TFTP datagrams."""

import contextlib
import csv
import re
import socket
import struct
import subprocess
import tempfile
from pathlib import Path

from house import CORPUS, PATIENCE_S, Bellhopd, Skip, free_port, program

PHONE = "00908f602aac"    # bound to 127.0.0.2: asks over HTTP
SECOND = "00908f602aad"   # bound to 127.0.0.1, where the TFTP clients come from
BLOCKED = "00908f602aae"
UNCLAIMED = "00908f602aaf"
PASSWORD = "wohl-geheim-8731"


class Server:
    """A bellhopd with doors on free ports of 127.0.0.1 and our phones in it."""

    def __init__(self, limits=""):
        self.sip = free_port(socket.SOCK_DGRAM)
        self.http = free_port()
        self.tftp = free_port(socket.SOCK_DGRAM)
        self.bellhopd = Bellhopd(
            f"[sip]\nlisten = 127.0.0.1:{self.sip}\ngroup =\n[http]\nlisten = 127.0.0.1:{self.http}\n"
            f"[https]\nlisten =\n[tftp]\nlisten = 127.0.0.1:{self.tftp}\n[log]\nlevel = debug\n"
            f"[limits]\n{limits}\n")
        self.folder = self.bellhopd.folder
        self.files = self.bellhopd.data / "files"
        self.keys = {}

    def __enter__(self):
        self.bellhopd.__enter__()
        for mac, more in ((PHONE, ("--address", "127.0.0.2")), (SECOND, ("--address", "127.0.0.1")),
                          (BLOCKED, ())):
            self.bellhopd.cli("device", "claim", mac, "--model", "440HD", *more, "--set",
                              "sip_lines.1.password=-", "--set", "sip_lines.1.username=101",
                              stdin=PASSWORD)
            self.keys[mac] = self.bellhopd.device(mac)["key"]
        self.bellhopd.cli("device", "block", BLOCKED)
        self.bellhopd.cli("device", "add", UNCLAIMED, "--model", "440HD")
        return self

    def __exit__(self, kind, value, trace):
        try:
            if kind is None:
                self.no_key_was_told()
        finally:
            self.bellhopd.__exit__(kind, value, trace)

    def no_key_was_told(self):
        """Whatever a test has done: neither log nor events show a key or a password."""
        told = self.bellhopd.log_text() + self.bellhopd.events()
        for secret in (*self.keys.values(), PASSWORD):
            assert secret not in told, [line for line in told.splitlines() if secret in line]

    def url(self, path):
        return f"http://127.0.0.1:{self.http}{path}"

    def add(self, name, content):
        with tempfile.NamedTemporaryFile() as file:
            file.write(content)
            file.flush()
            self.bellhopd.cli("file", "add", file.name, "--name", name)

    def alive(self):
        """It still answers both doors."""
        assert self.bellhopd.process.poll() is None
        assert self.get("/nothing", "127.0.0.9")[0] == 404
        assert self.tftp_first(rrq("nothing"))[:4] == b"\0\5\0\1"

    def get(self, path, source="127.0.0.2", *more):
        """(status, {header: value}, body), by curl."""
        with tempfile.TemporaryDirectory() as folder:
            body, head = Path(folder) / "body", Path(folder) / "head"
            done = subprocess.run(
                [program("curl"), "-sS", "--max-time", str(PATIENCE_S), "--path-as-is", "--interface",
                 source, "-o", body, "-D", head, *more, self.url(path)],
                capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stderr
            status, *lines = head.read_bytes().decode("latin-1").split("\r\n")
            fields = dict(line.split(": ", 1) for line in lines if line)
            return int(status.split()[1]), fields, body.read_bytes() if body.exists() else b""

    def http_raw(self, request, source="127.0.0.2"):
        """All that the server says to these octets until it closes."""
        with socket.create_connection(("127.0.0.1", self.http), PATIENCE_S, (source, 0)) as client:
            with contextlib.suppress(OSError):  # it may refuse before it has read all
                client.sendall(request)
                client.shutdown(socket.SHUT_WR)
            answer = b""
            with contextlib.suppress(ConnectionResetError):
                while piece := client.recv(65536):
                    answer += piece
        return answer

    def http_hang_up(self, request, source="127.0.0.2"):
        """Asks, takes the first octets of the answer and leaves."""
        with socket.create_connection(("127.0.0.1", self.http), PATIENCE_S, (source, 0)) as client:
            client.sendall(request)
            assert client.recv(1000).startswith(b"HTTP/1.1 2")

    def tftp_first(self, datagram, source="127.0.0.1"):
        """The first answer to a request; the transfer is then given up."""
        with udp(source) as client:
            client.sendto(datagram, ("127.0.0.1", self.tftp))
            answer, there = client.recvfrom(65536)
            if there[1] != self.tftp:
                client.sendto(b"\0\5\0\0enough\0", there)
        return answer

    def counter(self, group, reason):
        return self.bellhopd.json("status")["counters"][group][reason]


@contextlib.contextmanager
def udp(source="127.0.0.1"):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.bind((source, 0))
        client.settimeout(PATIENCE_S)
        yield client


def rrq(name, *options, opcode=1):
    fields = (name.encode("latin-1"), b"octet", *(o.encode() for o in options))
    return struct.pack(">H", opcode) + b"".join(field + b"\0" for field in fields)


def without_date(answer):
    return re.sub(rb"Date: [^\r]*\r\n", b"", answer)


def corpus(name):
    """(row of the index, octets) of each file."""
    if not (CORPUS / name / "index.tsv").is_file():
        raise Skip(f"{CORPUS / name} is not here")
    with open(CORPUS / name / "index.tsv", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    assert rows
    return [(row, (CORPUS / name / row["file"]).read_bytes()) for row in rows]
