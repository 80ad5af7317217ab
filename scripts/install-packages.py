#!/usr/bin/env python3
"""Installs Python packages into the environment of the Python that runs it, and says before the download how much that
is: pip works out which files it would take, and their servers are asked for the sizes. What was told is what is
installed."""
import argparse
import concurrent.futures
import json
import os
import pathlib
import re
import ssl
import subprocess
import sys
import tempfile
import urllib.parse
import urllib.request

PIP = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input"]
# pip reads what a package needs without taking the whole of it, where its index can serve that.
FRUGAL = ["--use-feature=fast-deps"]
QUIET_BELOW = 100_000_000  # bytes that come without pip's own progress bars


def say(text):
    print(f"setup: {text}", flush=True)


class Package:
    def __init__(self, item):
        self.name, self.version = item["metadata"]["name"], item["metadata"]["version"]
        self.url = item["download_info"]["url"]
        self.size = None

    def ask_size(self):
        """Leaves None where no answer comes."""
        try:
            parts = urllib.parse.urlsplit(self.url)
            if parts.scheme == "file":
                self.size = os.path.getsize(urllib.request.url2pathname(parts.path))
                return
            request = urllib.request.Request(self.url, method="HEAD")
            trusted = ssl.create_default_context(cafile=os.environ.get("PIP_CERT"))
            with urllib.request.urlopen(request, timeout=20, context=trusted) as answer:
                self.size = int(answer.headers["Content-Length"])
        except (OSError, ValueError, TypeError):
            pass


def size_text(size):
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{max(size, 1e5) / 1e6:.{0 if size >= 1e6 else 1}f} MB"


def total(packages):
    return sum(package.size or 0 for package in packages)


def in_words(packages):
    """E.g. "2.7 GB in 29 packages (torch 527 MB, nvidia-cublas 423 MB, nvidia-cudnn-cu13 366 MB and 26 more)"."""
    largest = sorted(packages, key=lambda package: package.size or 0, reverse=True)[:3]
    names = ", ".join(f"{package.name} {size_text(package.size)}" if package.size else package.name for package in largest)
    more = f" and {len(packages) - len(largest)} more" if len(packages) > len(largest) else ""
    unknown = sum(package.size is None for package in packages)
    least = f"at least {size_text(total(packages))}, {unknown} of unknown size," if unknown else size_text(total(packages))
    return f"{least} in {len(packages)} package{'s' if len(packages) > 1 else ''} ({names}{more})"


def planned(requirements):
    """The packages that pip would install, with their sizes; none where all is there."""
    with tempfile.TemporaryDirectory() as folder:
        report = pathlib.Path(folder) / "report.json"
        options = ["install", "--dry-run", "--quiet", "--report", str(report)]
        # A pip that has outgrown the frugal way refuses it as a wrong usage.
        for extra in (FRUGAL, []):
            done = subprocess.run([*PIP, *options, *extra, *requirements], stdin=subprocess.DEVNULL, text=True,
                                  stderr=subprocess.PIPE)
            if done.returncode == 0 or "no such option" not in done.stderr and "invalid choice" not in done.stderr:
                break
        if done.returncode:
            sys.stderr.write(done.stderr)
            sys.exit(done.returncode)
        packages = [Package(item) for item in json.loads(report.read_text())["install"]]
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        list(pool.map(Package.ask_size, packages))
    return packages


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("requirements", nargs="*", help="as pip takes them")
    parser.add_argument("-r", dest="files", action="append", default=[], metavar="FILE", help="a list of requirements")
    parser.add_argument("--say", metavar="TEXT", help="what this is for; said where there is something to install")
    parser.add_argument("--only", metavar="PATTERN", help="of all that they need, the packages of these names alone")
    options = parser.parse_args()
    packages = planned([*options.requirements, *(word for file in options.files for word in ("-r", file))])
    left_out = []
    if options.only:
        left_out = [package for package in packages if not re.fullmatch(options.only, package.name)]
        packages = [package for package in packages if package not in left_out]
    if not packages:
        return 0
    if options.say:
        say(options.say)
    say(f"to download: {in_words(packages)}")
    if left_out:
        say(f"left out, which only Python and a GPU need: {in_words(left_out)}")
    quiet = ["--quiet"] if total(packages) < QUIET_BELOW else []
    pins = [f"{package.name}=={package.version}" for package in packages]
    return subprocess.run([*PIP, "install", "--no-deps", *quiet, *pins], stdin=subprocess.DEVNULL).returncode


if __name__ == "__main__":
    sys.exit(main())
