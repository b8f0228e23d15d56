#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Vendor packs of an operator: what overrides what, and that a broken one changes nothing of what is
served; the commands that show and check packs."""

import json
import re
import shutil
import signal
import socket
import subprocess
import tempfile
from pathlib import Path

from house import BUILD, PATIENCE_S, SOURCE, Bellhopd, free_port, main, wait_for

MAC = "00908f602aac"


def quiet_config():
    return (f"[sip]\nlisten = 127.0.0.1:{free_port(socket.SOCK_DGRAM)}\ngroup =\n[http]\nlisten = "
            f"127.0.0.1:{free_port()}\n[https]\nlisten =\n[tftp]\nlisten =\n")


def pack(name, **members):
    return json.dumps({"schema": 1, "name": name, "display_name": members.pop("display_name", name),
                       "recognise": members.pop("recognise", {}),
                       "files": [{"name": "<mac>.cfg", "kind": "config", "template": "t",
                                  "format": "text"}], **members}, indent=1)


def put(server, folder, text, template="hello\n"):
    where = server.data / "vendors" / folder
    where.mkdir(parents=True, exist_ok=True)
    (where / "pack.json").write_text(text, encoding="utf-8")
    (where / "t").write_text(template, encoding="utf-8")


def names(server):
    return {row["name"]: row for row in server.json("pack", "list")}


def test_an_operators_pack_takes_the_place_of_a_shipped_one():
    config = quiet_config()
    with Bellhopd(config) as server:
        assert names(server)["audiocodes"]["origin"] == "shipped"
        put(server, "mine", pack("audiocodes", display_name="Mine"))
        put(server, "new", pack("newmaker", recognise={"oui": ["00908f"]}))
        server.reload(config)
        known = names(server)
        assert known["audiocodes"]["origin"] == "operator", known
        assert known["audiocodes"]["display_name"] == "Mine"
        assert known["audiocodes"]["folder"] == "mine"
        assert known["newmaker"]["origin"] == "operator"
        assert sorted(known) == list(known), "in the order of their names"
        # The OUI is the operator's pack's now.
        server.cli("device", "add", MAC)
        assert server.device(MAC)["vendor"] == "newmaker"
        shutil.rmtree(server.data / "vendors")
        server.reload(config)
        assert "newmaker" not in names(server)
        assert names(server)["audiocodes"]["origin"] == "shipped"


def test_a_broken_pack_stays_as_it_was_and_holds_up_nothing_else():
    config = quiet_config()
    with Bellhopd(config) as server:
        put(server, "a", pack("amaker", display_name="One"), "one\n")
        put(server, "b", pack("bmaker", display_name="One"))
        server.reload(config)
        server.cli("device", "claim", MAC, "--vendor", "amaker")
        assert server.cli("device", "preview", MAC).stdout == "one\n"
        put(server, "a", pack("amaker", display_name="Two").replace('"<mac>.cfg"', "7"), "two\n")
        put(server, "b", pack("bmaker", display_name="Two"))
        server.reload(config)
        known = names(server)
        assert known["amaker"]["display_name"] == "One", known
        assert known["bmaker"]["display_name"] == "Two", known
        assert server.cli("device", "preview", MAC).stdout == "one\n"
        told = [line for line in server.log_text().splitlines() if "pack_refused" in line]
        assert len(told) == 1, told
        assert f"{server.data}/vendors/a/pack.json:8: files[0].name: " in told[0], told
        assert "the pack as it was loaded before stays" in told[0], told
        # Once more: what stays, stays.
        server.reload(config)
        assert names(server)["amaker"]["display_name"] == "One"
        put(server, "a", pack("amaker", display_name="Three"), "three\n")
        server.reload(config)
        assert names(server)["amaker"]["display_name"] == "Three"
        assert server.cli("device", "preview", MAC).stdout == "three\n"


def test_a_broken_pack_at_the_start_leaves_the_shipped_one():
    config = quiet_config()
    with Bellhopd(config) as server:
        put(server, "audiocodes", pack("audiocodes").replace("schema", "scheme"))
        server.stop()
        server.start()
        assert names(server)["audiocodes"]["origin"] == "shipped"
        assert "pack_refused" in server.log_text()
        assert "stays" not in server.log_text()
        # And while it is broken nothing else is held up.
        server.reload(config + "[log]\nlevel = debug\n")
        assert names(server)["audiocodes"]["origin"] == "shipped"
        put(server, "audiocodes", pack("audiocodes"))
        server.reload(config)
        assert names(server)["audiocodes"]["origin"] == "operator"


def test_two_packs_of_an_operator_cannot_share_an_oui():
    config = quiet_config()
    with Bellhopd(config) as server:
        put(server, "a", pack("amaker", recognise={"oui": ["0a0000"]}))
        put(server, "b", pack("bmaker", recognise={"oui": ["0b0000", "0a0000"]}))
        server.reload(config)
        assert "amaker" in names(server) and "bmaker" not in names(server)
        assert "0a0000 is in the pack amaker already" in server.log_text()


def test_a_configuration_with_a_mistake_takes_no_packs():
    config = quiet_config()
    with Bellhopd(config) as server:
        put(server, "a", pack("amaker"))
        server.write_config(config + "[log]\nlevel = loud\n")
        server.process.send_signal(signal.SIGHUP)
        wait_for("the refusal", lambda: "reload_refused" in server.log_text())
        assert "amaker" not in names(server)


def check(folder, *options):
    return subprocess.run([BUILD / "bellhop", *options, "pack", "check", folder],
                          capture_output=True, text=True, timeout=PATIENCE_S, check=False)


def test_pack_check_needs_no_server():
    with tempfile.TemporaryDirectory() as folder:
        where = Path(folder)
        (where / "t").write_text("{% if %}", encoding="utf-8")
        (where / "pack.json").write_text(pack("audiocodes"), encoding="utf-8")
        done = check(folder)
        assert done.returncode == 1 and f"{folder}/t:1:" in done.stderr, done.stderr
        (where / "t").write_text("x\n", encoding="utf-8")
        done = check(folder)
        assert done.returncode == 0 and "takes the place of the shipped pack" in done.stdout
        (where / "pack.json").write_text(
            pack("acme", recognise={"oui": ["0a0000", "00908f"]}), encoding="utf-8")
        notes = json.loads(check(folder, "--json").stdout)
        assert notes["name"] == "acme" and notes["files"] == 1, notes
        assert notes["notes"] == ["it takes the OUI 00908f from the shipped pack audiocodes"], notes
        (where / "pack.json").write_text(pack("acme", colour=1), encoding="utf-8")
        done = check(folder)
        assert done.returncode == 1 and "colour: no such field" in done.stderr, done.stderr
        assert len(done.stderr.splitlines()) == 1
        (where / "pack.json").unlink()
        assert check(folder).returncode == 1
    assert "cannot be read: No such file" in check("/nonexistent").stderr


def test_the_worked_example_of_the_manual_works():
    text = (SOURCE / "doc" / "vendor-packs.md").read_text(encoding="utf-8")
    example = text.partition("## A worked example")[2]
    blocks = re.findall(r"^```(?:json)?\n(.*?)^```", example, re.MULTILINE | re.DOTALL)
    config = quiet_config()
    with Bellhopd(config) as server:
        folder = server.data / "vendors" / "acme"
        folder.mkdir(parents=True)
        for name, content in zip(("pack.json", "mac.cfg.j2", "common.cfg.j2"), blocks, strict=True):
            (folder / name).write_text(content, encoding="utf-8")
        assert check(folder).returncode == 0, check(folder).stderr
        server.reload(config)
        server.cli("device", "claim", "020a0c512345", "--model", "T4", "--set",
                   "sip_lines.1.username=201", "--set", "sip_lines.1.password=-", stdin="pw")
        assert server.device("020a0c512345")["vendor"] == "acme"
        for name, expected in (
                ("020a0c512345.cfg", "account.1.user=201\naccount.1.password=pw\n"),
                ("T9-020A0C512345.CFG", "account.1.user=201\naccount.1.password=pw\n"),
                ("acme.cfg", "time.zone=UTC\n")):
            assert server.cli("device", "preview", "020a0c512345", name).stdout == expected, name
        refused = server.cli("device", "preview", "020a0c512345", "020a0c512346.cfg", check=False)
        assert refused.returncode == 1


def test_every_shipped_pack_is_good_and_shown():
    with Bellhopd(quiet_config()) as server:
        known = names(server)
        for folder in sorted(path.parent for path in SOURCE.glob("vendors/*/pack.json")):
            done = check(folder)
            assert done.returncode == 0, done.stderr
            given = json.loads((folder / "pack.json").read_text(encoding="utf-8"))
            shown = server.json("pack", "show", given["name"])
            assert known[given["name"]]["display_name"] == shown["display_name"]
            assert shown["recognise"]["oui"] == given["recognise"].get("oui", [])
            assert [row["name"] for row in shown["files"]] == [row["name"] for row in given["files"]]
            assert shown["evidence"] == given.get("evidence", {})
            assert shown["quirks"] == given.get("quirks", [])
            for order in ("resync", "reboot"):
                assert (shown[order] or {}).get("event") == given.get(order, {}).get("event")
            text = server.cli("pack", "show", given["name"]).stdout
            for row in given["files"]:
                assert row["name"] in text
            for quirk in given.get("quirks", []):
                assert quirk in text
        done = server.cli("pack", "show", "nobody", check=False)
        assert done.returncode == 1 and "bellhop pack list" in done.stderr
        assert len(known) == len(server.cli("pack", "list").stdout.splitlines()) - 1


if __name__ == "__main__":
    main(globals())
