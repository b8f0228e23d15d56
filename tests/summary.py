#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The last line of a test run, `N passed, N failed, N skipped`, counted over build folders.

A TAP program counts each of its tests; one that ends badly without a failed test of its own (a
crash, a time-out) counts as one more failure. Usage: summary.py BUILD_FOLDER...; leaves with 1
when something failed or nothing passed."""

import json
import re
import sys
from pathlib import Path

BAD = {"FAIL", "ERROR", "TIMEOUT", "INTERRUPT", "UNEXPECTEDPASS"}
TAP = re.compile(r"^(not ok|ok)\b(.*)$", re.MULTILINE)


def count(test):
    passed = failed = skipped = 0
    lines = TAP.findall(test.get("stdout", ""))
    expected_to_fail = test["result"] == "EXPECTEDFAIL"
    for verdict, rest in ([] if expected_to_fail else lines):
        if "# skip" in rest.lower():
            skipped += 1
        elif verdict == "ok":
            passed += 1
        else:
            failed += 1
    if test["result"] in BAD and failed == 0:
        failed += 1
    if passed + failed + skipped == 0:
        skipped, passed = (1, 0) if test["result"] == "SKIP" else (0, 1)
    return passed, failed, skipped


def main():
    total = [0, 0, 0]
    for folder in sys.argv[1:]:
        log = Path(folder) / "meson-logs" / "testlog.json"
        for line in log.read_text(encoding="utf-8").splitlines():
            test = json.loads(line)
            counts = count(test)
            total = [a + b for a, b in zip(total, counts)]
            if counts[1]:
                print(f"failed: {test['name']} ({folder})")
    print(f"{total[0]} passed, {total[1]} failed, {total[2]} skipped")
    return 1 if total[1] or not total[0] else 0


sys.exit(main())
