"""What a run or an output was before is there after whatever goes wrong: full disks, signals, losses that are no numbers."""
import json
import pathlib
import resource
import shutil
import signal
import subprocess

import pytest

from cli_support import (FAILURE, GENERATED, PROGRAM, TINY, each, equal_weights, flags, picture, refused, save, snapshot,
                         succeeded, train, translate, weights)


def limited(size):
    """As on a full disk: no file grows beyond `size` bytes."""
    return {"preexec_fn": lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))}


# --- outputs ---

def test_an_existing_run_is_kept(tmp_path, model):
    shutil.copytree(model, tmp_path / "run")
    before = snapshot(tmp_path / "run")
    refused(train(tmp_path / "run"), FAILURE, tmp_path / "run", "holds a run already", "choose another")
    assert snapshot(tmp_path / "run") == before


def test_a_run_directory_that_cannot_be_made(tmp_path):
    (tmp_path / "file").write_text("kept")
    each(lambda out: refused(train(out), FAILURE, out, "cannot make this folder"),
         [(tmp_path / "file",), (tmp_path / "file" / "run",), (pathlib.Path("/proc/torsor-run"),)])
    assert snapshot(tmp_path) == {"file": b"kept"}


def test_an_output_that_cannot_be_made(tmp_path, model, folders):
    source = folders / "trainA"
    (tmp_path / "file").write_text("kept")
    each(lambda given, out, part: refused(translate(model, given, out), FAILURE, out, part),
         [(source / "0.png", pathlib.Path("/proc/torsor.png"), "cannot be written"),
          (source, pathlib.Path("/proc/torsor"), "cannot make this folder"),
          (source, tmp_path / "file", "is a file")])
    refused(translate(model, source / "0.png", tmp_path / "file" / "x.png"), FAILURE, tmp_path / "file")
    assert snapshot(tmp_path) == {"file": b"kept"}


def test_an_existing_output_is_kept_without_overwrite(tmp_path, model, folders):
    kept = tmp_path / "out" / "1.png"
    kept.parent.mkdir()
    kept.write_bytes(b"precious")
    refused(translate(model, folders / "trainA", kept.parent), FAILURE, kept, "exists already", "--overwrite")
    refused(translate(model, folders / "trainA" / "0.png", kept), FAILURE, kept, "exists already", "--overwrite")
    assert snapshot(tmp_path) == {"out": None, "out/1.png": b"precious"}


def test_two_inputs_for_one_output(tmp_path, model):
    save(tmp_path / "in" / "x.png", picture())
    save(tmp_path / "in" / "x.jpg", picture())
    refused(translate(model, tmp_path / "in", tmp_path / "out", format="png"), FAILURE, "x.png", "x.jpg", "--format")
    assert not (tmp_path / "out").exists()


def test_a_full_disk_spares_an_existing_output(tmp_path, model):
    source = save(tmp_path / "in.png", picture(300, 300))
    out = tmp_path / "out" / "in.png"
    succeeded(translate(model, source, save(out, picture(8, 8)), overwrite=True))
    assert out.stat().st_size > 80000
    before = snapshot(tmp_path)
    for size in (70000, 1000):  # the latter holds not even what is tried before anything is read
        done = translate(model, source, out, overwrite=True, direction="b_to_a", quiet=True, run_options=limited(size))
        assert done.returncode == FAILURE and done.stderr.splitlines()[-1].startswith("torsor: ")
        assert str(out if size == 70000 else out.parent) in done.stderr and "be written" in done.stderr
    assert snapshot(tmp_path) == before


def test_a_full_disk_spares_the_earlier_checkpoints(tmp_path, model):
    succeeded(train(tmp_path / "all", steps=4, checkpoint_every=1))
    last = tmp_path / "all" / "checkpoints" / "step_00000004.safetensors"
    # Run folders of names as long, which checkpoints hold. A checkpoint grows with the images in the history buffer,
    # so this limit lets the earlier ones pass.
    done = train(tmp_path / "run", steps=4, checkpoint_every=1, run_options=limited(last.stat().st_size - 1))
    checkpoints = tmp_path / "run" / "checkpoints"
    refused(done, FAILURE, checkpoints / last.name, "could not be written", "nothing that was there before")
    assert sorted(snapshot(checkpoints)) == ["step_00000002.safetensors", "step_00000003.safetensors"]
    third = checkpoints / "step_00000003.safetensors"
    assert equal_weights(third, tmp_path / "all" / "checkpoints" / third.name)
    source = save(tmp_path / "in.png", picture())
    succeeded(translate(tmp_path / "run", source, tmp_path / "out.png"))


def test_a_disk_that_is_full_from_the_start(tmp_path):
    refused(train(tmp_path / "run", run_options=limited(0)), FAILURE, tmp_path / "run", "cannot make this folder")
    assert snapshot(tmp_path) == {}


def test_an_output_is_tried_before_images_are_read(tmp_path):
    (tmp_path / "kept").mkdir()
    refused(train("/proc/torsor/run", a=tmp_path / "absent", b=tmp_path / "gone"), FAILURE, "/proc/torsor/run",
            "cannot make this folder")
    refused(train(tmp_path / "kept", a=tmp_path / "absent", b=tmp_path / "gone"), FAILURE, "absent")
    assert snapshot(tmp_path) == {"kept": None}, "the trial leaves nothing behind"


def test_a_closed_standard_output(tmp_path):
    with open("/dev/full", "w") as full:
        done = subprocess.run([PROGRAM, "docs"], stdout=full, stderr=subprocess.PIPE, text=True, timeout=60)
    refused(done, FAILURE, "standard output")


# --- ends of a run ---

@pytest.mark.parametrize("sent, code", [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_saves_what_was_learnt(tmp_path, sent, code):
    command = [PROGRAM, "train", *flags({**GENERATED, **TINY, "steps": 100000, "out": tmp_path / "run"})]
    with subprocess.Popen(command, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        for line in process.stdout:
            if "learning rate" in line:
                break
        process.send_signal(sent)
        printed, errors = process.communicate(timeout=120)
    assert process.returncode == code
    assert errors == ""
    checkpoints = list((tmp_path / "run" / "checkpoints").iterdir())
    checkpoints = [path for path in checkpoints if str(path) in printed]  # in addition to that of the first step
    assert len(checkpoints) == 1
    assert str(tmp_path / "run" / "model.safetensors") in printed
    saved, result = weights(checkpoints[0]), weights(tmp_path / "run" / "model.safetensors")
    assert all((saved[key] == result[key]).all() for key in result)
    logged = [json.loads(line) for line in (tmp_path / "run" / "log.jsonl").read_text().splitlines()]
    assert checkpoints[0].stem == f"step_{logged[-1]['step']:08}"


def test_losses_that_are_no_numbers_end_the_run(tmp_path):
    done = train(tmp_path / "run", steps=20, lr="1e30", checkpoint_every=1)
    refused(done, FAILURE, "step 2", "loss", "nan", "lower --lr", "the last good checkpoint is ", "step_00000001")
    assert not (tmp_path / "run" / "model.safetensors").exists()
    assert sorted(snapshot(tmp_path / "run" / "checkpoints")) == ["step_00000001.safetensors"]


def test_it_says_so_when_no_checkpoint_precedes_the_trouble(tmp_path):
    done = train(tmp_path / "run", steps=20, lr="1e30", checkpoint_every=0)
    refused(done, FAILURE, "step 2", "no checkpoint had been written")
