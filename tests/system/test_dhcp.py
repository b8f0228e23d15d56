#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""What `bellhop dhcp` prints is taken by the servers that it is for, and says what every pack says."""

import json
import subprocess
import tempfile
from pathlib import Path

from house import BUILD, SOURCE, main, program

URL = "http://10.13.4.121:8080/"


def printed(server, url=URL):
    done = subprocess.run([BUILD / "bellhop", "dhcp", server, url], capture_output=True, text=True,
                          check=False)
    assert done.returncode == 0 and done.stderr == "", done
    return done.stdout


def packs():
    """Those with options, by name."""
    found = {}
    for path in sorted((SOURCE / "vendors").glob("*/pack.json")):
        pack = json.loads(path.read_text(encoding="utf-8"))
        if "dhcp" in pack:
            found[pack["name"]] = pack["dhcp"]
    assert found
    return found


def judged(command, text, name):
    with tempfile.TemporaryDirectory(prefix="bellhop-test-") as folder:
        path = Path(folder) / name
        path.write_text(text, encoding="utf-8")
        (Path(folder) / "leases").write_text("", encoding="utf-8")
        done = subprocess.run([word.format(path=path, folder=folder) for word in command],
                              capture_output=True, text=True, check=False)
    assert done.returncode == 0, (command, done.stdout, done.stderr, text)


def test_dnsmasq_takes_it():
    text = printed("dnsmasq")
    judged([program("dnsmasq"), "--test", "--conf-file={path}"], text, "dnsmasq.conf")
    for name, dhcp in packs().items():
        if "class" in dhcp:
            assert f"dhcp-vendorclass=set:{name},{dhcp['class']}\n" in text, name
            for code in dhcp["options"]:
                assert f"tag:{name},{code}," in text, name


def test_isc_takes_it():
    text = printed("isc")
    subnet = "subnet 10.13.0.0 netmask 255.255.0.0 { range 10.13.9.1 10.13.9.200; }\n"
    judged([program("dhcpd"), "-t", "-cf", "{path}", "-lf", "{folder}/leases"], text + subnet,
           "dhcpd.conf")


def test_kea_takes_it():
    config = json.loads(printed("kea"))
    assert set(config) == {"Dhcp4"}
    config["Dhcp4"] |= {"interfaces-config": {"interfaces": []},
                        "lease-database": {"type": "memfile", "persist": False},
                        "subnet4": [{"subnet": "10.13.0.0/16", "pools":
                                     [{"pool": "10.13.9.1 - 10.13.9.200"}]}]}
    judged([program("kea-dhcp4"), "-t", "{path}"], json.dumps(config), "kea.json")


def test_the_url_and_the_address_stand_in_it():
    text = printed("dnsmasq", "https://192.0.2.7:8443/phones")
    assert '"https://192.0.2.7:8443/phones/"' in text, text
    assert "10.13" not in text and "%{" not in text, text


def test_a_name_stands_in_no_list_of_addresses():
    url = "https://prov.example.net:8443/"
    config = json.loads(printed("kea", url))
    config["Dhcp4"]["lease-database"] = {"type": "memfile", "persist": False}
    judged([program("kea-dhcp4"), "-t", "{path}"], json.dumps(config), "kea.json")
    assert "150" not in json.dumps(config) and "150" in printed("kea")
    text = printed("dnsmasq", url)
    judged([program("dnsmasq"), "--test", "--conf-file={path}"], text, "dnsmasq.conf")
    assert ",150," not in text and ',66,"prov.example.net"' in text, text
    assert "150" not in printed("isc", url)


def test_what_cannot_stand_in_an_option_is_refused():
    for words, code, told in ((["kea"], 2, "say the URL"), (["kea", "phones"], 1, "not a URL"),
                              (["isc", 'http://a/"; evil'], 1, "not a URL"),
                              (["isc", "http://%{address}/p/%{key}/"], 1, "nothing fills in"),
                              (["kea", "http://[fd00::1]:8080/"], 1, "over IPv4"),
                              (["dhcpcd", URL], 2, "use kea, dnsmasq or isc")):
        done = subprocess.run([BUILD / "bellhop", "dhcp", *words], capture_output=True, text=True,
                              check=False)
        assert done.returncode == code and told in done.stderr and not done.stdout, done


main(globals())
