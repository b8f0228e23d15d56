#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Makers' phones and the packs that come with Bellhop: each asks in its own dialect, is told a URL
in the shape that it obeys, fetches the file that it makes of that, and gets a configuration that is
well formed and holds its account. One that has no multicast is found when it fetches."""

import contextlib
import http.client
import socket

from house import PATIENCE_S, Bellhopd, Network, main, socket_in, wait_for
from phone import Phone, check_configuration, claim

SERVER = "10.13.4.121"
PASSWORD = "p<a>s's&w"  # what breaks a file that nobody escapes
MAKERS = {  # name: (address, MAC, model)
    "audiocodes": ("10.13.2.1", "00:90:8f:00:00:01", "440HD"),
    "snom": ("10.13.2.2", "00:04:13:00:00:02", "D120"),
    "yealink": ("10.13.2.3", "00:15:65:00:00:03", "T21P"),
    "grandstream": ("10.13.2.4", "c0:74:ad:00:00:04", "GRP2612W"),
    "fanvil": ("10.13.2.5", "0c:38:3e:00:00:05", "X4U"),
}
CISCO = ("10.13.2.6", "00:56:2b:04:36:15")


@contextlib.contextmanager
def house():
    hosts = {"server": (f"{SERVER}/16", "02:00:00:00:00:01"), "cisco": (f"{CISCO[0]}/16", CISCO[1])}
    hosts |= {name[:8]: (f"{row[0]}/16", row[1]) for name, row in MAKERS.items()}
    with Network(hosts) as network, \
            Bellhopd("[sip]\ncanary = 0\n", network.namespace("server")) as server:
        yield network, server


def test_each_maker_from_plugged_in_to_configured():
    with house() as (network, server):
        for number, (maker, (address, mac, model)) in enumerate(MAKERS.items(), 201):
            plain = mac.replace(":", "")
            claim(server, plain, PASSWORD, extension=str(number))
            with Phone(network.namespace(maker[:8]), maker, address, mac) as phone:
                status, url, source = phone.search()
                assert (status, source) == (200, (SERVER, 5060)), (maker, status, source)
                device = wait_for("the sighting", lambda: seen(server, plain))
                assert device["certainty"] == ("seen" if maker == "audiocodes" else "confirmed")
                assert device["state"] == "notified" and device["form_in_force"] == "rfc", device
                status, text = phone.fetch(url)
                if maker == "grandstream":  # the old binary form first, which nobody has
                    assert phone.got[f"cfg{plain}"][0] == 404, phone.got
                assert status == 200, (maker, url, status)
                check_configuration(maker, text, PASSWORD, str(number))
            device = wait_for("the fetch", lambda: fetched(server, plain))
            assert device["vendor"] == maker and device["model"] == model, device
            assert device["firmware"] and device["certainty"] == "proven", device
            assert device["identified_by"] == "key", device


def seen(server, mac):
    device = server.device(mac)
    return device if device["state"] == "notified" else None


def fetched(server, mac):
    device = server.device(mac)
    return device if device["state"] == "fetched" else None


def get(network, host, path, agent):
    with contextlib.closing(socket_in(network.namespace(host), socket.SOCK_STREAM)) as stream:
        stream.settimeout(PATIENCE_S)
        stream.connect((SERVER, 8080))
        connection = http.client.HTTPConnection(SERVER, 8080)
        connection.sock = stream
        connection.request("GET", path, headers={"User-Agent": agent})
        answer = connection.getresponse()
        return answer.status, answer.read().decode()


def test_a_maker_without_multicast_is_found_when_it_fetches():
    mac = CISCO[1].replace(":", "")
    agent = f"Cisco-CP-7832-3PCC/11.0.1 ({mac})"
    with house() as (network, server):
        assert get(network, "cisco", f"/{mac}.xml", agent)[0] == 404
        device = wait_for("the phone to be listed", lambda: server.device_or_none(mac))
        assert (device["state"], device["vendor"]) == ("new", "cisco"), device
        assert device["model"] == "7832", device
        assert device["firmware"] == "11.0.1" and device["certainty"] == "confirmed", device
        claim(server, mac, PASSWORD, extension="300")
        files = [row["name"] for row in server.json("device", "files", mac) if row["is_essential"]]
        assert files, server.json("device", "files", mac)
        status, text = get(network, "cisco", f"/{files[0]}", agent)
        assert status == 200, (files, status)
        check_configuration("cisco", text, PASSWORD, "300")
        assert wait_for("the fetch", lambda: fetched(server, mac))["certainty"] == "confirmed"


main(globals())
