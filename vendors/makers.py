#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The README's table of makers, out of vendors/*/pack.json.

usage: makers.py                print the table
       makers.py --write FILE   put it between the two marks in FILE
       makers.py --check FILE   TAP: whether it stands there as it should
"""

import json
import sys
from pathlib import Path

BEGIN, END = "<!-- makers: printed by vendors/makers.py -->\n", "<!-- end of makers -->\n"
STRONGEST_FIRST = ["capture", "firmware", "manual", "code", "inference"]
NOTHING = "–"


def names_of(pack, kind):
    """Files of a kind; those that make a phone complete first."""
    rows = [row for row in pack["files"] if row["kind"] == kind]
    rows.sort(key=lambda row: not row.get("essential", False))
    return ", ".join(f"`{row['name']}`" for row in rows)


def configuration(pack):
    return names_of(pack, "config") or "stored: " + (names_of(pack, "stored") or NOTHING)


def resync(pack):
    order = pack.get("resync")
    if not order:
        return NOTHING
    remarks = [text for flag, text in (("reboots", "restarts it"),
                                       ("needs_account", "once it is registered"),
                                       ("asks_credentials", "with its password")) if order.get(flag)]
    return f"`{order['event']}`" + (f" ({', '.join(remarks)})" if remarks else "")


def evidence(pack):
    """What recognition, files, answer and orders rest on, from the strongest to the weakest."""
    told = pack.get("evidence", {})
    parts = []
    for title, fields in (("recognition", ("recognise",)), ("files", ("files",)),
                          ("answer", ("url", "answer")), ("resync", ("resync",))):
        found = {kind for field, kind in told.items() if field.split(".")[0] in fields}
        ranks = sorted(STRONGEST_FIRST.index(kind) for kind in found)
        if ranks and not (title == "resync" and not pack.get("resync")):
            first, last = STRONGEST_FIRST[ranks[0]], STRONGEST_FIRST[ranks[-1]]
            parts.append(f"{title}: {first}" + (f" to {last}" if first != last else ""))
    return "; ".join(parts) or NOTHING


def row(pack):
    cells = [pack["display_name"], pack.get("discovered_by", NOTHING),
             pack.get("identified_by", NOTHING), configuration(pack),
             names_of(pack, "firmware") or NOTHING, resync(pack), evidence(pack)]
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |\n"


def table():
    packs = [json.loads(path.read_text(encoding="utf-8"))
             for path in Path(__file__).resolve().parent.glob("*/pack.json")]
    packs.sort(key=lambda pack: (pack["display_name"].casefold(), pack["name"]))
    head = ["maker", "discovered by", "identified by", "configuration", "firmware", "resync",
            "evidence"]
    return "| " + " | ".join(head) + " |\n" + "|---" * len(head) + "|\n" + "".join(map(row, packs))


def split(path):
    """What stands before the table, the table, and what follows it."""
    text = Path(path).read_text(encoding="utf-8")
    before, begin, rest = text.partition(BEGIN)
    there, end, after = rest.partition(END)
    if not begin or not end:
        sys.exit(f"{path} has no marks for the table: {BEGIN.strip()} and {END.strip()}")
    return before + begin, there, end + after


def main(arguments):
    if not arguments:
        sys.stdout.write(table())
    elif arguments[0] == "--write" and len(arguments) == 2:
        before, _, after = split(arguments[1])
        Path(arguments[1]).write_text(before + table() + after, encoding="utf-8")
    elif arguments[0] == "--check" and len(arguments) == 2:
        is_good = split(arguments[1])[1] == table()
        print("1..1")
        if not is_good:
            print(f"# run vendors/makers.py --write {arguments[1]}")
        print("ok" if is_good else "not ok", "1 - the table of makers is what the packs say")
        sys.exit(not is_good)
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main(sys.argv[1:])
