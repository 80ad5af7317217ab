"""Rules about the repository as a whole: what it tracks, and that its Dockerfile can be followed."""
import json
import re
import subprocess
import sys

import pytest

from cli_support import SOURCE

LARGEST_FILE = 1 << 20


def tracked(root):
    """Paths that git tracks and that are there."""
    if not (root / ".git").exists():
        pytest.skip(f"{root} is no clone (it has no .git), so that nothing says what is tracked")
    try:
        listed = subprocess.run(["git", "-c", f"safe.directory={root}", "-C", root, "ls-files", "-z"], capture_output=True,
                                check=True).stdout
    except FileNotFoundError:
        pytest.skip("git is not installed")
    return [path for path in (root / name for name in listed.decode().split("\0") if name) if path.is_file()]


def too_large(root):
    sizes = {path: path.stat().st_size for path in tracked(root)}
    return [f"{path.relative_to(root)}: {size} bytes" for path, size in sizes.items() if size > LARGEST_FILE]


def test_no_large_file_is_tracked():
    assert len(tracked(SOURCE)) > 100
    assert too_large(SOURCE) == [], f"git tracks files of more than {LARGEST_FILE} bytes; is one there by accident?"


def test_the_check_itself_sees_a_large_file(tmp_path):
    (tmp_path / "at the limit").write_bytes(bytes(LARGEST_FILE))
    (tmp_path / "torch.whl").write_bytes(bytes(LARGEST_FILE + 1))
    (tmp_path / "untracked").write_bytes(bytes(LARGEST_FILE + 1))
    for command in (["init", "-q"], ["add", "at the limit", "torch.whl"]):
        subprocess.run(["git", "-C", tmp_path, *command], check=True)
    assert too_large(tmp_path) == ["torch.whl: 1048577 bytes"]


def dockerfile_steps(dockerfile, *arguments):
    return subprocess.run([sys.executable, SOURCE / "scripts" / "dockerfile-steps.py", dockerfile, *arguments], text=True,
                          capture_output=True)


def test_the_dockerfile_is_the_set_up_and_the_build_of_everywhere():
    done = dockerfile_steps(SOURCE / "Dockerfile")
    assert done.returncode == 0, done.stderr
    ran = re.findall(r"^sh -c (.*)$", done.stdout, re.M)
    assert len(ran) == 3 and "apt-get" in ran[0] and ran[1:] == ["scripts/setup.sh", "'make program'"]
    assert done.stdout.endswith("exec /torsor/build/torsor demo --out /demo --overwrite\n")
    other = dockerfile_steps(SOURCE / "Dockerfile", "translate", "my model", "in").stdout
    assert other.endswith("exec /torsor/build/torsor translate 'my model' in\n")


def test_steps_that_cannot_be_followed_are_refused(tmp_path):
    (tmp_path / "Dockerfile").write_text("# one\nFROM debian:12\n\nRUN a && \\\n    # between\n    b\nONBUILD RUN c\n")
    done = dockerfile_steps(tmp_path / "Dockerfile")
    assert done.returncode == 1 and ":7: ONBUILD" in done.stderr and done.stdout == ""


def test_the_steps_of_a_dockerfile_run(tmp_path):
    """Without the root: WORKDIR and the entry point are in the test's folder."""
    (tmp_path / "Dockerfile").write_text(
        f"FROM debian:12\nWORKDIR {tmp_path}/at\nRUN echo 'one  two' > file && \\\n    echo three >> file\n"
        f'ENTRYPOINT {json.dumps(["cat", f"{tmp_path}/at/file"])}\nCMD ["-"]\n')
    steps = dockerfile_steps(tmp_path / "Dockerfile", "/dev/null").stdout
    done = subprocess.run(["sh", "-c", steps], text=True, capture_output=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-2:] == ["one  two", "three"]


def test_docker_leaves_out_what_git_ignores():
    ignored = (SOURCE / ".gitignore").read_text().split()
    kept_out = (SOURCE / ".dockerignore").read_text().split()
    assert {word.strip("/") for word in ignored} <= {word.removeprefix("**/").strip("/") for word in kept_out}
    assert ".git" in kept_out
