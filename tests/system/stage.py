# SPDX-License-Identifier: MIT
"""Where foreign judges work: a bellhopd with files on one host, a client's host with a capture, and
a bad link between them."""

import concurrent.futures
import contextlib
import os
import random
import signal
import subprocess
import tempfile
import time
from pathlib import Path

from bad_link import BadLink
from house import Bellhopd, Network, Skip, in_namespace, make_certificate, program

SERVER, CLIENT = "10.13.4.121", "10.13.2.37"
HOSTS = {"server": (f"{SERVER}/16", "02:00:00:00:00:01"),
         "client": (f"{CLIENT}/16", "02:00:00:00:00:02")}
MAC = "00908f602aac"
CONFIG = f"{MAC}.cfg"
PORTS = {"http": ":8080", "https": ":8443", "tftp": ""}
EDGES = (0, 1, 511, 512, 513)  # octets, around a block of TFTP
FEW_BLOCKS = 7 * 1428          # 1428: our largest block, so that the last one is empty
MANY_BLOCKS = 75 * 1428
FIRMWARE = 300_000
JUDGE_S = 150  # how long one fetch may take before the test gives up; never a measurement
AT_ONCE = 100


def content(size):
    """Octets in which line ends and NULs, the trouble of netascii, are frequent."""
    return bytes(random.Random(size).choices(b"\r\n\0" * 30 + bytes(range(256)), k=size))


def difference(got, expected):
    at = len(os.path.commonprefix([got, expected]))
    return f"{len(got)} octets instead of {len(expected)}, the first {at} of them right"


class Stage:
    """`is_bad`: many round trips take too long. `qualities`: of the link. `judges`: functions of the
    stage, which begin at once, each in a thread."""

    def __init__(self, is_bad, qualities, judges=()):
        self.files = {}
        self.round_trips_max = 20 if is_bad else 50
        self.parts = contextlib.ExitStack()
        keep = self.parts.enter_context
        try:
            self.network = keep(Network(HOSTS))
            self.link = keep(BadLink(self.network, "server", **qualities))
            self.folder = Path(keep(tempfile.TemporaryDirectory(prefix="bellhop-test-")))
            self.certificate, self.certificate_key = make_certificate(self.folder, SERVER)
            self.server = keep(Bellhopd(self._config(), self.network.namespace("server")))
            self._add_files()
            self.capture = keep(self._captured())
            self.pool = keep(concurrent.futures.ThreadPoolExecutor(AT_ONCE))
            self.judges = keep(concurrent.futures.ThreadPoolExecutor(max(1, len(judges))))
            self.outcomes = {judge: self.judges.submit(self._timed, judge) for judge in judges}
        except BaseException:
            self.close()
            raise

    def close(self):
        self.parts.close()

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        self.parts.__exit__(kind, value, trace)

    def _config(self):
        return ("[sip]\ngroup =\n[https]\n"
                f"certificate = {self.certificate}\nkey = {self.certificate_key}\n"
                "[log]\nlevel = debug\n[limits]\n"
                "http_connections_per_source = 500\ntftp_transfers_per_source = 500\n")

    def _add_files(self):
        self.server.cli("device", "claim", MAC, "--model", "440HD", "--set",
                        "sip_lines.1.username=101")
        self.key = self.server.device(MAC)["key"]
        self.files[CONFIG] = self.server.cli("device", "preview", MAC, CONFIG).stdout.encode()
        local = self.folder / "added"
        for size in (*EDGES, FEW_BLOCKS, MANY_BLOCKS, FIRMWARE):
            self.files[f"{size}.bin"] = content(size)
            local.write_bytes(content(size))
            self.server.cli("file", "add", local, "--name", f"{size}.bin")

    @contextlib.contextmanager
    def _captured(self):
        """dumpcap on the client's host, into `self.folder / "captured"`; None where it is not here."""
        try:
            command = program("dumpcap")
        except Skip:
            yield None
            return
        with self.popen(command, "-q", "-i", "eth0", "-w", self.folder / "captured",
                        stderr=subprocess.PIPE) as process:
            try:
                while (line := process.stderr.readline()) and b"File: " not in line:
                    pass
                assert process.poll() is None, "dumpcap does not start"
                yield process
            finally:
                process.send_signal(signal.SIGINT)

    def _timed(self, judge):
        begun = time.monotonic()
        try:
            return judge(self)
        finally:
            print(f"# {judge.__name__}: {time.monotonic() - begun:.1f} s\n", end="", flush=True)

    def doors(self):
        return {row["door"] for row in self.server.json("status")["listeners"]}

    def has_ranges(self):
        done = self.run(program("curl"), "-sSI", self.url("513.bin"))
        return "accept-ranges: bytes" in done.stdout.lower()

    def names_by_blocks(self, size):
        """The files that are sent block by block in a short time."""
        return [name for name, octets in self.files.items()
                if len(octets) // size <= self.round_trips_max]

    def path(self, name):
        return f"p/{self.key}/{name}"

    def url(self, name, scheme="http"):
        return f"{scheme}://{SERVER}{PORTS[scheme]}/{self.path(name)}"

    def place(self):
        """A folder of its own for one fetch."""
        return Path(tempfile.mkdtemp(dir=self.folder))

    def popen(self, *command, **more):
        return subprocess.Popen(in_namespace(self.network.namespace("client"), *command), **more)

    def run(self, *command, **more):
        """A judge on the client's host."""
        return subprocess.run(in_namespace(self.network.namespace("client"), *command),
                              capture_output=True, text=True, errors="replace", timeout=JUDGE_S,
                              check=False, **more)

    def fetch(self, name, local, *command):
        """One whole file."""
        done = self.run(*command)
        assert done.returncode == 0 and local.is_file(), (name, done)
        self.check(name, local, done)
        return done

    def check(self, name, local, told):
        got = local.read_bytes()
        assert got == self.files[name], (name, difference(got, self.files[name]), told)

    def all(self, jobs):
        """Does every (function, argument, ...) at once; each fault is told."""
        assert jobs
        done = [self.pool.submit(*job) for job in jobs]
        faults = [repr(one.exception()) for one in done if one.exception()]
        assert not faults, f"{len(faults)} of {len(jobs)}:\n" + "\n".join(faults)
