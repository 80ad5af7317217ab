"""Training against ambiguity: anchors, a content encoder, a sparse Jacobian, discriminators that see classes."""
import json

import pytest

from classifier_file import classifier
from cli_support import (FAILURE, SOURCE, USAGE, each, equal_weights, image_folder, picture, refused, run, save, succeeded,
                         train, weights)

numpy = pytest.importorskip("numpy")
SIDE = 24
SMALL = {"load_size": 20, "crop_size": 16, "steps": 4, "log_every": 1, "checkpoint_every": 1, "net_d": "n_layers",
         "n_layers_d": 1, "pool_size": 2, "batch_size": 2, "epochs": 10**6, "epochs_decay": 0}


def shapes(folder, bright, count=6):
    """Bright or dark discs and squares on grey, in turn; returns a table of their shapes."""
    y, x = numpy.mgrid[0:SIDE, 0:SIDE] - (SIDE - 1) / 2
    lines = ["name,label"]
    for i in range(count):
        inside = numpy.hypot(x, y) < 5 + i / 2 if i % 2 == 0 else numpy.maximum(abs(x), abs(y)) < 4 + i / 2
        pixels = numpy.full((SIDE, SIDE, 3), 128, "uint8")
        pixels[inside] = 240 - i if bright else 20 + i
        save(folder / f"{i}.png", pixels)
        lines.append(f"{i}.png,{'disc' if i % 2 == 0 else 'square'}")
    return "\n".join(lines) + "\n"


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    root = tmp_path_factory.mktemp("cures")
    for domain, bright in (("a", True), ("b", False)):
        (root / f"labels_{domain}.csv").write_text(shapes(root / domain, bright))
        shapes(root / f"pairs_{domain}", bright, count=2)
    return root


def domains(data):
    return {"a": data / "a", "b": data / "b"}


def anchors(data):
    return {"anchors_a": data / "pairs_a", "anchors_b": data / "pairs_b"}


def labels(data):
    return {"labels_a": data / "labels_a.csv", "labels_b": data / "labels_b.csv"}


def everything(data, root):
    return {**domains(data), **anchors(data), **labels(data), "lambda_jacobian": 0.5,
            "content_encoder": classifier(root / "classifier.safetensors")}


def begin(out, **options):
    return train(out, **{**SMALL, **options})


def log_of(run_directory):
    lines = [json.loads(line) for line in (run_directory / "log.jsonl").read_text().splitlines()]
    return [{key: value for key, value in line.items() if key not in ("seconds", "data_wait")} for line in lines]


def model_of(run_directory):
    done = succeeded(run("inspect", "--json", run_directory))
    return json.loads(done.stdout)


CURES = ("anchor_a_to_b", "anchor_b_to_a", "content_a", "content_b", "jacobian_a", "jacobian_b")


def test_a_run_with_all_of_them(tmp_path, data):
    done = succeeded(begin(tmp_path / "run", **everything(data, tmp_path), alarm_every=1))
    assert "anchors: 2 pairs" in done.stdout
    assert "the discriminators see 2 classes: disc, square" in done.stdout
    assert done.stderr == ""
    for line in log_of(tmp_path / "run"):
        assert all(line[name] > 0 for name in CURES)
    about = model_of(tmp_path / "run")
    assert len(about["anchors"]) == 4 and all(len(key) == 32 for key in about["anchors"])
    seeing = [network for network in about["networks"] if network["kind"] == "discriminator"]
    assert [network["labels"] for network in seeing] == [["disc", "square"]] * 2
    assert "of which 2 are classes" in succeeded(run("inspect", tmp_path / "run")).stdout
    assert weights(tmp_path / "run/model.safetensors")["net/d_a/model.0.weight"].shape[1] == 5
    # What uses a model has no need of them.
    image_folder(tmp_path / "in", count=1)
    succeeded(run("translate", "--threads", "1", tmp_path / "run", tmp_path / "in", tmp_path / "out"))
    done = succeeded(run("export", tmp_path / "run", tmp_path / "reference"))
    assert "d_a is left out: it sees classes" in done.stdout + done.stderr
    assert not list((tmp_path / "reference").glob("*net_D*"))


