#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""packs_one_files.py RENDER: renders the templates of the packs of test_packs_one.c and reads them
back with a parser of the maker's format: what went in must come out, and nothing else."""
import json
import re
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ElementTree

URL = "http://10.13.4.121:8080/p/%{key}/"
BASE = "http://10.13.4.121:8080/p/00112233445566778899aabbccddeeff/"
HOSTILE = "a&<b>'c;=#%{x}\\"
QUOTED = 'x"y'


def xml_by_index(text):
    """<name idx="1">value</name>, anywhere: {("name", "1"): value}."""
    return {(e.tag, e.get("idx", "")): e.text or "" for e in ElementTree.fromstring(text).iter()}


def xml_by_name(text):
    """<param name="a" value="b"/>, and SYMB_ITEM by ID with quotes of its own. Those of an <oper>
    are arguments, and parameters of nothing."""
    found = {}
    root = ElementTree.fromstring(text)
    arguments = {argument for oper in root.iter("oper") for argument in oper}
    for e in root.iter():
        if e in arguments:
            continue
        if e.tag == "param":
            assert e.get("name") not in found, e.get("name")
            found[e.get("name")] = e.get("value")
        elif e.tag == "SYMB_ITEM":
            value = e.get("value")
            if value.startswith('"'):
                assert value.endswith('"') and '"' not in value[1:-1], value
                value = value[1:-1]
            assert e.get("ID") not in found, e.get("ID")
            found[e.get("ID")] = value
    return found


def xml_by_tag(text):
    found = {}
    for e in ElementTree.fromstring(text).iter():
        if len(e) == 0:
            assert e.tag not in found, e.tag
            found[e.tag] = e.text or ""
    return found


def xml_by_account(text):
    """<idx id="1"><a>b</a></idx>: {("a", "1"): b}; what stands elsewhere under ("a", "")."""
    found = {}
    root = ElementTree.fromstring(text)
    for account in root.iter("idx"):
        for e in account:
            found[(e.tag, account.get("id"))] = e.text or ""
    for part in root:
        for e in part:
            if e.tag != "idx":
                found[(part.tag + "." + e.tag, "")] = "".join(e.itertext())
    return found


def escene(text):
    found = {}
    for e in ElementTree.fromstring(text).iter():
        for name, value in e.attrib.items():
            found[(name, e.get("id", ""))] = value
    return found


def equals(text, separator, quotes=False, repeatable=()):
    """name SEPARATOR value, a line each; comments begin with #."""
    found = {}
    for line in text.split("\n"):
        if not line or line.startswith("#"):
            continue
        name, value = line.split(separator, 1)
        if quotes:
            assert value[0] == value[-1] == '"' and '"' not in value[1:-1], line
            value = value[1:-1]
        if name in repeatable:
            found.setdefault(name, []).append(value)
            continue
        assert name not in found, name
        found[name] = value
    return found


def yealink(text):
    assert text.startswith("#!version:1.0.0.1\n")
    return equals(text, " = ", repeatable=("static.security.user_password", "security.user_password"))


def vtech(text):
    return equals(text, " = ")


def panasonic(text):
    assert text.startswith("# Panasonic SIP Phone Standard Format File #\n") and text.endswith("\n\n")
    return equals(text, "=", quotes=True)


def fanvil(text):
    assert text.startswith("<<VOIP CONFIG FILE>>Version:2.0000000000\n")
    assert text.endswith("\n<<END OF FILE>>\n")
    module, found = "", {}
    for line in text.split("\n")[1:-2]:
        if re.fullmatch(r"<[A-Z ]+ MODULE>", line):
            module = line
        elif line and not line.startswith("--"):
            name, value = line.split(":", 1)
            assert module and (module, name.strip()) not in found, line
            found[module, name.strip()] = value
    return found


def by_index(**names):
    return lambda n: {role: (name, str(n)) for role, name in names.items()}


SNOM_LINE = by_index(user="user_name", auth="user_pname", password="user_pass",
                     display="user_realname", host="user_host", outbound="user_outbound")
PLATFORM = {"user": "user_id", "auth": "authentication_name",
            "password": "authentication_access_password", "display": "display_name",
            "host": "primary_registration_server_address",
            "port": "primary_registration_server_port",
            "outbound": "primary_outbound_proxy_server_address",
            "outbound_port": "primary_outbound_proxy_server_port"}


def platform_text(n):
    return {role: f"sip_account.{n}.{name}" for role, name in PLATFORM.items()}


