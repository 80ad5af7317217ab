"""Rules about the repository as a whole."""
import subprocess

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
