"""A run that was stopped, killed or met a broken disk resumes as if nothing had happened."""
import json
import os
import random
import shutil
import signal
import subprocess
import time

import pytest
from PIL import Image

from cli_support import (FAILURE, GENERATED, PROGRAM, TINY, USAGE, each, equal_weights, flags, refused, run, snapshot,
                         succeeded, train)

LONG = bool(os.environ.get("TORSOR_LONG"))
FAULTS = os.environ.get("TORSOR_FAULTS", "")
SMALL = {**TINY, "load_size": 20, "crop_size": 16, "max_dataset_size": 5, "net_d": "n_layers", "n_layers_d": 1,
         "log_every": 1, "checkpoint_every": 1, "sample_every": 0, "epochs": 10**6, "epochs_decay": 0}


def begin(folder, **options):
    return run("train", *flags({**GENERATED, **SMALL, "out": "run", **options}), cwd=folder)


def resume(folder, *arguments, **options):
    return run("train", "--resume", "run", *flags(options), *arguments, cwd=folder)


def checkpoints(folder):
    return sorted((folder / "run" / "checkpoints").glob("step_*.safetensors"))


def step_of(path):
    return int(path.stem.removeprefix("step_"))


def started(folder, *arguments):
    """A training under way that has written its first checkpoint."""
    process = subprocess.Popen([PROGRAM, "train", *map(str, arguments)], cwd=folder, text=True,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    deadline = time.monotonic() + 60
    while not checkpoints(folder) and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.01)
    assert process.poll() is None and checkpoints(folder), process.communicate()
    return process


def same_as_uninterrupted(folder, steps, **options):
    """Compares run/ with a run of that many steps in one go, byte for byte."""
    whole = folder / "whole"
    whole.mkdir()
    succeeded(begin(whole, steps=steps, **options))
    name = f"step_{steps:08}"
    for path in (f"checkpoints/{name}.safetensors", f"samples/{name}.png", "model.safetensors"):
        assert (folder / "run" / path).read_bytes() == (whole / "run" / path).read_bytes(), path
    times = ("seconds", "data_wait")
    logs = [[{k: v for k, v in json.loads(line).items() if k not in times}
             for line in (root / "run" / "log.jsonl").read_text().splitlines()] for root in (folder, whole)]
    assert logs[0] == logs[1]


def test_stopped_and_resumed_is_the_same_run(tmp_path):
    succeeded(begin(tmp_path, steps=5))
    done = succeeded(resume(tmp_path, steps=9))
    assert "resuming from run/checkpoints/step_00000005.safetensors, step 5" in done.stdout
    assert "changed: steps was 5 until step 5, now 9" in done.stderr
    same_as_uninterrupted(tmp_path, 9)
    done = succeeded(resume(tmp_path))
    assert "this run is complete: 9 of 9 steps" in done.stderr


def test_images_of_several_sizes(tmp_path):
    for domain in "ab":
        for i, size in enumerate([(32, 32), (40, 32), (32, 48), (36, 36)]):
            path = tmp_path / domain / f"{i}.png"
            path.parent.mkdir(exist_ok=True)
            Image.effect_noise(size, 60).convert("RGB").save(path)
    varying = {"data": None, "a": tmp_path / "a", "b": tmp_path / "b", "preprocess": "none", "max_dataset_size": 0,
               "sample_every": 2}
    succeeded(begin(tmp_path, steps=5, **varying))
    succeeded(resume(tmp_path, steps=8))
    same_as_uninterrupted(tmp_path, 8, **varying)


def test_killed_again_and_again_is_the_same_run(tmp_path):
    """Kills at random moments, during start, steps and saves alike; each checkpoint that is there must be whole."""
    draw = random.Random(0)
    first = started(tmp_path, *flags({**GENERATED, **SMALL, "steps": 10**6, "out": "run"}))
    first.kill()
    first.communicate()
    wanted, kills, patience = 200 if LONG else 20, 0, 1.0
    # Where starting takes longer than the sessions last, they are given more time until some steps are done.
    while kills < wanted or step_of(checkpoints(tmp_path)[-1]) <= 20:
        kills += 1
        patience *= 2 if kills % wanted == 0 else 1
        process = subprocess.Popen([PROGRAM, "train", "--resume", "run"], cwd=tmp_path, text=True,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        time.sleep(draw.uniform(0.2, 1.2) * patience)
        process.kill()
        errors = process.communicate()[1]
        assert process.returncode == -signal.SIGKILL, errors
        assert "passed over" not in errors
    last = step_of(checkpoints(tmp_path)[-1])
    succeeded(resume(tmp_path, steps=last + 1))
    same_as_uninterrupted(tmp_path, last + 1)
    assert not list((tmp_path / "run" / "checkpoints").glob(".*")), "half-written files are cleared away"


def test_a_second_signal_ends_it_at_once_without_damage(tmp_path):
    process = started(tmp_path, *flags({**GENERATED, **SMALL, "steps": 10**6, "out": "run"}))
    process.send_signal(signal.SIGINT)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=60)
    assert process.returncode in (130, 143)
    last = step_of(checkpoints(tmp_path)[-1])
    succeeded(resume(tmp_path, steps=last + 1))
    same_as_uninterrupted(tmp_path, last + 1)


