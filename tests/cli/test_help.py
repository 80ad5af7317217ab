"""Help, and completion by shells: what a user sees who asks."""
import os
import re
import shutil
import subprocess

import pytest

from cli_support import PROGRAM, USAGE, refused, run, succeeded

COMMANDS = ("doctor", "train", "translate", "calibrate", "evaluate", "import", "export", "inspect", "demo", "reproduce", "completion", "docs")


def flags_in(text):
    return set(re.findall(r"^  (?:-h, )?(--[\w-]+)", text, re.M))


def test_help_shows_the_common_options_and_help_all_the_rest():
    short, whole = (succeeded(run("train", word)).stdout for word in ("--help", "--help-all"))
    assert {"--data", "--a", "--b", "--out", "--resume", "--preset", "--time-budget"} <= flags_in(short)
    assert flags_in(short) < flags_in(whole) and len(flags_in(short)) < 0.6 * len(flags_in(whole))
    assert "--help-all" in short and "--backward" not in short and "--backward" in whole
    assert re.search(r"^  --flip, --no-flip ", whole, re.M) and "!" not in re.findall(r"^  --flip.*", whole, re.M)[0]


def test_options_that_may_change_are_marked_where_runs_go_on():
    assert re.search(r"^  --lr NUMBER \*$|^  --lr NUMBER \* ", succeeded(run("train", "--help-all")).stdout, re.M)
    assert " * " not in succeeded(run("translate", "--help-all")).stdout


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_has_an_example(command):
    text = succeeded(run(command, "--help")).stdout
    example = re.search(r"^examples?:\n  torsor (\w+)", text, re.M)
    assert example and example[1] == command
    assert text.startswith(f"usage: torsor {command}")


def test_help_fits_the_width():
    for columns in (60, 80):
        text = succeeded(run("train", "--help-all", env={**os.environ, "COLUMNS": str(columns)})).stdout
        lines = [line for line in text.splitlines() if not line.startswith("  torsor ")]  # examples are to be copied
        assert max(map(len, lines)) <= columns, max(lines, key=len)


def test_help_of_a_command_by_either_name():
    assert succeeded(run("help", "train")).stdout == succeeded(run("train", "--help")).stdout


@pytest.mark.parametrize("words", [["--help"], ["train", "--help"], ["--version"], ["completion", "bash"]])
def test_a_reader_that_has_seen_enough_of_the_help_is_no_error(words):
    process = subprocess.Popen([PROGRAM, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    process.stdout.close()  # before anything is written
    assert process.wait(timeout=60) == 0
    assert process.stderr.read() == b""
    process.stderr.close()


def test_a_full_disk_is_an_error_even_for_the_help():
    with open("/dev/full", "w") as full:
        done = subprocess.run([PROGRAM, "train", "--help"], stdout=full, stderr=subprocess.PIPE, text=True, timeout=60)
    assert done.returncode == 1 and done.stderr.startswith("torsor: standard output")


# --- completion ---

def completed(folder, line):
    """What bash offers at the end of the line."""
    script = folder / "torsor.bash"
    if not script.exists():
        script.write_text(succeeded(run("completion", "bash")).stdout)
    words = line.split(" ")
    quoted = " ".join(f"'{word}'" for word in words)
    code = f"source {script}; COMP_WORDS=({quoted}); COMP_CWORD={len(words) - 1}; compopt() {{ :; }}; _torsor; " \
           'printf "%s\\n" "${COMPREPLY[@]}"'
    done = subprocess.run(["bash", "--norc", "-c", code], text=True, capture_output=True, timeout=60)
    assert done.returncode == 0 and done.stderr == "", done.stderr
    return set(done.stdout.split())


@pytest.mark.skipif(not shutil.which("bash"), reason="bash is not installed")
def test_bash_completes(tmp_path):
    for line, expected in {"torsor tr": {"train", "translate", "transport"}, "torsor train --devi": {"--device"},
                           "torsor train --device ": {"auto", "cpu", "cuda"}, "torsor train --device cu": {"cuda"},
                           "torsor train --device = cu": {"cuda"},
                           "torsor train --preset la": {"laptop"}, "torsor translate --direction a": {"a_to_b"},
                           "torsor train --no-fl": {"--no-flip"}, "torsor train --ngf ": set(),
                           "torsor completion z": {"zsh"}, "torsor reproduce S0-C2": {"S0-C2", "S0-C2-gaussian"},
                           "torsor train --data x": set()}.items():
        assert completed(tmp_path, line) == expected, line
    assert {"--data", "--quiet", "--help"} <= completed(tmp_path, "torsor train --")


@pytest.mark.skipif(not shutil.which("bash"), reason="bash is not installed")
def test_bash_itself_uses_it(tmp_path):
    """Through the real machinery: an interactive bash and a tab."""
    pty = pytest.importorskip("pty")
    (tmp_path / "rc").write_text(succeeded(run("completion", "bash")).stdout +
                                 "torsor() { printf 'got<%s>' \"$@\"; }\nbind 'set bell-style none'\n")
    pid, terminal = pty.fork()
    if pid == 0:
        os.execvpe("bash", ["bash", "--noprofile", "--rcfile", str(tmp_path / "rc"), "-i"], {**os.environ, "TERM": "xterm"})
    os.write(terminal, b"torsor train --time-b\t1h\nexit\n")
    seen = b""
    try:
        while chunk := os.read(terminal, 4096):
            seen += chunk
    except OSError:
        pass  # the terminal of a shell that has ended
    os.waitpid(pid, 0)
    os.close(terminal)
    assert b"got<train>got<--time-budget>got<1h>" in seen, seen


@pytest.mark.skipif(not shutil.which("zsh"), reason="zsh is not installed")
def test_zsh_loads_it(tmp_path):
    (tmp_path / "_torsor").write_text(succeeded(run("completion", "zsh")).stdout)
    code = f"fpath=({tmp_path} $fpath); autoload -Uz compinit && compinit -u -D && [[ $_comps[torsor] == _torsor ]] && " \
           "autoload +X _torsor && functions _torsor > /dev/null && echo loaded"
    done = subprocess.run(["zsh", "-f", "-c", code], text=True, capture_output=True, timeout=60)
    assert done.stdout.strip() == "loaded" and done.stderr == ""


def test_zsh_gets_every_flag_of_the_declarations():
    text = succeeded(run("completion", "zsh")).stdout
    assert text.startswith("#compdef torsor\n")
    assert flags_in(succeeded(run("train", "--help-all")).stdout) - {"--help", "--help-all"} <= \
        set(re.findall(r"'(--[\w-]+)\[", text))


def test_a_shell_that_is_not_known():
    refused(run("completion", "bsh"), USAGE, "bsh", "did you mean 'bash'")
    refused(run("completion"), USAGE, "SHELL is missing")
