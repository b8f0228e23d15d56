#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The bad link by itself: it is as bad as asked, the same again for the same seed, and no worse."""

import collections
import contextlib
import math
import socket
import struct
import subprocess

from bad_link import BadLink, set_offloads
from house import BUILD, PATIENCE_S, Network, Skip, in_namespace, main, socket_in, wait_for

HOSTS = {"a": ("10.13.0.1/16", "02:00:00:00:00:0a"), "b": ("10.13.0.2/16", "02:00:00:00:00:0b")}
ETHERTYPE = 0x88B5  # for experiments: nobody else's frames
COUNT = 4000
END = COUNT  # the number of the frames that say that all were sent


@contextlib.contextmanager
def quiet_network():
    """Hosts that say nothing by themselves: the n-th frame is the n-th of the test."""
    with Network(HOSTS) as network:
        for namespace in network.names:
            subprocess.run(in_namespace(
                namespace, "sh", "-c", "for f in /proc/sys/net/ipv6/conf/*/disable_ipv6; do "
                "[ ! -e $f ] || echo 1 >$f; done"), check=True)
        yield network


@contextlib.contextmanager
def frames(network, host):
    with contextlib.closing(socket_in(network.namespace(host), socket.SOCK_RAW,
                                      socket.AF_PACKET)) as end:
        end.setsockopt(socket.SOL_SOCKET, 33, 64 << 20)  # SO_RCVBUFFORCE
        end.bind(("eth0", ETHERTYPE))
        end.setblocking(False)
        yield end


def octets(host):
    return bytes.fromhex(HOSTS[host][1].replace(":", ""))


def send(end, to, number):
    end.send(octets(to) + octets("a" if to == "b" else "b") + struct.pack(">HH46x", ETHERTYPE, number))


def receive(end):
    """The numbers of all frames that are there."""
    numbers = []
    with contextlib.suppress(BlockingIOError):
        while True:
            numbers.append(struct.unpack(">H", end.recv(2048)[14:16])[0])
    return numbers


def arrivals(to="b", **qualities):
    """The numbers of COUNT frames as they arrive at `to`, and what the link says of them."""
    with quiet_network() as network, BadLink(network, "b", **qualities) as link, \
            frames(network, "a") as a, frames(network, "b") as b:
        source, target = (a, b) if to == "b" else (b, a)
        for number in range(COUNT):
            send(source, to, number)
        numbers = []

        def is_over():
            send(source, to, END)
            numbers.extend(receive(target))
            return END in numbers

        wait_for("the end", is_over)
        from_b, to_b = link.check()
        numbers.extend(receive(target))
    return [number for number in numbers if number != END], to_b if to == "b" else from_b


def lost_and_doubled(numbers):
    times = collections.Counter(numbers)
    assert max(times.values()) <= 2
    return (set(range(COUNT)) - set(times), {number for number in times if times[number] == 2})


def is_near(count, share, total=COUNT):
    """Within five standard deviations; the seed makes it the same in every run."""
    return abs(count - share * total) < 5 * math.sqrt(total * share * (1 - share))


def test_loss_and_copies_are_as_asked_and_follow_from_the_seed():
    asked = {"loss": "5%", "duplicate": "2%", "delay": "20ms"}
    numbers, told = arrivals(seed=1, **asked)
    lost, doubled = lost_and_doubled(numbers)
    assert is_near(len(lost), 0.05) and is_near(len(doubled), 0.02, COUNT - len(lost)), told
    assert len(lost) <= told["lost"] and len(doubled) <= told["doubled"], told
    assert numbers == sorted(numbers)  # nothing was to be reordered
    # A frame of the kernel's own shifts what happens to all after it: two runs of a few are alike.
    runs = [(lost, doubled)]
    while runs.count(runs[-1]) < 2:
        assert len(runs) < 6, "no two runs of one seed are alike"
        runs.append(lost_and_doubled(arrivals(seed=1, **asked)[0]))
    assert lost_and_doubled(arrivals(seed=2, **asked)[0]) != (lost, doubled)
    # The other direction is as bad, but not the same.
    back, _ = arrivals(to="a", seed=1, **asked)
    assert is_near(len(lost_and_doubled(back)[0]), 0.05)
    assert lost_and_doubled(back) != (lost, doubled)


