"""What the tests of the command line share: the program, tiny settings, small images."""
import concurrent.futures
import os
import pathlib
import subprocess

import pytest

SOURCE = pathlib.Path(os.environ.get("TORSOR_SOURCE", pathlib.Path(__file__).resolve().parents[2]))
PROGRAM = os.environ.get("TORSOR_BIN", str(SOURCE / "build" / "torsor"))
# The first of the folders that it names, separated by colons.
GOLDEN = pathlib.Path(os.environ.get("TORSOR_GOLDEN", str(SOURCE.parent / "shared" / "golden")).split(":")[0])

GENERATED = {"data": "generated:solid-striped"}
TINY = {"load_size": 32, "crop_size": 32, "ngf": 4, "ndf": 4, "net_g": "resnet_1blocks", "steps": 3, "threads": 1}
# A third of a tiny run's time; train(**SHOWN) leaves them as a user has them.
UNSEEN = {"report": False, "tensorboard": False, "alarm_every": 0}
SHOWN = dict.fromkeys(UNSEEN)
FAILURE, USAGE = 1, 2  # exit codes


def each(check, cases):
    """Calls check(*case), two at a time since the program needs half a second to load; reports the first failure."""
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda case: check(*case), cases))


def flags(options):
    """{"load_size": 32, "flip": False, "skip_bad": True} -> --load-size 32 --no-flip --skip-bad; None is left out."""
    words = []
    for name, value in options.items():
        flag = name.replace("_", "-")
        if isinstance(value, bool):
            words.append(f"--{flag}" if value else f"--no-{flag}")
        elif value is not None:
            words += [f"--{flag}", str(value)]
    return words


def run(*arguments, **options):
    return subprocess.run([PROGRAM, *map(str, arguments)], text=True, capture_output=True, timeout=300, **options)


def train(out, *arguments, run_options=None, **options):
    """A tiny training run; options override the tiny ones. Without data or a/b it takes generated images. It makes
    neither report nor events and looks for no alarms, but with **SHOWN."""
    data = {} if {"data", "a", "b"} & options.keys() else GENERATED
    return run("train", *flags({**data, **TINY, **UNSEEN, "out": out, **options}), *arguments, **(run_options or {}))


def translate(model, source, target, *arguments, run_options=None, **options):
    return run("translate", *flags({"threads": 1, **options}), *arguments, model, source, target,
               **(run_options or {}))


def succeeded(done):
    assert done.returncode == 0, done.stderr
    return done


def refused(done, code, *parts):
    """One clear line, the right exit code, and nothing that looks like a crash."""
    assert done.returncode == code, done.stderr
    assert done.stderr.startswith("torsor: ") and done.stderr.endswith("\n")
    assert done.stderr.count("\n") == 1, done.stderr
    for part in parts:
        assert str(part) in done.stderr
    for trace in ("terminate called", "exception", "Exception", "frame #", "c10::", "std::"):
        assert trace not in done.stderr


def snapshot(folder):
    """{path: content} of all files below the folder; folders have None."""
    folder = pathlib.Path(folder)
    return {str(p.relative_to(folder)): None if p.is_dir() else p.read_bytes() for p in sorted(folder.rglob("*"))}


def picture(width=40, height=36, channels=3, seed=0, dtype="uint8"):
    """Smooth random colours: unlike noise they survive JPEG."""
    numpy = pytest.importorskip("numpy")
    draw = numpy.random.default_rng(seed)
    y, x = numpy.mgrid[0:height, 0:width]
    waves = [numpy.sin(x * draw.uniform(0.05, 0.3) + y * draw.uniform(0.05, 0.3) + draw.uniform(0, 6))
             for _ in range(channels)]
    top = numpy.iinfo(dtype).max
    pixels = ((numpy.stack(waves, 2) + 1) / 2 * top).astype(dtype)
    return pixels[:, :, 0] if channels == 1 else pixels


def save(path, pixels, **options):
    image = pytest.importorskip("PIL.Image")
    path.parent.mkdir(parents=True, exist_ok=True)
    image.fromarray(pixels).save(path, **options)
    return path


def load(path):
    numpy, image = pytest.importorskip("numpy"), pytest.importorskip("PIL.Image")
    with image.open(path) as opened:
        return numpy.asarray(opened).astype(int)


def image_folder(folder, count=3, **options):
    for i in range(count):
        save(folder / f"{i}.png", picture(seed=i, **options))
    return folder


def weights(path):
    return pytest.importorskip("safetensors.numpy").load_file(path)


def equal_weights(first, second):
    numpy = pytest.importorskip("numpy")
    one, two = weights(first), weights(second)
    return one.keys() == two.keys() and all(numpy.array_equal(one[key], two[key]) for key in one)
