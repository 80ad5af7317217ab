"""A folder's translation from its first look at the inputs to its end: what is refused, what continues, what is said."""
import json
import os
import pathlib
import shlex
import signal
import subprocess

import pytest

from cli_support import (FAILURE, PROGRAM, USAGE, each, image_folder, load, picture, refused, run, save, snapshot, succeeded,
                         train, translate)

numpy = pytest.importorskip("numpy")
image = pytest.importorskip("PIL.Image")


def cut(path, source):
    """An image that lacks its second half."""
    content = source.read_bytes()
    path.write_bytes(content[:len(content) // 2])
    return path


def files(folder):
    return sorted(name for name, content in snapshot(folder).items() if content is not None)


# --- inputs are read before the first is translated ---

def test_every_bad_input_is_named_before_anything_is_written(tmp_path):
    source = image_folder(tmp_path / "in", count=3)
    bad = [cut(source / name, source / "0.png") for name in ("x.png", "y.png")]
    refused(translate("identity", source, tmp_path / "out"), FAILURE, "2 of 5 images", *bad, "--skip-bad")
    assert not (tmp_path / "out").exists()
    done = succeeded(translate("identity", source, tmp_path / "out", skip_bad=True))
    assert files(tmp_path / "out") == ["0.png", "1.png", "2.png"] and "3 images written" in done.stdout
    assert "2 skipped" in done.stdout and all(f"skipped: {path}: " in done.stderr for path in bad)


def test_without_the_first_look_a_bad_input_ends_it_and_it_goes_on(tmp_path):
    source = image_folder(tmp_path / "in", count=3)
    bad = cut(source / "x.png", source / "0.png")
    done = translate("identity", source, tmp_path / "out dir", check_first=False)
    refused(done, FAILURE, bad, "--skip-bad", "--skip-existing")
    words = shlex.split(done.stderr.split("to continue: ")[1])
    before = snapshot(tmp_path / "out dir")
    assert before and words[0] == "torsor"
    bad.unlink()
    succeeded(run(*words[1:]))
    assert files(tmp_path / "out dir") == ["0.png", "1.png", "2.png"]
    assert {**snapshot(tmp_path / "out dir"), **before} == snapshot(tmp_path / "out dir")


def test_ctrl_c_says_how_to_go_on(tmp_path, model):
    source = image_folder(tmp_path / "in", count=400)
    command = [PROGRAM, "translate", "--threads", "1", "--json-progress", model, source, tmp_path / "out"]
    with subprocess.Popen(list(map(str, command)), text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        for line in process.stdout:
            if json.loads(line).get("stage") == "translate":
                break
        process.send_signal(signal.SIGINT)
        process.stdout.read()
        errors = process.stderr.read()
    there = len(files(tmp_path / "out"))
    if there == 400:
        pytest.skip("all was translated before the signal came")
    assert process.returncode == 130
    assert f"stopped: {there} of 400 images" in errors
    done = succeeded(run(*shlex.split(errors.split("to continue: ")[1])[1:]))
    assert len(files(tmp_path / "out")) == 400 and json.loads(done.stdout.splitlines()[-1])["kept"] == there


def test_existing_outputs_are_left_by_skip_existing(tmp_path):
    source = image_folder(tmp_path / "in", count=3)
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "1.png").write_bytes(b"precious")
    done = succeeded(translate("identity", source, tmp_path / "out", skip_existing=True))
    assert (tmp_path / "out" / "1.png").read_bytes() == b"precious"
    assert "2 images written" in done.stdout and "1 kept" in done.stdout
    done = succeeded(translate("identity", source, tmp_path / "out", skip_existing=True))
    assert "0 images written" in done.stdout and "3 kept" in done.stdout


# --- places ---

def test_outputs_among_the_inputs_are_refused(tmp_path):
    source = image_folder(tmp_path / "in", count=1)
    (tmp_path / "link").symlink_to(source)
    (tmp_path / "other").mkdir()
    (tmp_path / "hard.png").hardlink_to(source / "0.png")
    before = snapshot(tmp_path)
    inside = [source, source / ".", tmp_path / "other" / ".." / "in", tmp_path / "link", source / "out" / "deep"]
    each(lambda out: refused(translate("identity", source, out, overwrite=True), USAGE, out), [(out,) for out in inside])
    each(lambda out: refused(translate("identity", source / "0.png", out, overwrite=True), USAGE, "--in-place"),
         [(source,), (source / "0.png",), (tmp_path / "hard.png",)])
    refused(translate("identity", ".", "out", run_options={"cwd": source}), USAGE, "lies inside")
    assert snapshot(tmp_path) == before


def test_an_input_below_the_outputs_is_not_replaced(tmp_path):
    save(tmp_path / "in" / "in" / "0.png", picture())
    save(tmp_path / "in" / "0.png", picture(seed=1))
    before = snapshot(tmp_path)
    refused(translate("identity", tmp_path / "in" / "in", tmp_path / "in"), FAILURE, "exists already")
    refused(translate("identity", tmp_path / "in", tmp_path, overwrite=True), USAGE, "--in-place")
    assert snapshot(tmp_path) == before


def test_in_place_replaces_the_inputs(tmp_path, model):
    source = image_folder(tmp_path / "in", count=2)
    before = snapshot(source)
    succeeded(translate(model, source, tmp_path / "out"))
    refused(translate(model, source, tmp_path / "out", in_place=True), USAGE, "--in-place", tmp_path / "out")
    refused(run("translate", model, source, "--in-place", "--format", "jpg"), USAGE, "--in-place", "--format")
    assert snapshot(source) == before
    succeeded(run("translate", "--threads", "1", model, source, "--in-place"))
    assert snapshot(source) == snapshot(tmp_path / "out")


def test_flags_that_contradict_each_other(tmp_path):
    source = image_folder(tmp_path / "in", count=1)
    each(lambda *words: refused(run("translate", "identity", source, tmp_path / "out", *words), USAGE, *words[:2]),
         [("--overwrite", "--skip-existing"), ("--in-place", "--skip-existing"), ("--quiet", "--json-progress")])
    refused(translate("identity", source, tmp_path / "out", as_reference=True, resize=64), USAGE, "--resize")


def test_a_folder_that_cannot_be_written_is_known_before_anything_is_read(tmp_path):
    source = image_folder(tmp_path / "in", count=1)
    cut(source / "bad.png", source / "0.png")
    (tmp_path / "file").write_text("kept")
    each(lambda out: refused(translate(tmp_path / "no model", source, out), FAILURE, out, "you can write to"),
         [(pathlib.Path("/proc/torsor"),), (tmp_path / "file" / "out",)])


def test_a_long_name(tmp_path):
    source = save(tmp_path / ("n" * 246 + ".png"), picture())
    succeeded(translate("identity", source, tmp_path / "out" / source.name))
    assert (load(tmp_path / "out" / source.name) == load(source)).all()


# --- formats, pages, streams ---

def test_quality(tmp_path):
    source = save(tmp_path / "in.png", picture(200, 200))
    sizes = []
    for quality in (None, 95, 30):
        succeeded(translate("identity", source, tmp_path / f"{quality}.jpg", quality=quality))
        sizes.append((tmp_path / f"{quality}.jpg").stat().st_size)
    assert sizes[0] == sizes[1] > 2 * sizes[2]
    succeeded(translate("identity", source, tmp_path / "lossless.webp", quality=100))
    assert (load(tmp_path / "lossless.webp") == load(source)).all()
    refused(translate("identity", source, tmp_path / "x.jpg", quality=101), USAGE, "--quality")


def test_all_pages_of_a_tiff(tmp_path, model):
    pages = [image.fromarray(picture(seed=seed, width=40 + 4 * (seed // 2))) for seed in range(5)]
    pages[0].save(tmp_path / "stack.tif", save_all=True, append_images=pages[1:])
    for seed, page in enumerate(pages):
        page.save(tmp_path / f"{seed}.png")
        succeeded(translate(model, tmp_path / f"{seed}.png", tmp_path / "one" / f"{seed}.png"))
    for batch_size in (1, 3):
        out = tmp_path / f"out{batch_size}.tif"
        done = succeeded(translate(model, tmp_path / "stack.tif", out, batch_size=batch_size))
        assert "5 pages" in done.stdout
        with image.open(out) as stack:
            assert stack.n_frames == 5
            for seed in range(5):
                stack.seek(seed)
                assert numpy.abs(numpy.asarray(stack).astype(int) - load(tmp_path / "one" / f"{seed}.png")).max() <= 1
    refused(translate(model, tmp_path / "stack.tif", tmp_path / "out.png"), FAILURE, "out.png", "5 pages", "TIFF")


def stream(*arguments, given=b""):
    words = [PROGRAM, "translate", "--threads", "1", *arguments]
    return subprocess.run(list(map(str, words)), input=given, capture_output=True, timeout=120)


def test_standard_input_and_output(tmp_path):
    source = save(tmp_path / "in.png", picture())
    given = source.read_bytes()
    done = stream("identity", "-", "-", given=given)
    assert done.returncode == 0, done.stderr
    (tmp_path / "out").write_bytes(done.stdout)
    assert done.stdout.startswith(b"\x89PNG") and (load(tmp_path / "out") == load(source)).all()
    assert b"1 image written" in done.stderr
    assert stream("identity", source, "-", "--format", "jpg").stdout.startswith(b"\xff\xd8\xff")
    assert stream("identity", "-", tmp_path / "file.tif", given=given).returncode == 0
    assert (load(tmp_path / "file.tif") == load(source)).all()
    for words, part in [(("-", tmp_path), b"standard input has no name"), ((tmp_path, "-"), b"is a folder"),
                        (("-", "-", "--json-progress"), b"--json-progress"), (("-", "-", "--in-place"), b"--in-place")]:
        done = stream("identity", *words, given=given)
        assert done.returncode == USAGE and part in done.stderr and done.stdout == b""
    done = stream("identity", "-", "-", given=given[:100])
    assert done.returncode == FAILURE and b"standard input" in done.stderr and done.stdout == b""
    assert b"--skip-bad" not in done.stderr  # there is nothing else to continue with


# --- what is said ---

def test_quiet_and_json(tmp_path):
    source = image_folder(tmp_path / "in", count=2, dtype="uint16", channels=1)
    done = succeeded(translate("identity", source, tmp_path / "loud"))
    assert done.stderr == ""
    done = succeeded(translate("identity", source, tmp_path / "jpeg", format="jpg"))
    assert done.stderr.count("\n") == 1 and "2 images: 16-bit" in done.stderr and str(source / "0.png") in done.stderr
    done = succeeded(translate("identity", source, tmp_path / "quiet", quiet=True))
    assert done.stdout == done.stderr == ""
    done = succeeded(translate("identity", source, tmp_path / "json", json_progress=True))
    events = [json.loads(line) for line in done.stdout.splitlines()]
    assert events[0]["event"] == "start" and events[0]["files"] == 2
    assert {(event["stage"], event["done"], event["total"]) for event in events if event["event"] == "progress"} >= {
        ("check", 2, 2), ("translate", 2, 2)}
    assert events[-1] == {"event": "end", "written": 2, "pages": 2, "skipped": 0, "kept": 0}


def test_progress_is_told_by_time(tmp_path):
    """A fast run has nothing to say between its beginning and its end."""
    source = image_folder(tmp_path / "in", count=60, width=8, height=8)
    done = succeeded(translate("identity", source, tmp_path / "out"))
    assert done.stdout == f"60 images written to {tmp_path / 'out'}\n" and done.stderr == ""


def test_another_scale_than_the_training(tmp_path, model):
    source = image_folder(tmp_path / "in", count=2, width=96, height=96)
    said = succeeded(translate(model, source, tmp_path / "out")).stderr
    assert "2 of 2 images" in said and "32x32" in said and "--resize 32 " in said and said.count("\n") == 1
    assert succeeded(translate(model, source, tmp_path / "same", resize=32)).stderr == ""
    assert succeeded(translate(model, source, tmp_path / "reference", as_reference=True, load_size=32,
                               crop_size=32)).stderr == ""


def test_alpha_that_is_left_out_is_named(tmp_path, model):
    pixels = picture(channels=4)
    save(tmp_path / "in" / "a.png", pixels)
    pixels[:, :, 3] = 255
    save(tmp_path / "in" / "opaque.png", pixels)
    assert succeeded(translate(model, tmp_path / "in", tmp_path / "out")).stderr == ""
    given, got = load(tmp_path / "in" / "a.png"), load(tmp_path / "out" / "a.png")
    assert got.shape == given.shape and (got[:, :, 3] == given[:, :, 3]).all()
    said = succeeded(translate(model, tmp_path / "in", tmp_path / "jpeg", format="jpg")).stderr
    assert said.count("\n") == 1 and "a.png" in said and "alpha is left out" in said
