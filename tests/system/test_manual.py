#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The manual pages against the programs: every command, option and configuration key stands in its
page, nothing stands there that is not, and the pages are whole and render without a warning."""

import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from house import BUILD, SOURCE, Skip, main, make_certificate

MAN = SOURCE / "doc" / "man"
PAGES = {"bellhop.1": "EXAMPLES FILES ENVIRONMENT", "bellhopd.8": "EXAMPLES FILES SIGNALS",
         "bellhop-agent.1": "EXAMPLES FILES SIGNALS", "bellhop.conf.5": "EXAMPLES FILES"}


def page(name):
    return (MAN / f"{name}.scd").read_text(encoding="utf-8")


def output(program, *arguments):
    done = subprocess.run([BUILD / program, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def options_of(text):
    return set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", text))


def bold(text):
    """What a page shows in bold: words to be typed."""
    return " ".join(re.findall(r"(?<!\\)\*([^*\n]+)\*", text))


def code(text):
    return re.findall(r"^```\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def commands():
    """(command, its help) of each row of the table."""
    part = output("bellhop", "help").partition("\ncommands:\n")[2].partition("\noptions")[0]
    rows = re.findall(r"^  ([a-z]+(?: [a-z]+)?)(?= |$)", part, re.MULTILINE)
    assert len(rows) > 15, rows
    for row in rows:
        words = [word for word in row.split() if word]
        yield " ".join(words), output("bellhop", "help", *words)


def test_every_command_and_option_of_bellhop():
    text = page("bellhop.1")
    known = set()
    for command, told in commands():
        assert f"*{command}*" in text, command
        known |= options_of(told)
    shown = options_of(bold(text))
    assert known == shown, known ^ shown


def test_summaries_stand_in_one_column():
    part = output("bellhop", "help").partition("\ncommands:\n")[2].partition("\n\n")[0]
    for line in part.splitlines():
        alone = re.fullmatch(r"  \S.*", line) and len(line) > 29 and "  " not in line[2:]
        assert alone or (line[29] == " " and line[30] != " "), line


def test_every_option_of_the_other_programs():
    for program, section in (("bellhopd", 8), ("bellhop-agent", 1)):
        known = options_of(output(program, "--help"))
        shown = options_of(bold(page(f"{program}.{section}")))
        assert known and known == shown, (program, known ^ shown)


def test_every_key_of_the_configuration():
    text = page("bellhop.conf.5")
    sections = {name: body for name, body in
                re.findall(r"^# \[(\w+)\]\n(.*?)(?=^# )", text, re.MULTILINE | re.DOTALL)}
    shown = {(section, key): value for section, body in sections.items()
             for key, value in re.findall(r"^\*(\w+)\* =(?: _(.*?)_)?(?:\+\+)?$", body, re.MULTILINE)}
    known, section = {}, None
    with tempfile.NamedTemporaryFile() as empty:
        for line in output("bellhopd", "-c", empty.name, "--print-config").splitlines():
            if line.startswith("["):
                section = line.strip("[]")
            elif "=" in line and not line.startswith(";"):
                key, _, value = line.partition("=")
                known[section, key.strip()] = value.strip()
    assert len(known) > 25, known
    assert set(known) == set(shown), set(known) ^ set(shown)
    for name, value in known.items():
        # DATA/ is printed as the data folder that it stands for; quotes are for the file alone.
        value = value.strip('"').replace("/var/lib/bellhop/", "DATA/")
        assert value == shown[name], (name, value, shown[name])


def test_pages_have_their_sections():
    for name, wanted in PAGES.items():
        titles = re.findall(r"^# (.*)$", page(name), re.MULTILINE)
        status = [] if name == "bellhop.conf.5" else ["SYNOPSIS", "EXIT STATUS"]
        for title in ["NAME", "DESCRIPTION", "SEE ALSO", *wanted.split(), *status]:
            assert titles.count(title) == 1, (name, title)
        examples = page(name).partition("# EXAMPLES\n")[2].partition("\n# ")[0]
        assert len(code(examples)) >= 2, name


def test_examples_of_the_configuration_are_good():
    examples = code(page("bellhop.conf.5"))
    for example in examples:
        with tempfile.TemporaryDirectory() as folder:
            # Certificates are looked at too: ours take the place of those that are named.
            certificate, key = make_certificate(folder, "127.0.0.1")
            file = Path(folder) / "bellhop.conf"
            file.write_text(re.sub(r"^(certificate|key) = .*", lambda line: {
                "certificate": f"certificate = {certificate}", "key": f"key = {key}"}[line[1]],
                example, flags=re.MULTILINE), encoding="utf-8")
            done = subprocess.run([BUILD / "bellhopd", "-c", file, "--check"],
                                  capture_output=True, text=True, check=False)
            assert done.returncode == 0, (example, done.stderr)


def test_examples_of_bellhop_are_commands():
    """Each `bellhop ...` of an example is one that there is, with options that it takes."""
    known = dict(commands())
    lines = [line for example in code(page("bellhop.1"))
             for line in example.replace("\\\\\n", " ").splitlines()]
    calls = [call for line in lines for call in re.findall(r"(?<!\w)bellhop ([^|<>)]*)", line)]
    assert len(calls) >= 8, calls
    for call in calls:
        words = [word for word in call.split() if not word.startswith("-")]
        command = next((name for name in (" ".join(words[:2]), words[0]) if name in known), None)
        assert command, call
        unknown = options_of(call) - options_of(known[command])
        assert not unknown, (call, unknown)


def test_pages_render_without_a_warning():
    for program in ("scdoc", "groff"):
        if not shutil.which(program):
            raise Skip(f"{program} is not here")
    for name in PAGES:
        roff = subprocess.run(["scdoc"], input=page(name), capture_output=True, text=True, check=False)
        assert roff.returncode == 0 and not roff.stderr, (name, roff.stderr)
        done = subprocess.run(["groff", "-man", "-Tutf8", "-ww", "-z", "-rLL=100n"],
                              input=roff.stdout, capture_output=True, text=True, check=False)
        assert done.returncode == 0 and not done.stderr, (name, done.stderr)


def test_rows_of_the_standards_name_tests_that_there_are():
    text = (SOURCE / "doc/standards.md").read_text(encoding="utf-8")
    for table, count in (("DRAFT", 19), ("MCAST", 14)):
        seen = []
        for numbers, files in re.findall(rf"^\| R-{table}-([\d, ]+) \| .* \| (\S.*) \|$", text,
                                         re.MULTILINE):
            seen += [int(number) for number in numbers.split(", ")]
            for name in files.split(", "):
                assert name == "-" or (SOURCE / "tests" / name).is_file(), (table, numbers, name)
        assert seen == list(range(1, count + 1)), (table, seen)


main(globals())
