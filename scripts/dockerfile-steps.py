#!/usr/bin/env python3
"""Prints what a Dockerfile does as a shell script, for scripts/try-bare-root.sh: its steps in their order, then what
`docker run` starts. The files that are copied are looked for in /context. Knows the instructions that ours uses and
refuses others."""
import json
import pathlib
import re
import shlex
import sys


def instructions(text):
    """(line number, instruction, rest) of each; comments go, continued lines are joined."""
    lines, start = "", 0
    for number, line in enumerate(text.splitlines(), 1):
        if line.lstrip().startswith("#") or not lines and not line.strip():
            continue
        start = start if lines else number
        lines += re.sub(r"\\\s*$", "", line)
        if not re.search(r"\\\s*$", line):
            name, _, rest = lines.strip().partition(" ")
            yield start, name.upper(), rest.strip()
            lines = ""


class Script:
    def __init__(self, arguments):
        self.arguments, self.lines, self.entry, self.command = arguments, ["set -eu"], [], []

    def take_from(self, rest):
        self.lines.append(f"# from {rest}")

    def take_workdir(self, rest):
        self.lines.append(f"mkdir -p {shlex.quote(rest)}; cd {shlex.quote(rest)}")

    def take_run(self, rest):
        self.lines += [f"echo + {shlex.quote(rest)}", f"sh -c {shlex.quote(rest)}"]

    def take_copy(self, rest):
        *sources, target = shlex.split(rest)
        self.lines.append(f"mkdir -p {shlex.quote(target)}")
        self.lines += [f"cp -a /context/{shlex.quote(source)}/. {shlex.quote(target)}" for source in sources]

    def take_entrypoint(self, rest):
        self.entry = json.loads(rest)

    def take_cmd(self, rest):
        self.command = json.loads(rest)

    def text(self):
        return "\n".join([*self.lines, "exec " + shlex.join([*self.entry, *(self.arguments or self.command)]), ""])


def main():
    path, *arguments = sys.argv[1:]
    script = Script(arguments)
    for number, name, rest in instructions(pathlib.Path(path).read_text()):
        take = getattr(script, f"take_{name.lower()}", None)
        if take is None:
            sys.exit(f"{path}:{number}: {name} is an instruction that this script does not know")
        take(rest)
    sys.stdout.write(script.text())


if __name__ == "__main__":
    main()
