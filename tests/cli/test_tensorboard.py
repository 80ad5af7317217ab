"""The event files of a run, read by TensorBoard's own code: what it shows is what log.jsonl and samples/ hold."""
import json
import re
import shutil
import subprocess
import time

import pytest

from cli_support import GENERATED, PROGRAM, SHOWN, TINY, equal_weights, flags, run, snapshot, succeeded, train

numpy = pytest.importorskip("numpy")
pytest.importorskip("tensorboard")
from tensorboard.backend.event_processing import event_accumulator, event_file_loader, plugin_event_accumulator  # noqa: E402
from tensorboard.plugins.text import text_plugin  # noqa: E402
from tensorboard.util import tensor_util  # noqa: E402

ALL = {kind: 0 for kind in event_accumulator.DEFAULT_SIZE_GUIDANCE}  # nothing is sampled


def event_files(run_folder):
    return sorted(run_folder.glob("events.out.tfevents.*"))


def shown(run_folder):
    return event_accumulator.EventAccumulator(str(run_folder), ALL).Reload()


def scalars_of(accumulator):
    """{tag: [(step, value)]}."""
    return {tag: [(e.step, e.value) for e in accumulator.Scalars(tag)] for tag in accumulator.Tags()["scalars"]}


def logged(run_folder):
    """The same from log.jsonl, in single precision."""
    out = {}
    for line in (run_folder / "log.jsonl").read_text().splitlines():
        entry = json.loads(line)
        for name, value in entry.items():
            if name not in ("step", "epoch", "seconds", "data_wait"):
                tag = name if name == "lr" else f"loss/{name}"
                out.setdefault(tag, []).append((entry["step"], float(numpy.float32(value))))
    return out


def pictures_of(accumulator):
    return {e.step: e.encoded_image_string for e in accumulator.Images("samples")}


def samples(run_folder):
    return {int(path.stem.removeprefix("step_")): path.read_bytes() for path in (run_folder / "samples").iterdir()}


def texts_of(accumulator):
    """{step: {option: value}} of the tables of options."""
    out = {}
    for event in accumulator.Tensors("configuration"):
        table = tensor_util.make_ndarray(event.tensor_proto).item().decode()
        rows = re.findall(r"^\| `(\w+)` \| (`+) ?(.*?) ?\2 \|", table, re.MULTILINE)
        out[event.step] = {name: json.loads(value) for name, _, value in rows}
    return out


def config_of(run_folder):
    return json.loads((run_folder / "config.json").read_text())


OPTIONS = {**SHOWN, "steps": 5, "log_every": 2, "sample_every": 2, "note": "a|b `c` <d> *e*"}


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    out = tmp_path_factory.mktemp("plain") / "run"
    succeeded(train(out, **OPTIONS))
    return out


def test_it_shows_every_value_picture_and_option(plain):
    out = plain
    accumulator = shown(out)
    assert scalars_of(accumulator) == logged(out)
    assert {step for step, _ in scalars_of(accumulator)["lr"]} == {2, 4, 5}
    assert pictures_of(accumulator) == samples(out) and samples(out).keys() == {2, 4, 5}
    for event in accumulator.Images("samples"):
        with open(out / "samples" / f"step_{event.step:08}.png", "rb") as file:
            header = file.read(24)
        assert (event.width, event.height) == (int.from_bytes(header[16:20], "big"), int.from_bytes(header[20:], "big"))
    assert texts_of(accumulator) == {1: config_of(out)}

    # The same data as the pages of TensorBoard have them, each with the plugin that shows it.
    pages = plugin_event_accumulator.EventAccumulator(str(out), {"tensors": 0}).Reload()
    kinds = {tag: pages.SummaryMetadata(tag).plugin_data.plugin_name for tag in pages.Tags()["tensors"]}
    assert kinds == {"samples": "images", "configuration": "text", **{tag: "scalars" for tag in logged(out)}}
    table = tensor_util.make_ndarray(pages.Tensors("configuration")[0].tensor_proto)
    html = text_plugin.text_array_to_html(table, enable_markdown=True)
    assert html.count("<tr>") == 1 + len(config_of(out)) and "a|b `c` &lt;d&gt; *e*" in html
    # Nobody can tell where it was trained.
    assert re.fullmatch(r"events\.out\.tfevents\.\d{10}\.torsor", event_files(out)[0].name)