def test_two_trainers_in_one_directory(tmp_path):
    first = started(tmp_path, *flags({**GENERATED, **SMALL, "steps": 10**6, "out": "run"}))
    refused(resume(tmp_path), FAILURE, "run: another process", str(first.pid), "is training in this directory")
    first.kill()
    first.communicate()
    last = step_of(checkpoints(tmp_path)[-1])
    succeeded(resume(tmp_path, steps=last + 1))  # the lock died with its owner


def test_what_a_resumed_run_refuses(tmp_path):
    succeeded(begin(tmp_path, steps=1))
    before = snapshot(tmp_path)
    each(lambda arguments, code, *parts: refused(resume(tmp_path, *arguments), code, *parts),
         [(("--ngf", "8"), USAGE, "--ngf 8", "in run it is 4", "--init-from run"),
          (("--restart",), USAGE, "--restart and --resume contradict each other"),
          (("--lr-decay-epochs", "2"), USAGE, "--lr-decay-epochs does nothing"),
          (("--out", "other"), USAGE, "--out and --resume exclude each other"),
          (("--gan-mode", "vanilla"), USAGE, "--gan-mode vanilla", "continued run keeps it"),
          (("--checkpoint-every", "soon"), USAGE, "--checkpoint-every", "soon")])
    succeeded(resume(tmp_path, steps=4))
    before = snapshot(tmp_path)
    refused(resume(tmp_path, "--quiet", steps=2), USAGE, "--steps asks for 2 steps", "4 are done")
    refused(run("train", "--resume", tmp_path / "gone"), FAILURE, "gone", "no such run directory")
    refused(run("train", "--resume", tmp_path), FAILURE, "is not a run directory")
    after = snapshot(tmp_path)
    assert {k: v for k, v in after.items() if not k.endswith(".lock")} == \
           {k: v for k, v in before.items() if not k.endswith(".lock")}


# --- runs that ended early, and other places ---

def test_a_kill_after_the_first_step_can_go_on(tmp_path):
    process = started(tmp_path, *flags({**GENERATED, **SMALL, "checkpoint_every": "10h", "steps": 10**6, "out": "run"}))
    process.kill()
    process.communicate()
    assert [path.name for path in checkpoints(tmp_path)] == ["step_00000001.safetensors"]
    succeeded(resume(tmp_path, steps=3))
    same_as_uninterrupted(tmp_path, 3, checkpoint_every="10h")


def test_a_run_that_ended_before_its_first_checkpoint_is_begun_again(tmp_path):
    succeeded(begin(tmp_path, steps=2))
    shutil.rmtree(tmp_path / "run" / "checkpoints")
    (tmp_path / "run" / "model.safetensors").unlink()
    (tmp_path / "run" / "notes.txt").write_text("mine")
    before = snapshot(tmp_path)
    refused(resume(tmp_path), FAILURE, "no checkpoint", "--restart", "--config run/config.json")
    refused(begin(tmp_path, steps=2), FAILURE, "before its first checkpoint", "--restart")
    assert snapshot(tmp_path).keys() == before.keys()
    done = succeeded(run("train", "--config", "run/config.json", "--restart", cwd=tmp_path))
    assert "done: 2 steps" in done.stdout
    assert (tmp_path / "run" / "notes.txt").read_text() == "mine"
    succeeded(begin(tmp_path, steps=2, out="whole"))  # whose stored configuration names no file
    assert equal_weights(tmp_path / "run" / "model.safetensors", tmp_path / "whole" / "model.safetensors")


def test_restart_never_removes_a_result(tmp_path):
    succeeded(begin(tmp_path, steps=1))
    before = snapshot(tmp_path)
    again = [*flags({**GENERATED, **SMALL, "out": "run", "steps": 1}), "--restart"]
    refused(run("train", *again, cwd=tmp_path), FAILURE, "holds a run already", "--resume run")
    shutil.rmtree(tmp_path / "run" / "checkpoints")
    refused(run("train", *again, cwd=tmp_path), FAILURE, "holds a run already")
    assert snapshot(tmp_path) == {k: v for k, v in before.items() if "checkpoints" not in k}
    succeeded(begin(tmp_path, out="new", restart=True, steps=1))