def yealink_line(n):
    names = {"user": "user_name", "auth": "auth_name", "password": "password",
             "display": "display_name", "host": "sip_server.1.address",
             "port": "sip_server.1.port", "outbound": "outbound_proxy.1.address",
             "outbound_port": "outbound_proxy.1.port"}
    return {role: f"account.{n}.{name}" for role, name in names.items()}


def fanvil_line(n):
    names = {"user": "Phone Number", "auth": "Register User", "password": "Register Pswd",
             "display": "Display Name", "host": "Register Addr", "port": "Register Port",
             "outbound": "Proxy Addr", "outbound_port": "Proxy Port"}
    return {role: ("<SIP CONFIG MODULE>", f"SIP{n} {name}") for role, name in names.items()}


def panasonic_line(n):
    names = {"user": "PHONE_NUMBER", "auth": "SIP_AUTHID", "password": "SIP_PASS",
             "display": "DISPLAY_NAME", "host": "SIP_RGSTR_ADDR", "port": "SIP_RGSTR_PORT",
             "outbound": "SIP_OUTPROXY_ADDR", "outbound_port": "SIP_OUTPROXY_PORT"}
    return {role: f"{name}_{n}" for role, name in names.items()}


def numbers(*rows):
    """By P numbers: user, auth, password, display, host:port, outbound:port."""
    roles = ("user", "auth", "password", "display", "place", "outbound_place")
    return lambda n: {role: f"P{p}" for role, p in zip(roles, rows[n - 1])}


def nx70_line(n):
    names = {"user": "UserName", "auth": "AuthName", "password": "AuthPassword",
             "display": "DisplayName"}
    line = {role: f"SipAccount.{n:05}.{name}" for role, name in names.items()}
    return {**line, "host": "SipProvider.0.RegServerAddress",
            "port": "SipProvider.0.RegServerPort",
            "outbound": "SipProvider.0.OutboundProxyAddress",
            "outbound_port": "SipProvider.0.OutboundProxyPort"}


def maxwell_line(n):
    names = {"user": "Username", "auth": "AuthName", "password": "AuthPassword",
             "display": "DisplayName", "host": "RegistrationServer.Address",
             "port": "RegistrationServer.Port"}
    return {role: f"SIP.Account.{n - 1}.{name}" for role, name in names.items()}


def n510_line(n):
    end = "" if n == 1 else f"_{n}"
    return {"user": f"BS_IP_Data1.aucS_SIP_USER_ID{end}",
            "auth": f"BS_IP_Data3.aucS_SIP_LOGIN_ID{end}",
            "password": f"BS_IP_Data1.aucS_SIP_PASSWORD{end}",
            "display": f"BS_IP_Data1.aucS_SIP_DISPLAYNAME{end}",
            "host": f"BS_IP_Data1.aucS_SIP_REGISTRAR{end}",
            "hex_port": f"BS_IP_Data1.uiI_SIP_REGISTRAR_PORT{end}"}


def n720_line(n):
    account = f"BS_VOIP_Data.astVoipAccounts[{n - 1}]"
    return {"user": f"{account}.aucS_SIP_USER_ID[0]", "auth": f"{account}.aucS_SIP_LOGIN_ID[0]",
            "password": f"{account}.aucS_SIP_PASSWORD[0]",
            "display": f"{account}.aucS_SIP_DISPLAYNAME[0]",
            "host": "BS_VOIP_Data.astVoipProviders[0].aucSIP_REGISTRAR[%]",
            "hex_port": "BS_VOIP_Data.astVoipProviders[0].uiSIP_REGISTRAR_PORT"}


def escene_line(n):
    names = {"user": "UserNumber", "auth": "approveName", "password": "Password",
             "display": "UserName", "host": "DomainName", "place_of_outbound": "ProxyServerAddress"}
    return {role: (name, str(n - 1)) for role, name in names.items()}


GRANDSTREAM = numbers((35, 36, 34, 3, 47, 48), (404, 405, 406, 407, 402, 403))
HTEK = numbers((35, 36, 34, 3, 47, 48), (735, 736, 734, 703, 747, 748))