def test_without_them_nothing_changes(tmp_path, data):
    """No pass, no draw, no name: a run is what it was, and what lambdas of 0 leave of it."""
    each(lambda name, more: succeeded(begin(tmp_path / name, **domains(data), **more)),
         [("plain", {}), ("zero", {**anchors(data), "lambda_anchor": 0, "lambda_jacobian": 0})])
    plain = log_of(tmp_path / "plain")
    assert plain == log_of(tmp_path / "zero")
    assert not set(CURES) & plain[0].keys()
    one, two = weights(tmp_path / "plain/model.safetensors"), weights(tmp_path / "zero/model.safetensors")
    assert all(numpy.array_equal(one[key], two[key]) for key in one)
    assert "anchors" not in model_of(tmp_path / "plain")
    # The pairs were there, even if nothing weighed them.
    assert len(model_of(tmp_path / "zero")["anchors"]) == 4


def test_interrupted_and_resumed_is_the_same_run(tmp_path, data):
    options = everything(data, tmp_path)
    each(lambda name, steps: succeeded(begin(tmp_path / name, **options, steps=steps)), [("run", 3), ("whole", 6)])
    done = succeeded(run("train", "--resume", tmp_path / "run", "--steps", 6, "--loader-threads", 0))
    assert "the images are not those" not in done.stderr
    name = "checkpoints/step_00000006.safetensors"
    assert equal_weights(tmp_path / "run" / name, tmp_path / "whole" / name)
    assert log_of(tmp_path / "run") == log_of(tmp_path / "whole")
    picture_at_the_end = "samples/step_00000006.png"
    assert (tmp_path / "run" / picture_at_the_end).read_bytes() == (tmp_path / "whole" / picture_at_the_end).read_bytes()


def test_a_resumed_run_keeps_its_encoder_and_its_classes(tmp_path, data):
    succeeded(begin(tmp_path / "run", **everything(data, tmp_path)))
    resume = ("train", "--resume", tmp_path / "run", "--steps", 6)
    classifier(tmp_path / "other.safetensors", seed=1)
    refused(run(*resume, "--content-encoder", tmp_path / "other.safetensors"), USAGE, "--content-encoder",
            "other weights", "--init-from")
    (tmp_path / "classifier.safetensors").rename(tmp_path / "moved.safetensors")
    refused(run(*resume), USAGE, "--content-encoder", "classifier.safetensors", "this file", "--content-encoder FILE")
    renamed = tmp_path / "renamed.csv"
    renamed.write_text((data / "labels_a.csv").read_text().replace("square", "box"))
    refused(run(*resume, "--content-encoder", tmp_path / "moved.safetensors", "--labels-a", renamed), FAILURE,
            "renamed.csv", "box, disc", "disc, square")
    succeeded(run(*resume, "--content-encoder", tmp_path / "moved.safetensors"))
    succeeded(begin(tmp_path / "plain", **domains(data)))
    refused(run("train", "--resume", tmp_path / "plain", "--steps", 6, "--labels-a", data / "labels_a.csv", "--labels-b",
                data / "labels_b.csv"), USAGE, "--labels-a", "--init-from")


def test_the_suggested_command_trains_the_same(tmp_path, data):
    """What a run finds out for itself is no flag."""
    succeeded(begin(tmp_path / "run", **everything(data, tmp_path), report=True))
    page = (tmp_path / "run/report.html").read_text()
    assert "--anchors-a" in page and "--content-hash" not in page and "--label-classes" not in page
    done = succeeded(run("train", "--help-all"))
    assert "--labels-a" in done.stdout and "content-hash" not in done.stdout and "label-classes" not in done.stdout


def test_one_without_the_other(tmp_path, data):
    cases = [({"anchors_a": data / "pairs_a"}, "--anchors-b is missing"),
             ({"anchors_b": data / "pairs_b"}, "--anchors-a is missing"),
             ({"lambda_anchor": 1}, "--anchors-a and --anchors-b"),
             ({"lambda_content": 1}, "--content-encoder"),
             ({"labels_a": data / "labels_a.csv"}, "--labels-b is missing"),
             ({"labels_b": data / "labels_b.csv"}, "--labels-a is missing"),
             ({"lambda_jacobian": 1, "dropout": True}, "dropout"),
             ({"lambda_jacobian": 1, "precision": "bf16"}, "--precision fp32"),
             ({**labels(data), "gan_mode": "wgangp"}, "--gan-mode"),
             ({"lambda_jacobian": -1}, "--lambda-jacobian"),
             ({**anchors(data), "model": "cut", "pool_size": None}, "--anchors-a")]
    each(lambda options, *parts: refused(begin(tmp_path / "run", **domains(data), **options), USAGE, *parts), cases)
    assert not (tmp_path / "run").exists()