def test_a_resumed_run_finds_its_images_from_anywhere(tmp_path):
    home, elsewhere = tmp_path / "home", tmp_path / "elsewhere"
    elsewhere.mkdir()
    for domain in "ab":
        for i in range(3):
            path = home / "images" / domain / f"{i}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.effect_noise((24, 24), 60).convert("RGB").save(path)
    relative = {"data": None, "a": "images/a", "b": "images/b"}
    succeeded(begin(home, steps=2, **relative))
    done = succeeded(run("train", "--resume", "../home/run", "--steps", "4", cwd=elsewhere))
    assert "the images are not those" not in done.stderr and "changed: a" not in done.stderr
    shutil.move(home / "images", tmp_path / "moved")
    refused(run("train", "--resume", "../home/run", "--steps", "6", cwd=elsewhere), USAGE, "--a images/a",
            home / "images" / "a", "say where they are now")
    moved = ["--a", "../moved/a", "--b", "../moved/b"]
    succeeded(run("train", "--resume", "../home/run", "--steps", "6", *moved, cwd=elsewhere))
    succeeded(run("train", "--resume", home / "run", "--steps", "8", cwd=tmp_path))  # where they were found last
    log = [json.loads(line)["step"] for line in (home / "run" / "log.jsonl").read_text().splitlines()]
    assert log == [1, 2, 3, 4, 5, 6, 7, 8]


# --- disks that fail ---

def with_fault(folder, at, kind, *arguments):
    environment = {**os.environ, "LD_PRELOAD": FAULTS, "FAULT_PATH": "/checkpoints", "FAULT_AT": str(at),
                   "FAULT_KIND": kind, "FAULT_COUNT": str(folder / "count"),
                   "ASAN_OPTIONS": "verify_asan_link_order=0"}  # of a sanitized program, which wants to be first
    return run("train", *arguments, cwd=folder, env=environment)


@pytest.mark.skipif(not os.path.exists(FAULTS), reason="TORSOR_FAULTS names no library: run through ctest")
@pytest.mark.parametrize("kind", ["EIO", "ENOSPC", "short"])
def test_a_failure_at_every_file_operation_of_a_save(tmp_path, kind):
    base = tmp_path / "base"
    base.mkdir()
    # Wide enough that a checkpoint is written in several pieces.
    succeeded(begin(base, steps=2, ngf=8, checkpoint_every=0))
    whole = tmp_path / "uninterrupted"
    shutil.copytree(base, whole)
    succeeded(with_fault(whole, 0, "EIO", "--resume", "run", "--steps", "3"))
    operations = int((whole / "count").read_text())
    assert operations >= 10
    expected = (whole / "run" / "checkpoints" / "step_00000003.safetensors").read_bytes()

    codes = []

    def one(at):
        folder = tmp_path / f"{kind}-{at}"
        shutil.copytree(base, folder)
        done = with_fault(folder, at, kind, "--resume", "run", "--steps", "3")
        codes.append(done.returncode)
        assert done.returncode in (0, FAILURE), done.stderr
        if done.returncode != 0:
            lines = [line for line in done.stderr.splitlines() if not line.startswith("changed:")]
            assert len(lines) == 1 and "checkpoints/step_00000003" in lines[0], done.stderr
        names = [path.name for path in checkpoints(folder)]
        assert "step_00000002.safetensors" in names
        for path in checkpoints(folder):
            if path.name == "step_00000003.safetensors":
                assert path.read_bytes() == expected
        if kind != "EIO" and not LONG:
            return  # what is on the disk is the same for all kinds
        done = succeeded(resume(folder, steps=3))
        assert "passed over" not in done.stderr
        assert (folder / "run" / "checkpoints" / "step_00000003.safetensors").read_bytes() == expected

    each(one, [(at,) for at in range(1, operations + 1)])
    # Half a write is no failure; of the others only what is done to the folder after the rename may pass.
    assert codes.count(FAILURE) == 0 if kind == "short" else codes.count(FAILURE) >= operations - 2


def test_a_damaged_checkpoint_is_passed_over(tmp_path):
    succeeded(begin(tmp_path, steps=3))
    newest = checkpoints(tmp_path)[-1]
    content = bytearray(newest.read_bytes())
    content[-3] ^= 1
    newest.write_bytes(content)
    done = succeeded(resume(tmp_path, steps=4))
    assert "passed over a checkpoint" in done.stderr and newest.name in done.stderr and "checksum" in done.stderr
    assert "resuming from run/checkpoints/step_00000002.safetensors" in done.stdout
    same_as_uninterrupted(tmp_path, 4)
