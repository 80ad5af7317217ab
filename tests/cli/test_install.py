"""The library as other programs meet it: installed, moved away, with the folder that it was built in out of sight."""
import os
import pathlib
import re
import shutil
import subprocess
import sys

import pytest

from cli_support import SOURCE, picture, succeeded, translate

numpy = pytest.importorskip("numpy")
Image = pytest.importorskip("PIL.Image")

BUILD = pathlib.Path(os.environ.get("TORSOR_BUILD", SOURCE / "build"))
CMAKE = os.environ.get("TORSOR_CMAKE", "cmake")
WIDTH, HEIGHT = 45, 38


def call(*command, **options):
    done = subprocess.run([*map(str, command)], capture_output=True, timeout=600, **options)
    assert done.returncode == 0, (done.stdout + done.stderr).decode(errors="replace")
    return done.stdout


def without_build(*command):
    """The command as it runs where the folder of the build is empty, if this machine lets a test arrange that."""
    hide = f"mount -t tmpfs none '{BUILD}' && exec \"$@\""
    alone = ["unshare", "--map-root-user", "--mount", "sh", "-c", hide, "sh"]
    possible = shutil.which("unshare") and subprocess.run([*alone, "true"], capture_output=True).returncode == 0
    return [*alone, *command] if possible else command


@pytest.fixture(scope="module")
def prefix(tmp_path_factory):
    if b"__asan_init" in (BUILD / "libtorsor.so").read_bytes():
        pytest.skip("a sanitized library needs programs that are sanitized too")
    first = tmp_path_factory.mktemp("install") / "first"
    call(CMAKE, "--install", BUILD, "--prefix", first)
    return first.rename(first.with_name("moved"))


# Debian has OpenCV's CMake package only beside all of its modules; the tests need the core alone.
OPENCV = """
    find_path(folder opencv2/core.hpp PATH_SUFFIXES opencv4 REQUIRED)
    find_library(core opencv_core REQUIRED)
    add_library(opencv_core INTERFACE IMPORTED)
    target_include_directories(opencv_core INTERFACE ${folder})
    target_link_libraries(opencv_core INTERFACE ${core})
"""


@pytest.fixture(scope="module")
def consumer(prefix, tmp_path_factory):
    """The folder with the programs of examples/consumer, built from the moved prefix."""
    folder = tmp_path_factory.mktemp("consumer")
    source = shutil.copytree(SOURCE / "examples" / "consumer", folder / "source")
    (folder / "OpenCVConfig.cmake").write_text(OPENCV)
    call(*without_build(CMAKE, "-S", source, "-B", folder / "build", f"-DCMAKE_PREFIX_PATH={prefix}", f"-DOpenCV_DIR={folder}"))
    call(*without_build(CMAKE, "--build", folder / "build", "--parallel", "2"))
    return folder / "build"


@pytest.fixture(scope="module")
def pair(model, tmp_path_factory):
    """A picture and what the command makes of it, as arrays [H, W, 3]."""
    folder = tmp_path_factory.mktemp("pair")
    real = picture(WIDTH, HEIGHT)
    Image.fromarray(real).save(folder / "real.png")
    succeeded(translate(model, folder / "real.png", folder / "fake.png"))
    return real, numpy.asarray(Image.open(folder / "fake.png"))


def run_consumer(program, model, pixels):
    return call(*without_build(program, model, WIDTH, HEIGHT), input=pixels.tobytes())


def test_the_prefix_has_what_it_should(prefix):
    files = {str(p.relative_to(prefix)) for p in prefix.rglob("*") if not p.is_dir()}
    for name in ("bin/torsor", "include/torsor/torsor.h", "include/torsor/translator.h", "include/torsor/opencv.h",
                 "include/torsor/error.h", "share/bash-completion/completions/torsor", "share/zsh/site-functions/_torsor"):
        assert name in files
    assert "_torsor" in (prefix / "share/bash-completion/completions/torsor").read_text()
    folders = {p.parent.name for p in prefix.rglob("*")}
    assert {"torsor", "pkgconfig"} <= folders
    assert sum(name.startswith("include/") for name in files) == 4, "public headers are few"


def test_nothing_installed_names_the_folders_of_the_build(prefix):
    """Apart from the search path to libtorch and to NVIDIA's libraries, which may lie below the sources."""
    torch = re.search(r'set\(TORSOR_TORCH "([^"]+)"', next(prefix.rglob("torsorConfig.cmake")).read_text())[1]
    nvidia = str(pathlib.Path(torch).parent / "nvidia")  # beside a libtorch with CUDA, where PyPI has it from
    checked = 0
    for path in prefix.rglob("*"):
        if path.is_file() and not path.is_symlink():
            text = path.read_bytes().replace(torch.encode(), b"").replace(nvidia.encode(), b"")
            assert str(BUILD).encode() not in text and str(SOURCE).encode() not in text, path
            checked += 1
    assert checked > 10


def test_public_headers_need_no_libtorch(prefix):
    for path in (prefix / "include" / "torsor").iterdir():
        included = re.findall(r"#include [<\"]([^>\"]+)", path.read_text())
        assert not [name for name in included if re.match(r"torch/|ATen/|c10/|fmt/|nlohmann/", name)], path


def test_a_buffer(consumer, model, pair):
    real, fake = pair
    assert run_consumer(consumer / "buffer", model, real) == fake.tobytes()