def killed_after(out, steps):
    """A run that has one checkpoint, of its first step, and was killed some steps later."""
    options = {**GENERATED, **TINY, "steps": 10**6, "log_every": 1, "sample_every": 2, "checkpoint_every": "10h"}
    process = subprocess.Popen([PROGRAM, "train", *flags({**options, "out": out})], stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, text=True)
    deadline = time.monotonic() + 60
    while process.poll() is None and time.monotonic() < deadline:
        if (out / "log.jsonl").exists() and (out / "log.jsonl").read_text().count("\n") >= steps:
            break
        time.sleep(0.01)
    process.kill()
    assert process.communicate()[0] is not None and process.returncode == -9


def test_after_a_kill_no_step_is_there_twice_and_none_is_lost(tmp_path):
    out = tmp_path / "run"
    killed_after(out, 7)
    watching = shown(out)  # before the kill was noticed
    assert {step for step, _ in scalars_of(watching)["lr"]} >= {1, 2, 3, 4, 5, 6}
    assert sorted(pictures_of(watching))[:3] == [2, 4, 6], "readable while it grows"
    torn = event_files(out)[0]
    torn.write_bytes(torn.read_bytes()[:-7])
    aborted = tmp_path / "aborted"
    shutil.copytree(out, aborted)

    succeeded(run("train", "--resume", out, "--steps", "9"))
    fresh = shown(out)
    for accumulator in (fresh, watching.Reload()):
        assert scalars_of(accumulator) == logged(out)
        assert [step for step, _ in scalars_of(accumulator)["loss/d_a"]] == list(range(1, 10))
        assert [e.step for e in accumulator.Images("samples")] == [2, 4, 6, 8, 9]
        assert pictures_of(accumulator) == {step: samples(out)[step] for step in (2, 4, 6, 8, 9)}
        assert texts_of(accumulator).keys() == {1, 2} and texts_of(accumulator)[2]["steps"] == 9
    aside = event_file_loader.LegacyEventFileLoader(str(out / "events.discarded.tfrecord"))
    assert {event.step for event in aside.Load()} >= {2, 3, 4, 5}

    # Nothing is left to do, and the last picture is drawn again.
    succeeded(run("train", "--resume", out))
    assert scalars_of(shown(out)) == logged(out) and len(event_files(out)) == 2
    assert [e.step for e in shown(out).Images("samples")] == [2, 4, 6, 8, 9]

    # A session without it leaves no events of steps that it repeats.
    succeeded(run("train", "--resume", aborted, "--steps", "4", "--no-tensorboard"))
    assert [step for step, _ in scalars_of(shown(aborted))["lr"]] == [1]
    succeeded(run("train", "--resume", aborted, "--steps", "6", "--tensorboard"))
    assert [step for step, _ in scalars_of(shown(aborted))["lr"]] == [1, 5, 6]


def test_without_it_a_run_is_the_same(tmp_path, plain):
    succeeded(train(tmp_path / "run", **{**OPTIONS, "tensorboard": False}))
    first, second = snapshot(plain), snapshot(tmp_path / "run")
    extra = first.keys() - second.keys()
    assert len(extra) == 1 and extra.pop().startswith("events.out.tfevents.") and not second.keys() - first.keys()
    assert {k: v for k, v in first.items() if k.startswith("samples/")} == \
           {k: v for k, v in second.items() if k.startswith("samples/")}
    assert equal_weights(plain / "model.safetensors", tmp_path / "run" / "model.safetensors")


def test_a_run_that_begins_again_begins_with_new_events(tmp_path, plain):
    out = tmp_path / "run"
    shutil.copytree(plain, out)
    first = event_files(out)
    shutil.rmtree(out / "checkpoints")
    (out / "model.safetensors").unlink()
    (out / "events.discarded.tfrecord").write_bytes(b"old")
    (out / "events.out.tfevents.1.mine").write_bytes(b"")
    succeeded(train(out, steps=2, restart=True, **SHOWN))
    assert [path for path in event_files(out) if path.suffix == ".torsor"] != first
    assert len(event_files(out)) == 2 and not (out / "events.discarded.tfrecord").exists()
    assert [step for step, _ in scalars_of(shown(out))["lr"]] == [2]
