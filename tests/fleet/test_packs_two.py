#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The files of the packs from Akuvox to Avaya, read back as phones read them: one line and two, and
values that try to break out. Prints TAP. Usage: test_packs_two.py RENDER_PACKS_TWO."""

import json
import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path
import os

RENDER = sys.argv[1]
ROOT = Path(os.environ.get("BELLHOP_SOURCE", "."))
KEY = "00112233445566778899aabbccddeeff"
BASE = f"http://10.13.4.121:8080/p/{KEY}/"
URL = "http://%{address}:8080/p/%{key}/"
COMMON = {"sip_proxy_ip": "10.0.0.1", "ntp_ip": "10.0.0.9", "admin_password": "Adm1n+pass",
          "user_password": "Us3r+pass"}
ONE = {"sip_lines.1.username": "101", "sip_lines.1.password": "s3cret",
       "sip_lines.1.display_name": "Anna"}
TWO = {"sip_lines.2.username": "102", "sip_lines.2.password": "t0psecret",
       "sip_lines.2.auth_username": "a102", "sip_lines.2.display_name": "Bert",
       "sip_lines.2.registrar_ip": "pbx.example.org", "sip_lines.2.registrar_port": "5070",
       "sip_lines.2.outbound_proxy_ip": "10.0.0.2"}
# What is read back of a line, in this order.
FIRST = ("101", "101", "s3cret", "Anna", "10.0.0.1", "5060")
SECOND = ("102", "a102", "t0psecret", "Bert", "pbx.example.org", "5070")


def render(pack, settings, url=URL):
    """The bytes, or None and what is wrong."""
    vendor, model, mac, name = pack
    done = subprocess.run([RENDER, vendor, model, mac, name, url]
                          + [f"{path}={value}" for path, value in settings.items()],
                          capture_output=True, check=False)
    if done.returncode == 0:
        return done.stdout, ""
    assert done.returncode == 1, done
    return None, done.stderr.decode()


def pairs(data, separator):
    """NAME separator VALUE, a line each; no name stands twice."""
    values = {}
    for line in data.decode().split("\n"):
        if not line or line[0] in "#<" or line.startswith(("GET ", "--")):
            continue
        name, found, value = line.partition(separator)
        assert found, line
        assert name.strip() not in values, line
        values[name.strip()] = value
    return values


# Each takes the bytes and gives {"lines": [...], "admin", "ntp", "url"}; what a maker's file does
# not have is not there.

def akuvox(data):
    v = {k: x[1:] for k, x in pairs(data, " =").items()}
    assert data.startswith(b"#!version:1.0.0.1\n")
    lines = [tuple(v[f"Config.Account{n}.{k}"] for k in
                   ("GENERAL.UserName", "GENERAL.AuthName", "GENERAL.Pwd", "GENERAL.DisplayName",
                    "SIP.Server", "SIP.Port"))
             for n in range(1, 7) if v.get(f"Config.Account{n}.GENERAL.Enable") == "1"]
    return {"lines": lines, "admin": v["Config.Settings.WEB_LOGIN.Password"],
            "ntp": v["Config.Settings.SNTP.NTPServer1"],
            "url": v["Config.Autoprovision.GENERAL.Url"],
            "outbound": v.get("Config.Account2.OUTPROXY.Server")}


def flyingvoice(data):
    v = {k: x[1:] for k, x in pairs(data, " =").items()}
    assert data.startswith(b"#!version:1.0.0.1\n")
    lines = [tuple(v[f"account.{n}.{k}"] for k in
                   ("user_name", "auth_name", "password", "display_name", "sip_server.1.address",
                    "sip_server.1.port"))
             for n in range(1, 7) if v.get(f"account.{n}.enable") == "1"]
    user, _, admin = v["static.security.user_password"].partition(":")
    assert user == "admin"
    return {"lines": lines, "admin": admin, "ntp": v["local_time.ntp_server1"],
            "url": v["static.auto_provision.server.url"],
            "outbound": v.get("account.2.outbound_proxy.1.address")}


def atcom(data):
    text = data.decode()
    assert text.startswith("<<VOIP CONFIG FILE>>Version:") and text.endswith("<<END OF FILE>>\n")
    v = pairs(data, ":")
    lines = [tuple(v[f"SIP{n} {k}"] for k in ("Phone Number", "Register User", "Register Pwd",
                                             "Display Name", "Register Addr", "Register Port"))
             for n in range(1, 5) if v.get(f"SIP{n} Enable Reg") == "1"]
    return {"lines": lines, "admin": v["Account1 Pass"], "ntp": v["SNTP Server"],
            "outbound": v.get("SIP2 Proxy Addr")}


def poly(data):
    root = ElementTree.fromstring(data)
    v = {}
    for element in root:
        assert not set(v) & set(element.attrib)
        v.update(element.attrib)
    numbers = sorted({k.split(".")[1] for k in v if k.startswith("reg.")})
    assert v["device.set"] == "1" and v["device.prov.serverName.set"] == "1"
    assert v["voIpProt.SIP.specialEvent.checkSync.alwaysReboot"] == "0"
    lines = [tuple(v[f"reg.{n}.{k}"] for k in
                   ("address", "auth.userId", "auth.password", "displayName", "server.1.address",
                    "server.1.port")) for n in numbers]
    return {"lines": lines, "admin": v["device.auth.localAdminPassword"],
            "ntp": v["tcpIpApp.sntp.address"], "url": v["device.prov.serverName"],
            "outbound": v.get("reg.2.outboundProxy.address")}


def obi(data):
    v = {}
    for group in ElementTree.fromstring(data):
        for parameter in group.findall("P"):
            name = group.findtext("N") + parameter.findtext("N")
            assert name not in v
            v[name] = parameter.findtext("V")
    lines = []
    for n in range(1, 5):
        line = f"VoiceService.1.VoiceProfile.1.Line.{n}."
        profile = f"VoiceService.1.VoiceProfile.{n}.SIP."
        if v.get(line + "Enable") != "true":
            continue
        assert v[line + "X_ServProvProfile"] == " ABCD"[n]
        lines.append((v[line + "SIP.URI"] or v[line + "SIP.AuthUserName"],
                      v[line + "SIP.AuthUserName"], v[line + "SIP.AuthPassword"],
                      v[line + "CallingFeatures.CallerIDName"], v[profile + "ProxyServer"],
                      v[profile + "ProxyServerPort"]))
    return {"lines": lines, "admin": v["X_DeviceManagement.WebServer.AdminPassword"],
            "ntp": v["DeviceInfo.Time.NTPServer1"],
            "url": v["X_DeviceManagement.ITSPProvisioning.ConfigURL"].removesuffix(
                "9cadef010203.xml"),
            "outbound": v.get("VoiceService.1.VoiceProfile.2.SIP.OutboundProxy")}


def flat_profile(data, admin):
    root = ElementTree.fromstring(data)
    assert root.tag == "flat-profile"
    v = {}
    for element in root:
        assert element.tag not in v
        v[element.tag] = element.text or ""
    assert v["Resync_From_SIP"] == "Yes"
    lines = [tuple(v[f"{k}_{n}_"] for k in ("User_ID", "Auth_ID", "Password", "Display_Name"))
             + tuple(v[f"Proxy_{n}_"].rsplit(":", 1))
             for n in range(1, 13) if v.get(f"Line_Enable_{n}_") == "Yes"]
    return {"lines": lines, "admin": v[admin], "ntp": v["Primary_NTP_Server"],
            "url": v["Profile_Rule"].removesuffix("$MA.xml"),
            "outbound": v.get("Outbound_Proxy_2_", "").removesuffix(":5060")}


def spa(data):
    return flat_profile(data, "Admin_Passwd")


def mpp(data):
    return flat_profile(data, "Admin_Password")


def mitel(data):
    v = {k: x[1:] for k, x in pairs(data, ":").items()}
    lines = [tuple(v[f"sip line{n} {k}"] for k in
                   ("user name", "auth name", "password", "display name", "registrar ip",
                    "registrar port")) for n in range(1, 10) if f"sip line{n} user name" in v]
    assert v["download protocol"] == "HTTP"
    return {"lines": lines, "admin": v["admin password"],
            "url": f"http://{v['http server']}:{v['http port']}/{v['http path']}/",
            "outbound": v.get("sip line2 outbound proxy")}


def alcatel(data):
    root = ElementTree.fromstring(data)
    v = {element.get("id"): element.get("value") for element in root.findall("setting")}
    assert len(v) == len(root)
    lines = [tuple(v[f"Account{n}{k}"] for k in
                   ("UserName", "RegName", "Password", "DisplayName", "Server1Address",
                    "Server1Port")) for n in range(1, 9) if v.get(f"Account{n}Enable") == "true"]
    return {"lines": lines, "admin": v["DeviceSecurityAdminPwd"], "ntp": v["SettingSntpServer"],
            "url": v["DeviceProvisionServerUrl"], "outbound": v.get("Account2OutboundProxy1Address")}


def digium(data):
    root = ElementTree.fromstring(data)
    v = {element.get("id"): element.get("value") for element in root.findall("setting")}
    accounts = root.find("accounts").findall("account")
    lines = [tuple(a.get(k) for k in ("username", "authname", "password", "caller_id"))
             + tuple(a.find("host_primary").get(k) for k in ("server", "port")) for a in accounts]
    assert v["enable_check_sync"] == "1"
    assert [a.get("index") for a in accounts] == [str(i) for i in range(len(accounts))]
    return {"lines": lines, "admin": v["login_password"], "ntp": v["ntp_server"],
            "outbound": accounts[-1].get("outbound_proxy")}


def yeastar(data):
    root = ElementTree.fromstring(data)
    lines = []
    ports = root.find("gateway/fxsport")
    servers = root.find("gateway/voiptrunktemplate")
    assert int(ports.get("itemcount")) == len(ports) == len(servers)
    for i, port in enumerate(ports):
        server = servers.find(f"voiptrunktemplate{i}")
        assert port.tag == f"fxsport{i}" and port.findtext("voiptemplate") == server.findtext("idx")
        lines.append(tuple(port.findtext(k) for k in
                           ("registerusername", "registerauthname", "registerauthpassword", "name"))
                     + (server.findtext("host"), server.findtext("port")))
    return {"lines": lines,
            "admin": root.findtext("system/administratorsettings/administratorsettings0/password"),
            "ntp": root.findtext("system/dateandtime/ntpserver"),
            "url": root.findtext("system/autopsettings/serverurl"),
            "outbound": servers[-1].findtext("proxyserver_host")}


def algo(data):
    v = {k: x[1:] for k, x in pairs(data, " =").items()}
    server = tuple(v["sip.proxy"].rsplit(":", 1))
    lines = [(v["sip.u1.user"], v["sip.u1.auth"], v["sip.u1.pwd"], v["sip.u1.dname"]) + server]
    if v.get("sip.alert1.user"):
        # One server, and no display name of an alert extension: those are not asked for.
        lines.append((v["sip.alert1.user"], v["sip.alert1.auth"], v["sip.alert1.pwd"]) + SECOND[3:])
    return {"lines": lines, "admin": v["admin.pwd"], "ntp": v["net.time"],
            "url": f"{v['prov.download.method']}://{v['prov.server.static']}/"
                   f"{v['prov.download.cfgpath']}/"}


def two_n(data):
    lines = []
    root = ElementTree.fromstring(data)
    for i, sip in enumerate(root.findall("Phone/Sip")):
        assert sip.get("At") == str(i)
        if sip.findtext("Enabled") == "1":
            lines.append(tuple(sip.findtext(k) for k in
                               ("User/Id", "User/AuthId", "User/PasswordString",
                                "User/DisplayName", "Registrar/Address", "Registrar/Port")))
    return {"lines": lines, "outbound": root.findall("Phone/Sip")[1].findtext("Proxy/Address")}


def avaya(data):
    v = {}
    for line in data.decode().split("\n")[:-1]:
        name, value = re.fullmatch(r'SET (\w+) ("[^"]*"|\d+)', line).groups()
        assert name not in v
        v[name] = value.strip('"')
    host, port, transport = re.fullmatch(r"(.*):(\d+);transport=(\w+)",
                                         v["SIP_CONTROLLER_LIST"]).groups()
    assert transport == "udp" and host
    line = (v["FORCE_SIP_EXTENSION"], v["FORCE_SIP_USERNAME"], v["FORCE_SIP_PASSWORD"],
            v["DISPLAY_NAME"], v["SIPDOMAIN"], port)
    return {"lines": [line], "admin": v["FORCE_WEB_ADMIN_PASSWORD"],
            "url": f"http://{v['HTTPSRVR']}:{v['HTTPPORT']}/{v['HTTPDIR']}/"}


# A phone's own file, how it is read, and how many lines it can have.
OWN = [
    (("akuvox", "R29", "0c1105010203", "<mac>.cfg"), akuvox, 2),
    (("flyingvoice", "FIP13G", "0021f2010203", "<mac>.cfg"), flyingvoice, 2),
    (("atcom", "AT820", "808287010203", "<MAC>.cfg"), atcom, 2),
    (("poly", "VVX_400", "0004f2010203", "phone<mac>.cfg"), poly, 2),
    (("poly", "OBi202", "9cadef010203", "<mac>.xml"), obi, 2),
    (("cisco", "SPA504G", "000e08010203", "<mac>.xml"), spa, 2),
    (("cisco", "8841", "000e08010203", "<mac>.xml"), mpp, 2),
    (("cisco", "", "000e08010203", "<mac>.xml"), spa, 2),
    (("mitel", "6867i", "00085d010203", "<MAC>.cfg"), mitel, 2),
    (("alcatel", "M3", "3c28a6010203", "config.<mac>.xml"), alcatel, 2),
    (("digium", "D65", "000fd3010203", "<mac>.cfg"), digium, 2),
    (("yeastar", "TA200", "f4b549010203", "cfg<mac>.xml"), yeastar, 2),
    (("algo", "8186", "0022ee010203", "algom<MAC>.conf"), algo, 2),
    (("2n", "IP Verso", "7c1eb3010203", "<mac>.xml"), two_n, 2),
    (("avaya", "J179", "c81fea010203", "<mac>.txt"), avaya, 1),
]
MACS = {pack[0]: pack[1:3] for pack, _, _ in OWN}


def check_read(found, lines):
    assert found["lines"] == lines, (found["lines"], lines)
    expected = {"admin": COMMON["admin_password"], "ntp": COMMON["ntp_ip"], "url": BASE}
    for name, value in expected.items():
        assert found.get(name, value) == value, (name, found[name], value)


def reads_one_line(pack, read, _):
    data, problem = render(pack, COMMON | ONE)
    assert data, problem
    check_read(read(data), [FIRST])


def reads_two_lines(pack, read, lines_max):
    data, problem = render(pack, COMMON | ONE | TWO)
    assert data, problem
    found = read(data)
    check_read(found, [FIRST, SECOND][:lines_max])
    assert found.get("outbound", "10.0.0.2") == "10.0.0.2", found


def reads_bare(pack, *_):
    """A phone that nothing is set for still has a file, and a URL may name no folder."""
    for url in (URL, "10.0.0.1/a/", "http://h/one.cfg", "https://[2001:db8::1]:8443/"):
        data, problem = render(pack, {}, url)
        assert data, problem or "empty"
        if data.startswith(b"<?xml"):
            ElementTree.fromstring(data)


def hostile_values(pack, read, lines_max):
    """They come out as they are, or the file is refused; never do they make a setting of their own."""
    markup = "a&<\">'b\\%{x}{{ y }}"
    for path, place in (("sip_lines.1.display_name", 3), ("sip_lines.1.password", 2),
                        ("sip_lines.1.username", 0)):
        data, problem = render(pack, COMMON | ONE | {path: markup})
        if pack[0] == "avaya":
            name = "no_quotes_in." + path.rsplit(".", 1)[1]
            assert data is None and name in problem and "a&<" not in problem, problem
            data, problem = render(pack, COMMON | ONE | {path: markup.replace('"', "")})
            assert read(data)["lines"][0][place] == markup.replace('"', "")
        else:
            assert read(data)["lines"][0][place] == markup, (problem, data)
        for value in ("hunter2\r\nadmin.pwd = x", "hunter2\nadmin.pwd = x", "hunter2\r"):
            data, problem = render(pack, COMMON | ONE | {path: value})
            if data is None:
                assert path in problem and "hunter2" not in problem, problem
            else:
                assert data.startswith(b"<?xml"), "a line break went through"
                assert read(data)["lines"][0][place] == value
        for value in ("hunter2\x01", "hunter2\x0b"):
            data, problem = render(pack, COMMON | ONE | {path: value})
            assert data is None and path in problem and "hunter2" not in problem, problem
    for value in ("hunter2\nx", 'hunter2"><x a="'):
        data, problem = render(pack, COMMON | ONE | {"admin_password": value})
        if data is None:
            assert "admin_password" in problem and "hunter2" not in problem, problem
        elif "admin" in read(data):
            assert read(data)["admin"] == value


def every_file():
    for pack_path in sorted((ROOT / "vendors").glob("*/pack.json")):
        pack = json.loads(pack_path.read_text(encoding="utf-8"))
        if pack["name"] not in MACS:
            continue
        for row in pack["files"]:
            if row["kind"] == "config":
                yield (pack["name"], *MACS[pack["name"]], row["name"]), row


def public_files_hold_no_secrets():
    """Not even the URL with the device's key: such a file is given to whoever asks."""
    count = 0
    for pack, row in every_file():
        data, problem = render(pack, {})
        assert data, problem or "empty"
        data, problem = render(pack, COMMON | ONE | TWO | {"timezone": "Europe/Berlin"})
        assert data, problem
        if row["format"] == "xml":
            ElementTree.fromstring(data)
        has_secrets = any(secret.encode() in data for secret in
                          (KEY, "s3cret", "t0psecret", "Adm1n+pass", "Us3r+pass"))
        assert has_secrets == row["secrets"], pack
        count += not row["secrets"]
    assert count == 11, count