def test_held_frames_are_overtaken_and_the_others_keep_their_order():
    numbers, told = arrivals(seed=1, reorder="5%", hold="300ms", delay="20ms")
    assert sorted(numbers) == list(range(COUNT))
    highest, late = -1, []
    for number in numbers:
        if number < highest:
            late.append(number)
        highest = max(highest, number)
    assert is_near(told["held"], 0.05), told
    # Those that were not overtaken have not been held, or there were none left to overtake them.
    assert 0 < len(late) <= told["held"], (len(late), told)
    in_order = [number for number in numbers if number not in set(late)]
    assert in_order == sorted(in_order)


def test_jitter_alone_changes_no_order():
    numbers, told = arrivals(seed=1, jitter="40ms")
    assert numbers == list(range(COUNT)), told


def test_a_link_without_faults_passes_all():
    numbers, told = arrivals()
    assert numbers == list(range(COUNT)), told
    assert told["lost"] == told["doubled"] == told["held"] == 0, told


def test_a_cut_link_passes_nothing_until_it_is_mended():
    with quiet_network() as network, BadLink(network, "b") as link, \
            frames(network, "a") as a, frames(network, "b") as b:
        numbers = []

        def passes(number):
            send(a, "b", number)
            numbers.extend(receive(b))
            return number in numbers

        wait_for("the first", lambda: passes(1))
        link.cut()
        for _ in range(100):
            send(a, "b", 2)
        link.mend()
        wait_for("the last", lambda: passes(3))
        _, to_b = link.check()
        assert 2 not in numbers
        assert to_b["cut"] == 100, to_b


def test_every_kind_of_frame_passes():
    """ARP and broadcasts to find each other, multicast, and TCP with whole segments."""
    sent = bytes(range(256)) * 4096
    with Network(HOSTS) as network, BadLink(network, "b", delay="5ms") as link:
        with contextlib.closing(socket_in(network.namespace("a"))) as a, \
                contextlib.closing(socket_in(network.namespace("b"))) as b:
            b.bind(("", 5060))
            b.settimeout(PATIENCE_S)
            b.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, socket.inet_aton(
                "224.0.1.75") + socket.inet_aton("10.13.0.2"))
            for host in ("10.13.0.2", "224.0.1.75"):
                a.sendto(host.encode(), (host, 5060))
                assert b.recv(100) == host.encode()
        with contextlib.closing(socket_in(network.namespace("a"), socket.SOCK_STREAM)) as client, \
                contextlib.closing(socket_in(network.namespace("b"), socket.SOCK_STREAM)) as server:
            server.bind(("10.13.0.2", 80))
            server.listen()
            client.settimeout(PATIENCE_S)
            client.connect(("10.13.0.2", 80))
            peer, _ = server.accept()
            with peer:
                client.setblocking(False)
                got, at = b"", 0
                while len(got) < len(sent):
                    with contextlib.suppress(BlockingIOError):
                        at += client.send(sent[at:at + 65536])
                    got += peer.recv(65536)
        assert got == sent
        link.check()


def test_an_end_that_leaves_work_to_its_card_gives_itself_away():
    with Network(HOSTS) as network, BadLink(network, "b") as link:
        set_offloads(network.namespace("a"), True)
        with contextlib.closing(socket_in(network.namespace("a"))) as a:

            def is_found():
                a.sendto(b"x", ("10.13.0.2", 9))
                neighbours = subprocess.run(in_namespace(network.namespace("a"), "ip", "neigh"),
                                            capture_output=True, text=True, check=True).stdout
                return "lladdr" in neighbours

            wait_for("the neighbour", is_found)
            a.sendto(b"x", ("10.13.0.2", 9))
        _, to_b = link.stop()
        assert to_b["unsummed"] > 0, to_b


def test_wrong_usage_is_told():
    for arguments, word in ((("--loss", "5", "one"), "two interfaces"), (("--loss", "101%"), "101%"),
                            (("--delay", "-1ms"), "-1ms"), (("--speed", "1"), "option"),
                            (("nothere", "lo"), "nothere")):
        done = subprocess.run([BUILD / "tests" / "system" / "bad_link", *arguments],
                              capture_output=True, text=True, timeout=PATIENCE_S, check=False)
        if "not permitted" in done.stderr:
            raise Skip("raw sockets may not be opened here")
        assert done.returncode == 2 and word in done.stderr, (arguments, done)


main(globals())
