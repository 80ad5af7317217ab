"""The model that copies: a test of what reads and writes images."""
import pathlib
import shutil

import pytest

from cli_support import (FAILURE, SOURCE, USAGE, load, picture, refused, run, save, snapshot, succeeded, train, translate)

numpy = pytest.importorskip("numpy")
image = pytest.importorskip("PIL.Image")

FIXTURES = SOURCE / "tests" / "data" / "image"


def test_every_channel_comes_back_as_it_was(tmp_path):
    for channels in (1, 2, 3, 4):
        pixels = picture(37, 23, channels)
        for ending in ("png", "tif"):
            source = save(tmp_path / "in" / f"{channels}.{ending}", pixels)
    succeeded(translate("identity", tmp_path / "in", tmp_path / "out"))
    for name in snapshot(tmp_path / "in"):
        with image.open(tmp_path / "in" / name) as source, image.open(tmp_path / "out" / name) as out:
            assert out.mode == source.mode
            assert (numpy.asarray(out) == numpy.asarray(source)).all(), name


def test_the_colour_under_full_transparency_stays(tmp_path):
    pixels = picture(16, 16, 4)
    pixels[:, :, 3] = 0
    for ending, quality in (("png", None), ("webp", 100)):
        source = save(tmp_path / f"in.{ending}", pixels, **({"lossless": True, "exact": True} if quality else {}))
        succeeded(translate("identity", source, tmp_path / f"out.{ending}", quality=quality))
        assert (load(tmp_path / f"out.{ending}") == pixels).all()


def test_every_fixture(tmp_path):
    """What the decoder gives comes back: the .raw beside each fixture holds its samples."""
    source = tmp_path / "in"
    source.mkdir()
    for path in FIXTURES.iterdir():
        if path.with_name(path.name + ".raw").exists() and path.name != "upright":
            shutil.copy(path, source / path.name)
    done = succeeded(translate("identity", source, tmp_path / "out", quality=100))
    names = sorted(snapshot(source))
    assert sorted(snapshot(tmp_path / "out")) == names and len(names) > 60
    checked = 0
    for name in names:
        out = tmp_path / "out" / name
        header, _, raw = (FIXTURES / f"{name}.raw").read_bytes().partition(b"\n")
        if name.startswith("channels5") or not header.endswith(b"u8"):
            continue  # Pillow reads neither five channels nor all that is deeper than 8 bits
        with image.open(out) as opened:
            pixels = numpy.asarray(opened)
        if pixels.size != len(raw):
            continue  # a format that has no grey
        expected = numpy.frombuffer(raw, "uint8").reshape(pixels.shape).astype(int)
        rounded = name in ("cmyk8.tif", "jpeg_inside.tif", "lossy.webp")  # as decoders like
        allowed = 6 if name.endswith(".jpg") else 2 if rounded else 0
        assert numpy.abs(pixels.astype(int) - expected).max() <= allowed, name
        checked += 1
    assert checked > 40
    assert "16-bit" not in done.stderr  # nothing is lost of them


def test_a_file_of_that_name(tmp_path):
    succeeded(train(tmp_path / "identity"))
    source = save(tmp_path / "in.png", picture())
    here = {"cwd": tmp_path}
    done = succeeded(translate("identity", source, tmp_path / "copy.png", run_options=here))
    assert "./identity" in done.stderr and (load(tmp_path / "copy.png") == load(source)).all()
    succeeded(translate("./identity", source, tmp_path / "out.png", run_options=here))
    assert (load(tmp_path / "out.png") != load(source)).any()


def test_both_directions_and_what_makes_no_sense(tmp_path):
    source = save(tmp_path / "in.png", picture())
    for direction in ("a_to_b", "b_to_a"):
        succeeded(translate("identity", source, tmp_path / f"{direction}.png", direction=direction))
        assert (load(tmp_path / f"{direction}.png") == load(source)).all()
    refused(run("import", "identity", tmp_path / "m.safetensors"), FAILURE, "identity", "no weights")
    refused(run("export", "identity", tmp_path / "m.pth"), FAILURE, "identity")
    refused(train(tmp_path / "run", net_g="identity"), USAGE, "--net-g identity", "resnet_<n>blocks")
    assert "identity" in succeeded(run("inspect", "identity")).stdout


def test_its_onnx_copies_too(tmp_path):
    runtime = pytest.importorskip("onnxruntime")
    succeeded(run("export", "identity", tmp_path / "m.onnx"))
    session = runtime.InferenceSession(str(tmp_path / "m.onnx"))
    x = numpy.random.default_rng(0).uniform(-1, 1, (1, 3, 5, 7)).astype("float32")
    assert (session.run(None, {"input": x})[0] == x).all()