# vendor, model, MAC, file; its parser, a line's names; where the URL and the administrator's
# password are, and what the URL is there; where and as what Asia/Kolkata stands.
FILES = [
    ("snom", "D785", "000413922d24", "snomD785-000413922D24.htm", xml_by_index, SNOM_LINE,
     (("setting_server", ""), BASE + "{mac}.xml"), ("admin_mode_password", ""),
     (("utc_offset", ""), "+19800")),
    ("snom", "370", "00041322aabb", "00041322AABB.xml", xml_by_index, SNOM_LINE,
     (("setting_server", ""), BASE + "{mac}.xml"), ("admin_mode_password", ""),
     (("utc_offset", ""), "+19800")),
    ("snom", "M900", "000413b60680", "000413B60680.xml", xml_by_index, SNOM_LINE,
     None, ("admin_mode_password", ""),
     (("utc_offset", ""), "+19800")),
    ("snom", "C520", "000413a1b2c3", "000413A1B2C3.xml", xml_by_account, by_index(**PLATFORM),
     (("provisioning.server_address", ""), BASE), ("profile.admin", ""),
     (("time_date.selected_timezone", ""), "Asia/Kolkata")),
    ("snom", "C520", "000413a1b2c3", "C520_000413A1B2C3.cfg", vtech, platform_text,
     ("provisioning.server_address", BASE), "profile.admin.access_password",
     ("time_date.selected_timezone", "Asia/Kolkata")),
    ("yealink", "T46S", "001565aabbcc", "001565aabbcc.cfg", yealink, yealink_line,
     ("static.auto_provision.server.url", BASE), None, ("local_time.time_zone", "+5:30")),
    ("grandstream", "GXP2170", "000b82aabbcc", "cfg000b82aabbcc.xml", xml_by_tag, GRANDSTREAM,
     ("P237", BASE[len("http://"):]), "P2", ("P246", "IST-5:30")),
    ("fanvil", "X5U", "0c383eaabbcc", "0c383eaabbcc.cfg", fanvil, fanvil_line,
     (("<AUTOUPDATE CONFIG MODULE>", "Flash File Name"),
      "p/00112233445566778899aabbccddeeff/$mac.cfg"),
     ("<MMI CONFIG MODULE>", "Account1 Password"),
     (("<PHONE FEATURE MODULE>", "Time Zone"), "22")),
    ("gigaset", "N870 IP PRO", "7c2f80e0d605", "7C2F80E0D605.xml", xml_by_name, nx70_line,
     ("Provisioning.global.ProvisioningServer", BASE), "WebUIAccounts.1.Password",
     ("DmGlobal.0.TimeZone", "Asia/Kolkata")),
    ("gigaset", "Maxwell 3", "7c2f8030d21e", "7C2F8030D21E.xml", xml_by_name, maxwell_line,
     ("System.Provision.ProvisioningServer", BASE), "WebUI.AdminPassword", None),
    ("gigaset", "N510 IP PRO", "7c2f80aabbcc", "7C2F80AABBCC.xml", xml_by_name, n510_line,
     ("BS_IP_Data1.aucS_DATA_SERVER[0]", BASE[len("http://"):-1]), None, None),
    ("gigaset", "N720 DM PRO", "7c2f80ca21e4", "7C2F80CA21E4.xml", xml_by_name, n720_line,
     ("BS_IP_Data.aucS_DATA_SERVER[%]", BASE[len("http://"):-1]), None, None),
    ("gigaset", "P850", "000413e5a1b2", "000413E5A1B2.xml", xml_by_index, SNOM_LINE,
     (("setting_server", ""), BASE + "{mac}.xml"), ("webserver_admin_password", ""),
     (("utc_offset", ""), "+19800")),
    ("panasonic", "KX-UT123", "0080f0a1b2c3", "Config0080F0A1B2C3.cfg", panasonic, panasonic_line,
     ("CFG_STANDARD_FILE_PATH", BASE + "Config{MAC}.cfg"), "ADMIN_PASS", ("TIME_ZONE", "330")),
    ("panasonic", "KX-HDV130", "bcc342a1b2c3", "bcc342a1b2c3.cfg", panasonic, panasonic_line,
     ("CFG_STANDARD_FILE_PATH", BASE + "Config{MAC}.cfg"), "ADMIN_PASS", ("TIME_ZONE", "330")),
    ("htek", "UC926", "001fc1a1b2c3", "cfg001fc1a1b2c3.xml", xml_by_tag, HTEK,
     ("P237", BASE), "P2", None),
    ("htek", "UC926", "001fc1a1b2c3", "001fc1a1b2c3.cfg", xml_by_tag, HTEK,
     ("P237", BASE), "P2", None),
    ("sangoma", "S500", "005058a1b2c3", "cfg005058a1b2c3.xml", xml_by_tag, HTEK,
     ("P237", BASE), "P2", None),
    ("vtech", "VCS754", "00122aa1b2c3", "VCS754_00122AA1B2C3.cfg", vtech, platform_text,
     ("provisioning.server_address", BASE), "profile.admin.access_password",
     ("time_date.selected_timezone", "Asia/Kolkata")),
    ("vtech", "ET635", "00122aa1b2c3", "00122AA1B2C3.xml", xml_by_index, SNOM_LINE,
     (("setting_server", ""), BASE + "{mac}.xml"), ("admin_mode_password", ""), None),
    ("escene", "ES320", "00268ba1b2c3", "00268ba1b2c3.xml", escene, escene_line,
     (("Firmware", ""), BASE[len("http://"):]), None, None),
]
XML = {xml_by_index, xml_by_name, xml_by_tag, xml_by_account, escene}
ONE_PROVIDER = {"N870 IP PRO", "N720 DM PRO"}
NO_TRANSPORT = {"N510 IP PRO", "N720 DM PRO"}
REFUSES_QUOTES = {"N510 IP PRO", "N720 DM PRO", "KX-UT123", "KX-HDV130"}