def every_template_is_tested():
    own = {(pack[0], pack[3]) for pack, _, _ in OWN}
    secret = {(pack[0], pack[3]) for pack, row in every_file() if row["secrets"]}
    assert own == secret, own ^ secret


def public_files_lead_to_the_own():
    def text(vendor, name):
        return render((vendor, *MACS[vendor], name), COMMON)[0].decode()
    master = ElementTree.fromstring(text("poly", "<mac>.cfg"))
    assert master.get("CONFIG_FILES") in ("phone" + MACS["poly"][1] + ".cfg",), master.attrib
    assert text("avaya", "J100Supgrade.txt").endswith("GET 46xxsettings.txt\n")
    assert text("avaya", "46xxsettings.txt").endswith("GET $MACADDR.txt\n")
    assert '"0021f2010203.cfg"' in text("flyingvoice", "<mac>.boot")
    assert "<Profile_Rule>/$MA.xml</Profile_Rule>" in text("cisco", "<model>.cfg")
    assert 'value="config.$mac.xml"' in text("alcatel", "config.<model>.xml")
    assert "time server1: 10.0.0.9\n" in text("mitel", "aastra.cfg")


def main():
    tests = [(f"{function.__name__} {'/'.join(row[0][:2])}", function, row)
             for row in OWN for function in (reads_one_line, reads_two_lines, reads_bare,
                                             hostile_values)]
    tests += [(function.__name__, function, ()) for function in
              (public_files_hold_no_secrets, every_template_is_tested,
               public_files_lead_to_the_own)]
    failed = 0
    print(f"1..{len(tests)}")
    for number, (name, function, row) in enumerate(tests, 1):
        try:
            function(*row)
            print(f"ok {number} - {name}")
        except (AssertionError, KeyError, ElementTree.ParseError, AttributeError) as error:
            failed += 1
            print("# " + repr(error).replace("\n", "\n# "))
            print(f"not ok {number} - {name}")
    sys.exit(1 if failed else 0)


main()