def test_files_that_are_not_right(tmp_path, data):
    (tmp_path / "empty").mkdir()
    shapes(tmp_path / "other", True, count=0)
    save(tmp_path / "other/z.png", picture(SIDE, SIDE))
    shapes(tmp_path / "many_a", True, count=51)
    shapes(tmp_path / "many_b", False, count=51)
    table = (data / "labels_a.csv").read_text()
    tables = {"short": "".join(line for line in table.splitlines(True) if not line.startswith(("1", "3", "4", "5"))),
              "more": table + "7.png,cross\n", "one": table.replace("square", "disc"), "broken": table + "8.png\n",
              "twice": table + "1.png,disc\n", "none": ""}
    for name, text in tables.items():
        (tmp_path / f"{name}.csv").write_text(text)
    encoder = classifier(tmp_path / "five.safetensors", channels=5)
    folder = {**anchors(data)}
    cases = [({**folder, "anchors_a": tmp_path / "gone"}, "gone", "no such folder"),
             ({**folder, "anchors_b": tmp_path / "empty"}, "empty", "holds no image"),
             ({**folder, "anchors_a": tmp_path / "other"}, "no image in", "partner"),
             ({"anchors_a": tmp_path / "many_a", "anchors_b": tmp_path / "many_b"}, "51 pairs", "at most 50"),
             ({**labels(data), "labels_a": tmp_path / "short.csv", "labels_b": tmp_path / "short.csv"}, "short.csv",
              "1 class"),
             ({**labels(data), "labels_a": tmp_path / "more.csv"}, "more.csv:8", "'cross'"),
             ({**labels(data), "labels_a": tmp_path / "one.csv"}, "labels_b.csv", "'square'"),
             ({**labels(data), "labels_a": tmp_path / "broken.csv"}, "broken.csv:8", "1 fields"),
             ({**labels(data), "labels_a": tmp_path / "twice.csv"}, "twice.csv:8", "line 3"),
             ({**labels(data), "labels_a": tmp_path / "none.csv"}, "none.csv", "holds no label"),
             ({**labels(data), "labels_a": tmp_path / "gone.csv"}, "gone.csv"),
             ({"content_encoder": tmp_path / "gone.safetensors"}, "gone.safetensors"),
             ({"content_encoder": tmp_path / "many_a/0.png"}, "0.png"),
             ({**labels(data), "labels_a": tmp_path / "few.csv"}, "few.csv", "4 of 6 training images",
              "1.png, 2.png, 3.png, ...")]
    (tmp_path / "few.csv").write_text("0.png,disc\n5.png,square\n")
    each(lambda options, *parts: refused(begin(tmp_path / "run", **domains(data), **options), FAILURE, *parts), cases)
    refused(begin(tmp_path / "run", **domains(data), content_encoder=encoder), USAGE, "--content-encoder",
            "five.safetensors", "5 channels")
    assert not (tmp_path / "run").exists()


def test_a_model_file_is_no_classifier(tmp_path, data, model):
    refused(begin(tmp_path / "run", **domains(data), content_encoder=model / "model.safetensors"), FAILURE,
            "model.safetensors", "no classifier")


def test_each_seed_has_them(tmp_path, data):
    options = everything(data, tmp_path)
    succeeded(begin(tmp_path / "runs", **options, seeds="0-1"))
    one, two = (model_of(tmp_path / f"runs/seed-{seed}") for seed in (0, 1))
    assert one["anchors"] == two["anchors"]
    done = succeeded(begin(tmp_path / "runs", **options, seeds="0-1"))
    assert "error" not in done.stderr
    classifier(tmp_path / "classifier.safetensors", seed=9)
    refused(begin(tmp_path / "runs", **options, seeds="0-1"), FAILURE, "seed-0")


def test_the_documentation_names_every_loss():
    text = (SOURCE / "docs/training.md").read_text()
    for name in CURES:
        assert f"`{name}`" in text, name
