#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""oracle.py RENDER_CASES CASES.json: renders every case with python3-jinja2 as well. Both must give
the same bytes, or both must refuse. A case with "differs" says why ours is another on purpose: it
must then really differ, so that the list stays true."""
import json
import subprocess
import sys

try:
    import jinja2
except ImportError:
    print("1..0 # SKIP python3-jinja2 is not installed")
    sys.exit(0)


def render(case, shared):
    environment = jinja2.Environment(
        trim_blocks=case.get("trim_blocks", False),
        lstrip_blocks=case.get("lstrip_blocks", False),
        keep_trailing_newline=case.get("keep_trailing_newline", False),
        autoescape=case.get("format") == "xml",
        undefined=jinja2.Undefined if case.get("lenient") else jinja2.StrictUndefined,
    )
    try:
        template = environment.from_string(case["template"])
        return {"output": template.render(**case.get("context", shared))}
    except Exception as error:  # whatever it raises is a refusal
        return {"error": f"{type(error).__name__}: {error}"}


def main():
    program, path = sys.argv[1:]
    with open(path, encoding="utf-8") as file:
        tests = json.load(file)
    ran = subprocess.run([program, path], stdout=subprocess.PIPE, check=True)
    ours = [json.loads(line) for line in ran.stdout.decode().splitlines()]
    failed = differing = 0
    for number, case in enumerate(tests["cases"]):
        theirs = render(case, tests["context"])
        mine = ours[number] if number < len(ours) else {"error": "no answer"}
        same = mine == theirs if "output" in theirs else "error" in mine
        good = same != ("differs" in case)
        differing += "differs" in case
        if not good:
            failed += 1
            print(f"# {case['template']!r}")
            print(f"#   ours:   {mine}")
            print(f"#   jinja2: {theirs}")
            print(f"not ok {number + 1}")
        else:
            print(f"ok {number + 1}")
    print(f"1..{len(tests['cases'])}")
    print(f"# {len(tests['cases'])} templates, {differing} listed differences, {failed} failed")
    return 1 if failed else 0


sys.exit(main())
