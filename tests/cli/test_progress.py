"""What the terminal shows of a run: a bar that fits it, plain lines elsewhere, JSON for programs, nothing when quiet."""
import fcntl
import json
import os
import re
import struct
import subprocess
import termios
import unicodedata

import pytest

from cli_support import GENERATED, PROGRAM, TINY, USAGE, flags, refused, run, succeeded, train

pty = pytest.importorskip("pty")


def resize(terminal, columns):
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))


class Terminal:
    """The program in a terminal of so many columns."""

    def __init__(self, columns, *arguments):
        self.master, slave = pty.openpty()
        resize(self.master, columns)
        self.process = subprocess.Popen([PROGRAM, *map(str, arguments)], stdin=slave, stdout=slave, stderr=slave,
                                        env={**os.environ, "TERM": "xterm"})
        os.close(slave)
        self.seen = b""

    def read_until(self, pattern):
        """What came until the pattern was there, or the program ended."""
        start = len(self.seen)
        while not re.search(pattern, self.seen[start:]):
            try:
                chunk = os.read(self.master, 65536)
            except OSError:  # its terminal has nobody left
                chunk = b""
            if not chunk:
                break
            self.seen += chunk
        return self.seen[start:].decode()

    def finish(self):
        rest = self.read_until(rb"(?!)")
        code = self.process.wait(timeout=60)
        os.close(self.master)
        return code, rest


def width(text):
    wide = {"W": 2, "F": 2}
    return sum(0 if unicodedata.combining(c) else wide.get(unicodedata.east_asian_width(c), 1) for c in text)


def bars(text):
    """Each state of the redrawn line."""
    return [part.split("\r")[0].split("\n")[0] for part in text.split("\r\033[K")[1:]]


def long_run(out, **options):
    return ["train", *flags({**GENERATED, **TINY, "steps": 60, "epoch_size": 30, "out": out, **options})]


@pytest.mark.parametrize("columns", [20, 40, 80, 200])
def test_the_bar_fits_the_terminal(tmp_path, columns):
    terminal = Terminal(columns, *long_run(tmp_path / "run"))
    code, text = terminal.finish()
    assert code == 0, text
    drawn = [bar for bar in bars(text) if bar]
    assert len(drawn) >= 2 and max(map(width, drawn)) <= columns, max(drawn, key=width)
    assert any(re.search(r"epoch \d+/2", bar) for bar in drawn)
    if columns >= 40:
        assert any(re.search(r"\[#+\.*\] epoch \d+/\d+  step \d+/60", bar) for bar in drawn)
    if columns == 200:
        assert any("cycle_a" in bar for bar in drawn)
    said = [line for line in (line.split("\r\033[K")[-1] for line in text.split("\r\n"))
            if line.startswith(("epoch", "done"))]
    assert said and all(width(line) <= max(columns, 25) for line in said), said


def test_the_bar_follows_a_resize(tmp_path):
    terminal = Terminal(200, *long_run(tmp_path / "run", steps=100000, epoch_size=100000))
    try:
        terminal.read_until(rb"cycle_a[^\r]*\r\x1b\[K\[")
        resize(terminal.master, 50)
        terminal.read_until(rb"\r\x1b\[K[^\r]{20,}\r")  # one may have been under way
        after = terminal.read_until(rb"(\r\x1b\[K[^\r]{20,}){3}\r")
        drawn = [bar for bar in bars(after) if bar]
        assert len(drawn) >= 2 and max(map(width, drawn)) < 50
        resize(terminal.master, 120)
        terminal.read_until(rb"\r\x1b\[K[^\r]{50,}\r")  # it grows again
    finally:
        terminal.process.kill()
        terminal.finish()


def test_quiet_prints_nothing(tmp_path):
    done = succeeded(train(tmp_path / "run", "--quiet", channels_a=1))  # of which there is a notice otherwise
    assert done.stdout == "" and done.stderr == ""
    assert (tmp_path / "run" / "model.safetensors").exists()
    terminal = Terminal(80, *long_run(tmp_path / "other", steps=3), "--quiet")
    assert terminal.finish() == (0, "")


def test_quiet_still_warns(tmp_path):
    done = train(tmp_path / "run", "--quiet", steps=20, lr="1e30")
    assert done.returncode == 1 and done.stdout == "" and done.stderr.startswith("torsor: ")


def test_json_progress_is_one_object_a_line(tmp_path):
    done = succeeded(train(tmp_path / "run", "--json-progress"))
    events = [json.loads(line) for line in done.stdout.splitlines()]
    start, *middle, end = events
    assert [start["event"], end["event"]] == ["start", "end"] and {event["event"] for event in middle} == {"progress"}
    progress = middle[-1]
    assert start["total"] == 3 and start["options"]["crop_size"] == 32 and start["domains"]["a"]["images"] == 1000
    assert progress["done"] == progress["total"] == 3 and progress["seconds_left"] == 0
    assert progress["epoch"] == 1 and progress["losses"].keys() >= {"cycle_a", "d_a"} and progress["lr"] == 0.0002
    assert end["reason"] == "finished" and os.path.exists(end["model"]) and os.path.exists(end["checkpoint"])
    assert done.stderr == ""


def test_what_is_printed_is_not_stored(tmp_path):
    succeeded(train(tmp_path / "run", "--quiet"))
    config = json.loads((tmp_path / "run" / "config.json").read_text())
    assert not config.keys() & {"quiet", "json_progress", "restart"}
    refused(train(tmp_path / "other", "--quiet", "--json-progress"), USAGE, "--quiet", "--json-progress", "contradict")


def test_the_demonstration_prints_a_screen(tmp_path):
    done = succeeded(run("demo", "--out", tmp_path / "pages", "--steps", 4, "--images", 8))
    lines = done.stdout.splitlines()
    assert len(lines) <= 12 and not done.stderr, done.stdout
    assert re.search(r"^step 12/12  left 0s  solid-striped 100 %  circles-squares 100 %", done.stdout, re.M)
    terminal = Terminal(80, "demo", "--out", tmp_path / "again", "--steps", 4, "--images", 8)
    code, text = terminal.finish()
    assert code == 0 and max(width(bar) for bar in bars(text)) < 80
    assert text.count("\n") <= 12


def test_experiments_tell_of_their_end(tmp_path):
    done = succeeded(run("reproduce", "S0-C1", "--scale", "smoke", "--out", tmp_path / "page", "--json-progress"))
    assert json.loads(done.stdout.splitlines()[-1])["verdict"]
