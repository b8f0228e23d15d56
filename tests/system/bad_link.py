# SPDX-License-Identifier: MIT
"""A bad link inside a Network: frames to and from one host are lost, late, doubled and out of order
(tests/system/bad_link.c says how). The same on every machine: it needs no netem in the kernel."""

import ctypes
import fcntl
import json
import signal
import struct
import subprocess

from house import BUILD, PATIENCE_S, in_namespace, ip, socket_in

SIOCETHTOOL = 0x8946
ETHTOOL_STXCSUM, ETHTOOL_STSO, ETHTOOL_SGSO, ETHTOOL_SGRO = 0x17, 0x1f, 0x24, 0x2c
# What must not happen in any test: the link would be worse than asked, or not what it says.
FAULTS = ("full", "unsummed", "too_long", "missed", "unsent")


def set_offloads(namespace, is_on, interface="eth0"):
    """Off: checksums and segments are made by the sender, as they go over a wire."""
    with socket_in(namespace) as any_socket:
        for command in (ETHTOOL_STXCSUM, ETHTOOL_STSO, ETHTOOL_SGSO, ETHTOOL_SGRO):
            value = ctypes.create_string_buffer(struct.pack("II", command, is_on))
            fcntl.ioctl(any_socket, SIOCETHTOOL, struct.pack(
                "16sP16x", interface.encode(), ctypes.addressof(value)))


class BadLink:
    """Puts a bad link between `host` and the switch of a Network. The qualities are the options of
    bad_link: loss="5%", delay="100ms", seed=1, ..."""

    def __init__(self, network, host, **qualities):
        self.switch = network.switch
        self.port, self.far, back = f"port-{host}", f"far-{host}", f"back-{host}"
        for namespace in network.names:
            if namespace != self.switch:
                set_offloads(namespace, False)
        ip("-n", self.switch, "link", "set", self.port, "nomaster")
        ip("-n", self.switch, "link", "add", self.far, "type", "veth", "peer", "name", back)
        ip("-n", self.switch, "link", "set", back, "master", "br0", "up")
        ip("-n", self.switch, "link", "set", self.far, "up")
        self.start(**qualities)

    def start(self, **qualities):
        options = [part for name, value in qualities.items() for part in (f"--{name}", value)]
        self.process = subprocess.Popen(
            in_namespace(self.switch, BUILD / "tests" / "system" / "bad_link", *options, self.port,
                         self.far), stdout=subprocess.PIPE, text=True)
        self._await("ready")

    def _await(self, word):
        line = self.process.stdout.readline().strip()
        assert line == word, f"the bad link says '{line}' instead of '{word}'"

    def cut(self):
        """Nothing passes from now on."""
        self.process.send_signal(signal.SIGUSR1)
        self._await("cut")

    def mend(self):
        self.process.send_signal(signal.SIGUSR2)
        self._await("mended")

    def stop(self):
        """Ends it, when what is under way has been delivered. What happened: one dictionary for
        frames from the host, one for frames to it."""
        self.process.terminate()
        told, _ = self.process.communicate(timeout=PATIENCE_S)
        assert self.process.returncode == 0, self.process.returncode
        return [json.loads(line) for line in told.splitlines()]

    def check(self):
        """Ends it, and sees that it was as bad as asked and no worse."""
        ways = self.stop()
        for way in ways:
            faults = {name: way[name] for name in FAULTS if way[name]}
            assert not faults, (way["from"], faults)
        return ways

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.process.stdout.close()
