"""scripts/setup.sh and the torch that it installs, with small packages of the test's own in place of the real ones."""
import os
import pathlib
import re
import shutil
import subprocess
import sys
import zipfile

import pytest

from cli_support import SOURCE

CUDA = {"nvidia-cuda-runtime": "13.0.96", "nvidia-cuda-cupti": "13.0.85", "nvidia-cublas": "13.1.1"}
MEGABYTES = {"torch": 5, "nvidia-cuda-runtime": 1, "nvidia-cuda-cupti": 2, "nvidia-cublas": 9}


def wheel(folder, name, version, files, requires=()):
    """A wheel whose size is that of MEGABYTES."""
    stem = f"{name.replace('-', '_')}-{version}"
    info = f"{stem}.dist-info"
    needs = "".join(f"Requires-Dist: {need}\n" for need in requires)
    with zipfile.ZipFile(folder / f"{stem}-py3-none-any.whl", "w", zipfile.ZIP_STORED) as archive:
        for path, content in files.items():
            archive.writestr(path, content)
        archive.writestr(f"{name.replace('-', '_')}.filler", bytes(MEGABYTES[name] * 1_000_000))
        archive.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{needs}")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", "")


def torch_files():
    return {"torch/__init__.py": "import nvidia_cublas\n", "torch/version.py": "__version__ = '2.13.0+cu130'\n",
            "torch/include/torch/csrc/api/include/torch/torch.h": "", "torch/lib/libtorch_cpu.so": "",
            "torch/lib/libc10.so": "_ZN3c105ErrorC1ENSt7__cxx11"}