def test_a_mat_is_bgr(consumer, model, pair):
    real, fake = pair
    assert run_consumer(consumer / "mat", model, real[..., ::-1]) == fake[..., ::-1].tobytes()


def test_a_tensor(consumer, model, pair):
    real, fake = pair
    planes = (real.astype(numpy.float32) / 255 - 0.5) / 0.5
    out = run_consumer(consumer / "tensor", model, planes.transpose(2, 0, 1))
    values = numpy.frombuffer(out, numpy.float32).reshape(3, HEIGHT, WIDTH).transpose(1, 2, 0)
    assert numpy.array_equal(numpy.rint((values + 1) / 2 * 255).astype(numpy.uint8), fake)


def test_the_error_is_caught(consumer, tmp_path):
    done = subprocess.run([consumer / "buffer", tmp_path / "absent.safetensors", "1", "1"], capture_output=True, text=True)
    assert done.returncode == 1 and "absent.safetensors" in done.stderr and done.stderr.count("\n") == 1


def test_the_programs_explain_themselves(consumer):
    for name in ("buffer", "mat", "tensor"):
        for words in ([], ["model", "wide", "1"]):
            done = subprocess.run([consumer / name, *words], capture_output=True, text=True)
            assert done.returncode == 2 and done.stderr.startswith(f"usage: {name} MODEL WIDTH HEIGHT < "), done.stderr


def test_the_installed_program_runs(prefix, model):
    out = call(*without_build(prefix / "bin" / "torsor", "inspect", "--json", model))
    assert b'"networks"' in out


def test_c_alone(prefix, model, tmp_path):
    """The C header under the strictest C compiler, found by pkg-config."""
    (tmp_path / "main.c").write_text("""
        #include <stdio.h>
        #include <torsor/torsor.h>
        int main(int count, char** words) {
          torsor_model* model = count > 1 ? torsor_load(words[1], NULL) : NULL;
          puts(model != NULL ? torsor_describe(model) : torsor_last_error());
          torsor_free(model);
          return model == NULL;
        }""")
    pc = next(prefix.rglob("torsor.pc")).parent
    flags = call("pkg-config", "--cflags", "--libs", "torsor", env={**os.environ, "PKG_CONFIG_PATH": str(pc)}).decode()
    call("cc", "-std=c99", "-pedantic", "-Wall", "-Wextra", "-Werror", tmp_path / "main.c", "-o", tmp_path / "main", *flags.split())
    assert b'"direction": "a_to_b"' in call(tmp_path / "main", model)
    done = subprocess.run([tmp_path / "main", tmp_path / "gone"], capture_output=True, text=True)
    assert done.returncode == 1 and "gone" in done.stdout


def test_the_python_example(prefix, model, pair, tmp_path):
    real, fake = pair
    Image.fromarray(real).save(tmp_path / "real.png")
    example = SOURCE / "examples" / "translate.py"
    assert example.read_text().count("\n") <= 30
    library = next(prefix.rglob("libtorsor.so"))
    call(*without_build(sys.executable, example, library, model, tmp_path / "real.png", tmp_path / "fake.png"))
    assert numpy.array_equal(numpy.asarray(Image.open(tmp_path / "fake.png")), fake)
    done = subprocess.run([sys.executable, example, library, tmp_path / "gone", tmp_path / "real.png", tmp_path / "x.png"],
                          capture_output=True, text=True)
    assert done.returncode == 1 and "gone" in done.stderr and not (tmp_path / "x.png").exists()


def test_only_the_interface_is_visible(prefix):
    """One symbol more is a promise to keep; one less breaks a program."""
    library = next(prefix.rglob("libtorsor.so"))
    names = {line.split(maxsplit=2)[2].partition("@")[0]
             for line in call("nm", "-D", "--defined-only", "-C", library).decode().splitlines()}
    c = {name for name in names if name.startswith("torsor_")}
    header = (prefix / "include" / "torsor" / "torsor.h").read_text()
    assert c == set(re.findall(r"^TORSOR_API .*?\b(torsor_\w+)\(", header, re.M)) and len(c) >= 9
    ours = re.compile(r"(typeinfo( name)?|vtable) for torsor::(Usage)?Error$|torsor::(Usage)?Error::|"
                      r"torsor::set_threads\(|torsor::Translator::(Translator|[a-z])")
    assert [name for name in names - c - {"TORSOR_0"} if not ours.match(name)] == []
    dynamic = call("readelf", "-d", library).decode()
    assert "soname: [libtorsor.so.0]" in dynamic
    assert not re.search(r"NEEDED.*(protobuf|python)", dynamic)


def test_the_component_libtorch_completes_the_prefix(prefix, tmp_path):
    """With it, all that is loaded comes from the prefix or from the system."""
    whole = shutil.copytree(prefix, tmp_path / "whole", symlinks=True)
    call(CMAKE, "--install", BUILD, "--prefix", whole, "--component", "libtorch")
    library = next(whole.rglob("libtorsor.so"))
    for file in (library, whole / "bin" / "torsor"):
        found = re.findall(r"=> (/\S+)", call("ldd", file).decode())
        assert any(path.endswith("libtorch_cpu.so") for path in found)
        assert [path for path in found if not path.startswith((str(whole), "/lib", "/usr/lib"))] == []
    shutil.rmtree(whole)