VALUES = {"sip_registrar_ip": "pbx.example.org", "sip_registrar_port": "5070",
          "sip_outbound_proxy_ip": "edge.example.org", "sip_outbound_proxy_port": "5080",
          "admin_password": "Adm1n", "user_password": "Us3r", "timezone": "Asia/Kolkata",
          "ntp_ip": "10.0.0.123"}
OUTBOUND = ("edge.example.org", "5080")


def line(n, **changes):
    values = {"username": f"10{n}", "auth_username": f"auth{n}", "password": f"Secret-{n}",
              "display_name": f"Desk {n}"}
    return {f"sip_lines.{n}.{name}": text for name, text in {**values, **changes}.items()}


class Judge:
    def __init__(self, program):
        self.program = program
        self.count = self.failed = 0

    def render(self, cases):
        with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
            json.dump(cases, file)
            file.flush()
            ran = subprocess.run([self.program, file.name], stdout=subprocess.PIPE, check=True)
        groups = ran.stdout.decode().split("\n\n")
        return [[json.loads(text) for text in group.splitlines() if text]
                for group in groups[:len(cases)]]

    def run(self, name, check, *arguments):
        self.count += 1
        try:
            check(*arguments)
            print(f"ok {self.count} - {name}")
        except (AssertionError, KeyError, ElementTree.ParseError, ValueError) as error:
            self.failed += 1
            print(f"not ok {self.count} - {name}")
            print(f"# {type(error).__name__}: {error}"[:2000].replace("\n", "\n# "))


def case(row, settings, url=URL):
    vendor, model, mac, name = row[:4]
    return {"vendor": vendor, "model": model, "mac": mac, "name": name, "url": url,
            "settings": settings}


def output(results):
    assert len(results) == 1 and "output" in results[0], results
    return results[0]["output"]


def same(found, key, expected):
    assert found[key] == expected, f"{key} is {found[key]!r}, expected {expected!r}"


def check_line(found, names, n, host, port, transport="udp", outbound=OUTBOUND):
    same(found, names["user"], f"10{n}")
    same(found, names["auth"], f"auth{n}")
    same(found, names["password"], f"Secret-{n}")
    same(found, names["display"], f"Desk {n}")
    if "host" in names:
        # Where a port that is not the usual one stands nowhere else, it follows the host.
        beside = "outbound" in names and "port" not in names and port == "5070"
        same(found, names["host"], f"{host}:{port}" if beside else host)
    if "port" in names:
        same(found, names["port"], port)
    if "hex_port" in names:
        same(found, names["hex_port"], f"0x{int(port):x}")
    if "place" in names:
        same(found, names["place"], f"{host}:{port}")
    if "outbound_port" in names:
        same(found, names["outbound"], outbound[0])
        same(found, names["outbound_port"], outbound[1])
    elif "outbound" in names:
        same(found, names["outbound"], f"{outbound[0]}:{outbound[1]};transport={transport}")
    if "outbound_place" in names:
        same(found, names["outbound_place"], ":".join(outbound))
    if "place_of_outbound" in names:
        same(found, names["place_of_outbound"], ":".join(outbound))