class Tree:
    """The scripts in a folder of their own, with a pip that knows the packages of the test alone."""

    def __init__(self, folder):
        self.root, self.wheels, self.stubs = folder / "tree", folder / "wheels", folder / "bin"
        for place in (self.root, self.wheels, self.stubs):
            place.mkdir()
        shutil.copytree(SOURCE / "scripts", self.root / "scripts")
        (self.root / "scripts" / "requirements.txt").write_text("")
        (self.root / "scripts" / "packages.txt").write_text("python3 | tool:python3 | python3 | python | runs it\n")
        wheel(self.wheels, "torch", "2.13.0", torch_files(), [f"{name}=={version}" for name, version in CUDA.items()])
        for name, version in CUDA.items():
            wheel(self.wheels, name, version, {f"{name.replace('-', '_')}/__init__.py": ""})
        # The system's Python must not bring a torch of its own, and its cmake is new enough.
        self.stub("python3", f'exec "{pathlib.Path(sys.base_prefix) / "bin" / "python3"}" -S "$@"')
        self.stub("cmake", "echo cmake version 3.25.1")
        self.make_environment()

    def stub(self, name, line):
        (self.stubs / name).write_text(f"#!/bin/sh\n{line}\n")
        (self.stubs / name).chmod(0o755)

    def make_environment(self):
        """With this Python's pip: its own installer would take seconds."""
        venv = self.root / ".venv"
        subprocess.run([self.stubs / "python3", "-m", "venv", "--without-pip", venv], check=True)
        self.site = next((venv / "lib").glob("python3*")) / "site-packages"
        pip = pathlib.Path(pytest.importorskip("pip").__file__).parent
        for place in (pip, *pip.parent.glob("pip-*.dist-info")):
            (self.site / place.name).symlink_to(place)

    def setup(self, *arguments, **environment):
        clean = {name: value for name, value in os.environ.items()
                 if not name.startswith(("PIP_", "TORSOR_", "CMAKE_", "PYTHON"))}
        return subprocess.run([self.root / "scripts" / "setup.sh", *arguments], text=True, capture_output=True, timeout=120,
                              env={**clean, "PATH": f"{self.stubs}:{os.environ['PATH']}", "PIP_CONFIG_FILE": os.devnull,
                                   "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(self.wheels), **environment})

    def installed(self):
        return {name for name in MEGABYTES if list(self.site.glob(f"{name.replace('-', '_')}-*.dist-info"))}


@pytest.fixture(scope="module")
def begun(tmp_path_factory):
    """A tree after its first set-up, and what that printed."""
    tree = Tree(tmp_path_factory.mktemp("setup"))
    done = tree.setup()
    assert done.returncode == 0, done.stdout + done.stderr
    return tree, done.stdout


def test_takes_what_the_program_needs_and_says_its_size_first(begun):
    tree, printed = begun
    assert tree.installed() == {"torch", "nvidia-cuda-runtime", "nvidia-cuda-cupti"}
    assert "to download: 8 MB in 3 packages (torch 5 MB, nvidia-cuda-cupti 2 MB, nvidia-cuda-runtime 1 MB)" in printed
    assert "left out, which only Python and a GPU need: 9 MB in 1 package (nvidia-cublas 9 MB)" in printed
    assert printed.index("to download") < printed.index("taking libtorch")


def test_goes_on_where_it_stopped_and_keeps_what_is_whole(begun):
    tree, _ = begun
    again = tree.setup()
    assert again.returncode == 0 and again.stdout.count("\n") == 1, again.stdout

    minimal = tree.setup("--whole-torch", TORSOR_TORCH_MINIMAL="1")
    assert minimal.returncode == 0 and "cannot import a torch" in minimal.stdout
    assert "nvidia-cublas" not in tree.installed()

    [missing] = tree.wheels.glob("nvidia_cublas*")
    hidden = missing.rename(tree.wheels.parent / missing.name)
    broken = tree.setup("--whole-torch")
    assert broken.returncode == 1 and "run make again" in broken.stderr

    hidden.rename(missing)
    completed = tree.setup("--whole-torch")
    assert completed.returncode == 0, completed.stderr
    assert "completing torch 2.13.0+cu130" in completed.stdout and "9 MB in 1 package" in completed.stdout
    assert tree.installed() == set(MEGABYTES)

    for arguments in ([], ["--whole-torch"]):
        kept = tree.setup(*arguments)
        assert kept.returncode == 0 and kept.stdout.count("\n") == 1, kept.stdout
        assert tree.installed() == set(MEGABYTES)


def test_a_named_libtorch_is_neither_replaced_nor_completed(begun, tmp_path):
    tree, _ = begun
    for path, content in torch_files().items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(content.replace("2.13.0+cu130", "2.9.1"))
    record = tree.root / ".venv" / "torsor-torch"
    before = record.read_text()
    done = tree.setup("--whole-torch", TORSOR_TORCH=str(tmp_path / "torch"))
    assert done.returncode == 0, done.stderr
    assert "2.9.1 (named by TORSOR_TORCH)" in done.stdout and "to download" not in done.stdout
    record.write_text(before)


def test_system_packages_are_named_with_their_size_before_they_come(begun, tmp_path):
    tree, _ = begun
    packages = tree.root / "scripts" / "packages.txt"
    before = packages.read_text()
    packages.write_text(f"{before}libnew-dev | file:{tmp_path}/there | new | new | reads new files\n")
    tree.stub("id", "echo 0")
    tree.stub("apt-get", f'case "$*" in *--assume-no*) echo "Need to get 156 MB/157 MB of archives."; '
              f'echo "After this operation, 622 MB of additional disk space will be used."; exit 1 ;; '
              f'*install*) echo chatter; touch "{tmp_path}/there" ;; esac')
    done = tree.setup()
    packages.write_text(before)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "there").exists() and "chatter" not in done.stdout
    assert "libnew-dev: reads new files" in done.stdout
    assert "to download: 156 MB/157 MB (622 MB on disk)" in done.stdout


def test_an_unknown_argument_is_refused(begun):
    done = begun[0].setup("--all")
    assert done.returncode == 2 and "--whole-torch" in done.stderr


def test_the_makefile_asks_for_the_whole_where_it_is_compared_with():
    def asked(*goals):
        done = subprocess.run(["make", "-n", "-C", SOURCE, *goals], text=True, capture_output=True, check=True)
        return re.findall(r"^scripts/setup\.sh.*?$", done.stdout, re.M)
    for goals in (["build"], ["demo"], ["program"], ["parity"]):
        assert [line.strip() for line in asked(*goals)] == ["scripts/setup.sh"], goals
    for goals in (["test"], ["bench"], ["test-long"], ["demo", "test"], ["build", "CMAKE_ARGS=-DTORSOR_CUDA=ON"]):
        assert asked(*goals) == ["scripts/setup.sh --whole-torch"], goals
