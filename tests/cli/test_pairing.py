"""Training on pairs: side by side, by name, drawn; and what is said of data that hold none."""
import json

import pytest

from cli_support import (FAILURE, USAGE, each, equal_weights, image_folder, load, picture, refused, run, save, snapshot,
                         succeeded, train)

numpy = pytest.importorskip("numpy")
TWO_STEPS = {"steps": 2, "log_every": 1}
SIDE = 36


def side_by_side(folder, count=3, first=0):
    """Pairs whose right half is the left one inverted."""
    for i in range(first, first + count):
        left = picture(SIDE, SIDE, seed=i)
        save(folder / f"{i}.png", numpy.concatenate([left, 255 - left], axis=1))
    return folder


def by_name(root, split="train", count=3):
    """The same pairs, each image in a file of its own."""
    for i in range(count):
        left = picture(SIDE, SIDE, seed=i)
        save(root / f"{split}A" / f"{i}.png", left)
        save(root / f"{split}B" / f"{i}.bmp", 255 - left)
    return root


def aligned(out, **options):
    return train(out, pairing="aligned", **{**TWO_STEPS, **options})


def losses_of(run):
    lines = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
    return [{key: value for key, value in line.items() if key not in ("seconds", "data_wait")} for line in lines]


@pytest.fixture(scope="module")
def pairs(tmp_path_factory):
    root = tmp_path_factory.mktemp("pairs")
    side_by_side(root / "train")
    side_by_side(root / "test", count=2, first=10)
    return root


def test_a_run_on_pairs_side_by_side(tmp_path, pairs):
    done = succeeded(aligned(tmp_path / "run", data=pairs))
    assert f"{pairs.name}A: 3 images, {pairs.name}B: 3 images" in done.stdout
    assert "done: 2 steps" in done.stdout and done.stderr == ""
    assert "pairing" in done.stdout
    assert json.loads((tmp_path / "run/config.json").read_text())["pairing"] == "aligned"
    assert [line["step"] for line in losses_of(tmp_path / "run")] == [1, 2]


def test_side_by_side_and_by_name_are_the_same_run(tmp_path, pairs):
    """Equal to the bit, under both names of the folder and both ways to name two folders."""
    named = by_name(tmp_path / "named")
    only_train = tmp_path / "short"
    side_by_side(only_train / "train")
    side_by_side(tmp_path / "long" / "trainAB")
    runs = {"short": {"data": only_train}, "long": {"data": tmp_path / "long"}, "named": {"data": named},
            "two": {"a": named / "trainA", "b": named / "trainB"}}
    each(lambda name: succeeded(aligned(tmp_path / f"run-{name}", **runs[name])), [(name,) for name in runs])
    first = tmp_path / "run-short"
    for name in ("long", "named", "two"):
        other = tmp_path / f"run-{name}"
        assert equal_weights(first / "model.safetensors", other / "model.safetensors"), name
        assert losses_of(first) == losses_of(other), name
        assert snapshot(first / "samples") == snapshot(other / "samples"), name
    # Without a test split the samples show training pairs, with one those.
    succeeded(aligned(tmp_path / "tested", data=pairs))
    assert equal_weights(first / "model.safetensors", tmp_path / "tested" / "model.safetensors")
    assert snapshot(first / "samples") != snapshot(tmp_path / "tested" / "samples")


def test_the_loaders_threads_alter_nothing_of_pairs(tmp_path, pairs):
    options = {"data": pairs, "load_size": 40, "batch_size": 2}
    each(lambda n: succeeded(aligned(tmp_path / str(n), loader_threads=n, **options)), [(0,), (3,)])
    assert equal_weights(tmp_path / "0" / "model.safetensors", tmp_path / "3" / "model.safetensors")
    assert losses_of(tmp_path / "0") == losses_of(tmp_path / "3")