def check_plain(judge, row):
    """Nothing set, one line, two lines."""
    parse, names, url, admin, zone = row[4:]
    bare, one, two, elsewhere = judge.render([
        case(row, {}), case(row, {**VALUES, **line(1)}), case(row, {**VALUES, **line(1), **line(2)}),
        case(row, {**VALUES, **line(1)}, "tftp://%{address}/one.cfg")])
    parse(output(bare))
    found = parse(output(one))
    check_line(found, names(1), 1, "pbx.example.org", "5070")
    assert names(2)["password"] not in found
    if url:
        same(found, url[0], url[1])
    if admin:
        same(found, admin, "Adm1n")
    if zone:
        same(found, zone[0], zone[1])
    assert "10.0.0.123" in output(one) or row[1] == "C520" or row[0] == "vtech"
    found = parse(output(two))
    for n in (1, 2):
        check_line(found, names(n), n, "pbx.example.org", "5070")
    # A URL that is no folder is none to come back to.
    assert not url or url[0] not in parse(output(elsewhere))


def check_own_servers(judge, row):
    """A line's own registrar is used for it, where the maker has one for each line."""
    parse, names = row[4:6]
    kinds = ("udp", "tcp", "tls")
    results = judge.render([case(row, {**VALUES, **line(1), **line(2), "sip_lines.2.registrar_ip":
                                       "other.example.org", "sip_transport": kind})
                            for kind in kinds])
    transports = {output(result).replace("5061", "5060") for result in results}
    assert len(transports) == 3 or row[1] in NO_TRANSPORT, "the transport shows nowhere"
    if row[1] in ONE_PROVIDER:
        return
    for result, kind, port in zip(results, kinds, ("5060", "5060", "5061")):
        found = parse(output(result))
        check_line(found, names(1), 1, "pbx.example.org", "5070", kind)
        if "place" in names(2):
            same(found, names(2)["place"],
                 "other.example.org" + ("" if port == "5060" else ":" + port))
        else:
            check_line(found, names(2), 2, "other.example.org", port, kind)


def check_hostile(judge, row):
    """What could break out of its place comes back as it went in, or is refused."""
    parse, names, _, admin, _ = row[4:]
    quoted = HOSTILE + QUOTED
    for text in (HOSTILE, quoted):
        settings = {**VALUES, "admin_password": text, "user_password": text,
                    **line(1, username=text, auth_username=text, password=text, display_name=text)}
        results, = judge.render([case(row, settings)])
        if text == quoted and row[1] in REFUSES_QUOTES:
            assert "error" in results[0] and "quote" in results[0]["error"], results
            assert HOSTILE not in results[0]["error"], results
            continue
        found = parse(output(results))
        for role in ("user", "auth", "password", "display"):
            same(found, names(1)[role], text)
        if admin:
            same(found, admin, text)
        # As many parameters as with plain values.
        plain = {**settings, **line(1), "admin_password": "a", "user_password": "b"}
        assert set(parse(output(judge.render([case(row, plain)])[0]))) == set(found)


def check_line_breaks(judge, row):
    parse, names = row[4:6]
    for end in ("\r\n", "\n", "\r", "\u2028"):
        text = f"hunter2{end}evil = 1"
        results, = judge.render([case(row, {**VALUES, **line(1, password=text)})])
        if parse in XML:
            same(parse(output(results)), names(1)["password"], text)
        else:
            assert "error" in results[0] and "sip_lines.1.password" in results[0]["error"], results
            assert "hunter2" not in results[0]["error"], results


def check_addresses(judge, row):
    """IPv6 servers, in brackets where a port follows."""
    parse, names = row[4:6]
    results, = judge.render([case(row, {**line(1), "sip_proxy_ip": "2001:db8::1",
                                        "sip_outbound_proxy_ip": "2001:db8::2"})])
    found = parse(output(results))
    if "place" in names(1):
        same(found, names(1)["place"], "[2001:db8::1]")
        same(found, names(1)["outbound_place"], "[2001:db8::2]")
    elif "outbound" in names(1) and "outbound_port" not in names(1):
        same(found, names(1)["host"], "[2001:db8::1]")
        same(found, names(1)["outbound"], "[2001:db8::2]:5060;transport=udp")
    else:
        same(found, names(1)["host"], "2001:db8::1")


