#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""kill -9 at random moments while admins claim devices: what was acknowledged is there when the
server is started again, and the database is whole. BELLHOP_KILL_ROUNDS says how often (50);
BELLHOP_KILL_SEED plays one run again, as far as the machine's own timing lets it."""

import os
import random
import socket
import statistics
import threading
import time

from house import Admin, Bellhopd, free_port, main, rows

ROUNDS = int(os.environ.get("BELLHOP_KILL_ROUNDS", "50"))
SEED = int(os.environ.get("BELLHOP_KILL_SEED", "0")) or random.SystemRandom().getrandbits(32)
CLIENTS = 8
CLAIMS = 1000  # that each round begins


def config():
    return (f"[sip]\nlisten = 127.0.0.1:{free_port(socket.SOCK_DGRAM)}\ngroup =\n"
            f"[http]\nlisten = 127.0.0.1:{free_port()}\n[https]\nlisten =\n[tftp]\nlisten =\n")


class Round:
    """Clients that claim one device after the other until the server is gone."""

    def __init__(self, server, first):
        self.server = server
        self.lock = threading.Lock()
        self.next = first
        self.end = first + CLAIMS
        self.acknowledged = []
        self.refused = []
        self.threads = [threading.Thread(target=self.claim) for _ in range(CLIENTS)]
        for thread in self.threads:
            thread.start()

    def take(self):
        with self.lock:
            number = self.next
            self.next += number < self.end
        return f"00908f{number:06x}" if number < self.end else None

    def claim(self):
        try:
            with Admin(self.server) as admin:
                while mac := self.take():
                    status, text = admin.ask("POST", f"/api/v1/devices/{mac}/claim",
                                             {"settings": {"sip_lines.1.username": mac}})
                    (self.acknowledged if status == 200 else self.refused).append((mac, text))
        except OSError:
            pass  # killed

    def kill_after(self, count, more_s):
        """SIGKILL once so many were acknowledged, and a little later."""
        while len(self.acknowledged) < count and any(t.is_alive() for t in self.threads):
            time.sleep(0.0002)
        time.sleep(more_s)
        self.server.kill()
        for thread in self.threads:
            thread.join()


def check(server, acknowledged):
    """All of them are there, in the database and as the API tells it."""
    path = server.data / "bellhop.db"
    assert rows(path, "PRAGMA integrity_check") == [("ok",)]
    assert rows(path, "PRAGMA foreign_key_check") == []
    settings = dict(rows(path, "SELECT mac, value FROM device_settings"))
    claimed = {mac for (mac,) in rows(path, "SELECT mac FROM devices")}
    missing = [mac for mac in acknowledged if mac not in claimed or settings.get(mac) != mac]
    assert not missing, f"seed {SEED}: {len(missing)} were acknowledged and are gone: {missing[:5]}"
    assert set(settings) == claimed, "a device without its settings, or settings without their device"
    with Admin(server) as admin:
        assert admin.json("GET", "/api/v1/status")["devices"]["claimed"] == len(claimed)
        for mac in acknowledged[-20:]:
            assert admin.json("GET", f"/api/v1/devices/{mac}")["state"] == "claimed"
    return claimed


def test_no_acknowledged_claim_is_lost_to_kill_9():
    chance = random.Random(SEED)
    acknowledged = []
    starts_s = []
    first = 1
    with Bellhopd(config()) as server:
        for _ in range(ROUNDS):
            work = Round(server, first)
            work.kill_after(chance.randrange(CLAIMS), chance.random() * 0.01)
            assert not work.refused, work.refused[:3]
            acknowledged += [mac for mac, _ in work.acknowledged]
            first = work.end
            begin = time.monotonic()
            server.start()
            starts_s.append(time.monotonic() - begin)
            claimed = check(server, acknowledged)
    print(f"# seed {SEED}: {ROUNDS} kills, {len(acknowledged)} claims acknowledged, "
          f"{len(claimed)} there; a start took {statistics.median(starts_s) * 1000:.0f} ms "
          f"(median), {max(starts_s) * 1000:.0f} ms (longest)")


main(globals())