def test_the_samples_show_partners(tmp_path, pairs):
    """The first row begins with an image of A, the second with its partner, the inverse."""
    succeeded(aligned(tmp_path / "run", data=pairs, steps=1, sample_count=1))
    grid = load(next((tmp_path / "run" / "samples").iterdir()))
    margin, cell, factor = 4, 128, 4  # images of 32 pixels are enlarged to 128
    assert grid.shape[0] == 2 * cell + 3 * margin
    real_a, real_b = (grid[top:top + cell:factor, margin:margin + cell:factor] for top in (margin, 2 * margin + cell))
    left, right = numpy.split(load(pairs / "test" / "10.png"), 2, axis=1)
    assert abs(real_a.mean() - left.mean()) < 3 and abs(real_b.mean() - right.mean()) < 3
    assert abs(real_a + real_b - 255).max() <= 2 and real_a.std() > 20


def test_generated_pairs(tmp_path):
    succeeded(aligned(tmp_path / "run", data="generated:solid-striped"))
    refused(aligned(tmp_path / "other", data="generated:glyphs", channels_a=1, channels_b=1), USAGE, "generated:glyphs",
            "--pairing unpaired")
    assert not (tmp_path / "other").exists()


def test_missing_partners_are_named(tmp_path):
    data = by_name(tmp_path / "data")
    save(data / "trainA" / "more.png", picture(SIDE, SIDE))
    (data / "trainA" / "0.png").unlink()
    done = aligned(tmp_path / "run", data=data)
    refused(done, FAILURE, "1 of 3 images in", data / "trainA", "more.png", data / "trainB", "0.bmp", "same name",
            "--skip-bad")
    assert not (tmp_path / "run").exists()
    done = succeeded(aligned(tmp_path / "run", data=data, skip_bad=True))
    assert done.stderr.count("warning: left out: ") == 2
    assert "dataA: 2 images, dataB: 2 images" in done.stdout
    succeeded(train(tmp_path / "unpaired", data=data, **TWO_STEPS))


def test_pairs_of_two_sizes(tmp_path):
    data = by_name(tmp_path / "data", count=2)
    save(data / "trainB" / "1.bmp", picture(SIDE + 4, SIDE))
    refused(aligned(tmp_path / "run", data=data, preprocess="crop"), FAILURE, "1.png is 36x36", "1.bmp 40x36",
            "--preprocess crop", "resize_and_crop")
    succeeded(aligned(tmp_path / "run", data=data))


def test_layouts_that_do_not_fit(tmp_path, pairs):
    refused(train(tmp_path / "run", data=pairs), FAILURE, pairs, "no trainA and trainB, but train", "--pairing aligned")
    (tmp_path / "none").mkdir()
    refused(aligned(tmp_path / "run", data=tmp_path / "none"), FAILURE, "holds no pairs", "trainAB or train")
    both = by_name(tmp_path / "both")
    side_by_side(both / "train")
    refused(aligned(tmp_path / "run", data=both), FAILURE, "train for pairs side by side", "trainA for pairs by name")
    side_by_side(both / "trainAB")
    refused(aligned(tmp_path / "run", data=both), FAILURE, "both trainAB and train")
    refused(aligned(tmp_path / "run", a=both / "trainA", b=both / "trainA"), USAGE, "same folder")
    refused(train(tmp_path / "run", pairing="side-by-side"), USAGE, "--pairing", "auto, unpaired, aligned")
    assert not (tmp_path / "run").exists()
    succeeded(train(tmp_path / "run", data=both, **TWO_STEPS))  # trainA and trainB are there


def test_a_continued_run_keeps_its_pairs(tmp_path, pairs):
    succeeded(aligned(tmp_path / "run", data=pairs))
    refused(run("train", "--resume", tmp_path / "run", "--steps", 4, "--pairing", "unpaired"), USAGE, "--pairing unpaired",
            "--init-from")
    done = succeeded(run("train", "--resume", tmp_path / "run", "--steps", 4))
    assert "done: 4 steps" in done.stdout and "other images" not in done.stderr
    succeeded(aligned(tmp_path / "whole", data=pairs, steps=4))
    assert equal_weights(tmp_path / "run" / "model.safetensors", tmp_path / "whole" / "model.safetensors")


def test_small_pairs_are_found_before_the_run(tmp_path):
    image_folder(tmp_path / "data" / "train", count=2, width=41, height=36)  # halves of 20 and 21 columns
    refused(aligned(tmp_path / "run", data=tmp_path / "data", preprocess="crop"), FAILURE, "2 of 2 images",
            "0.png (left half)", "20x36", "--crop-size 32")
    assert not (tmp_path / "run").exists()