def check_open_files(judge, row):
    """Files that open without a proof hold no secret, neither a password nor the key."""
    settings = {**VALUES, **line(1), **line(2), "user_password": "Us3r-pw"}
    results, = judge.render([{**case(row, settings), "name": ""}])
    for result in results:
        assert "output" in result, result
        for secret in ("Adm1n", "Us3r", "Secret-", "auth1", "001122334455"):
            assert secret not in result["output"], result["output"]
        if "<?xml" in result["output"]:
            ElementTree.fromstring(result["output"])


# Berlin, Lord Howe (half an hour) and Kolkata (none).
SUMMER = {
    "snom": ("dst", ["3600 03.05.07 02:00:00 10.05.07 03:00:00",
                     "1800 10.01.07 02:00:00 04.01.07 02:00:00", ""]),
    "yealink": ("local_time.start_time", ["3/5/7/2", "10/1/7/2", None]),
    "panasonic": ("DST_START_MONTH", ["3", "10", None]),
    "grandstream": ("P246", ["CET-1CEST,M3.5.0,M10.5.0/3",
                             "STD-10:30DST-11,M10.1.0,M4.1.0", "IST-5:30"]),
}


def check_summer_time(judge, vendor):
    name, expected = SUMMER[vendor]
    row = next(row for row in FILES if row[0] == vendor)
    zones = ("Europe/Berlin", "Australia/Lord_Howe", "Asia/Kolkata")
    results = judge.render([case(row, {**VALUES, "timezone": zone}) for zone in zones])
    for result, value in zip(results, expected):
        found = row[4](output(result))
        assert found.get((name, "") if vendor == "snom" else name) == value, (value, found)
    results, = judge.render([case(row, {**VALUES, "timezone": "Mars/Olympus_Mons"})])
    assert "error" in results[0], results


# Other spellings of a phone's own file, and names that are another phone's or nobody's.
SPELLINGS = {
    "snom": (["00:04:13:92:2D:24.xml", "snomD785-00-04-13-92-2d-24.htm", "SNOMD785-000413922D24.HTM",
              "settings-000413922d24.xml"],
             ["000413922d25.xml", "snomD785-000413922D25.htm", "x000413922d24.xml"]),
    "yealink": (["001565AABBCC.CFG", "00-15-65-aa-bb-cc.cfg"], ["001565aabbcd.cfg", "001565aabbcc.cf"]),
    "grandstream": (["cfg000B82AABBCC.XML", "cfg000b82aabbcc.cfg"], ["cfg000b82aabbcd.xml"]),
    "fanvil": (["0C383EAABBCC.cfg", "0c:38:3e:aa:bb:cc.cfg"], ["0c383eaabbcd.cfg"]),
    "panasonic": (["config0080f0a1b2c3.cfg", "0080F0A1B2C3.cfg"], ["Config0080F0A1B2C4.cfg"]),
}


def check_spellings(judge, vendor):
    row = next(row for row in FILES if row[0] == vendor)
    own, foreign = SPELLINGS[vendor]
    text = output(judge.render([case(row, line(1))])[0])
    for name in own:
        assert output(judge.render([{**case(row, line(1)), "name": name}])[0]) == text, name
    for name in foreign:
        results, = judge.render([{**case(row, line(1)), "name": name}])
        assert results == [{"error": "there is no such file"}], (name, results)


def check_model_is_asked_for(judge):
    row = ("gigaset", "", "7c2f80e0d605", "7C2F80E0D605.xml")
    results, = judge.render([case(row, line(1))])
    assert "set_the_model_of_this_device" in results[0].get("error", ""), results


def main():
    judge = Judge(sys.argv[1])
    for row in FILES:
        what = f"{row[0]} {row[1]} {row[3]}"
        judge.run(f"{what}: values", check_plain, judge, row)
        judge.run(f"{what}: servers of a line", check_own_servers, judge, row)
        judge.run(f"{what}: hostile values", check_hostile, judge, row)
        judge.run(f"{what}: line breaks", check_line_breaks, judge, row)
        judge.run(f"{what}: IPv6", check_addresses, judge, row)
        judge.run(f"{what}: open files", check_open_files, judge, row)
    for vendor in SUMMER:
        judge.run(f"{vendor}: summer time", check_summer_time, judge, vendor)
    for vendor in SPELLINGS:
        judge.run(f"{vendor}: spellings of a name", check_spellings, judge, vendor)
    judge.run("gigaset: without a model", check_model_is_asked_for, judge)
    print(f"1..{judge.count}")
    return 1 if judge.failed else 0


sys.exit(main())
