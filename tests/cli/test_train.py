"""Training runs of the real program: what is in the run directory, and what must not change it."""
import gzip
import json
import re
import shutil

import pytest

from cli_support import (FAILURE, SHOWN, TINY, USAGE, equal_weights, load, picture, refused, run, save, snapshot,
                         succeeded, train, translate, weights)

LOSSES = {"d_a", "d_b", "g_a_to_b", "g_b_to_a", "cycle_a", "cycle_b", "idt_a", "idt_b"}


def log_of(run):
    return [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]


def losses_of(run):
    return [{name: line[name] for name in LOSSES | {"step", "lr"}} for line in log_of(run)]


def config_of(run):
    return json.loads((run / "config.json").read_text())


def same_result(first, second):
    samples = [snapshot(run / "samples") for run in (first, second)]
    return (equal_weights(first / "model.safetensors", second / "model.safetensors")
            and losses_of(first) == losses_of(second) and samples[0] == samples[1])


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    """The run that others are compared with."""
    out = tmp_path_factory.mktemp("plain") / "run"
    done = succeeded(train(out, log_every=1))
    assert done.stderr == ""
    return out


def test_the_run_directory_explains_itself(tmp_path):
    out = tmp_path / "deep" / "run"
    done = succeeded(train(out, steps=5, log_every=2, sample_every=2, checkpoint_every=2, **SHOWN))
    names = sorted(name for name, content in snapshot(out).items() if content is not None)
    events = [name for name in names if name.startswith("events.out.tfevents.")]
    assert names == [".lock", "checkpoints/step_00000004.safetensors", "checkpoints/step_00000005.safetensors",
                     "config.json", *events, "log.jsonl", "model.safetensors", "report.html", "samples.json",
                     "samples/step_00000002.png", "samples/step_00000004.png", "samples/step_00000005.png",
                     "sessions.jsonl"]
    assert len(events) == 1 and f"tensorboard --logdir {out}\n" in done.stdout
    for line in (str(out / "model.safetensors"), str(out / "samples"), str(out / "log.jsonl"), "done: 5 steps"):
        assert line in done.stdout

    config = config_of(out)
    assert {key: config[key] for key in TINY if key != "steps"} == {key: TINY[key] for key in TINY if key != "steps"}
    assert config["steps"] == 5 and config["data"] == "generated:solid-striped" and config["lr"] == 0.0002

    log = log_of(out)
    assert [line["step"] for line in log] == [2, 4, 5]
    for line in log:
        assert LOSSES <= line.keys() and line["epoch"] == 1 and line["lr"] == 0.0002
        assert 0 <= line["data_wait"] <= 1 and line["seconds"] >= 0

    height, width, channels = load(out / "samples" / "step_00000005.png").shape
    assert channels == 3 and width >= 3 * 32 and height >= 2 * 4 * 32  # four rows a direction, of three pictures at least


def test_other_programs_can_read_the_model(plain):
    safetensors = pytest.importorskip("safetensors")
    tensors = weights(plain / "model.safetensors")
    assert tensors["net/g_a_to_b/model.1.weight"].shape == (4, 3, 7, 7)
    assert tensors["net/d_b/model.0.weight"].shape == (4, 3, 4, 4)
    assert {key.split("/")[1] for key in tensors} == {"g_a_to_b", "g_b_to_a", "d_a", "d_b"}
    with safetensors.safe_open(plain / "model.safetensors", "numpy") as file:
        described = json.loads(file.metadata()["torsor.model"])
    for letter, name in {"a": "solid", "b": "striped"}.items():
        domain = described["domains"][letter]
        assert (domain["name"], domain["channels"]) == (name, 3) and domain["fingerprint"]["images"] > 15
    assert described["step"] == 3


def test_the_same_seed_gives_the_same_bits(tmp_path, plain):
    succeeded(train(tmp_path / "again", log_every=1))
    assert same_result(plain, tmp_path / "again")


def test_another_seed_gives_another_model(tmp_path, plain):
    succeeded(train(tmp_path / "other", log_every=1, seed=1))
    assert not equal_weights(plain / "model.safetensors", tmp_path / "other" / "model.safetensors")
    assert losses_of(plain)[0] != losses_of(tmp_path / "other")[0]
    assert snapshot(plain / "samples") != snapshot(tmp_path / "other" / "samples")


@pytest.mark.parametrize("threads", [0, 3])
def test_the_loaders_threads_alter_nothing(tmp_path, plain, threads):
    succeeded(train(tmp_path / "run", log_every=1, loader_threads=threads))
    assert same_result(plain, tmp_path / "run")


def test_logging_sampling_and_checkpoints_alter_nothing(tmp_path, plain):
    succeeded(train(tmp_path / "run", log_every=1, sample_every=1, checkpoint_every=1))
    assert equal_weights(plain / "model.safetensors", tmp_path / "run" / "model.safetensors")
    assert losses_of(plain) == losses_of(tmp_path / "run")


def test_a_configuration_file_is_as_good_as_flags(tmp_path, plain):
    config = tmp_path / "config.json"
    config.write_text(json.dumps({**TINY, "data": "generated:solid-striped", "log_every": 1}))
    nothing = {key: None for key in TINY}
    succeeded(train(tmp_path / "run", config=config, **{**nothing, "data": None}))
    assert same_result(plain, tmp_path / "run")


def test_flags_win_over_the_configuration_file(tmp_path, plain):
    config = tmp_path / "config.json"
    config.write_text(json.dumps({"seed": 5, "lr": 0.1, "flip": False, "steps": 2}))
    succeeded(train(tmp_path / "run", "--flip", config=config, seed=0, lr=0.0002, log_every=1))
    assert same_result(plain, tmp_path / "run")


def test_a_runs_own_configuration_repeats_it(tmp_path):
    succeeded(train(tmp_path / "first", log_every=1, seed=4, lambda_identity=0))
    nothing = {key: None for key in TINY}
    succeeded(train(tmp_path / "again", config=tmp_path / "first" / "config.json", **{**nothing, "data": None}))
    assert same_result(tmp_path / "first", tmp_path / "again")


def test_a_preset_gives_way_to_flags_and_files(tmp_path):
    config = tmp_path / "config.json"
    config.write_text(json.dumps({"ndf": 4}))
    done = succeeded(train(tmp_path / "run", preset="laptop", config=config, steps=1, ndf=None))
    chosen = config_of(tmp_path / "run")
    assert [chosen[key] for key in ("epochs", "epochs_decay")] == [15, 15]
    assert [chosen[key] for key in ("load_size", "crop_size", "ngf", "ndf", "net_g")] == [32, 32, 4, 4, TINY["net_g"]]
    assert "epoch 1/30" in done.stdout


def test_presets_alone_set_the_size(tmp_path):
    done = succeeded(train(tmp_path / "run", preset="laptop", load_size=None, crop_size=None, steps=1))
    chosen = config_of(tmp_path / "run")
    assert chosen["crop_size"] == 128
    assert re.search(r"crop_size +128 +\[default: 256\]", done.stdout)


def test_a_time_budget_chooses_and_says_what(tmp_path):
    done = succeeded(train(tmp_path / "run", load_size=None, steps=2, time_budget="2h"))
    said = next(line for line in done.stdout.splitlines() if line.startswith("time budget 2h"))
    assert "32x32 images" in said and "resnet_1blocks" in said and "ngf 4" in said  # what was given stays
    match = re.search(r"(\d+) \+ (\d+) epochs of (\d+) items", said)
    epochs, decay, items = map(int, match.groups())
    chosen = config_of(tmp_path / "run")
    assert (chosen["epochs"], chosen["epochs_decay"]) == (epochs, decay)
    assert chosen["epoch_size"] in (0, items)
    assert epochs + decay >= 1 and items * (epochs + decay) >= 10


def test_a_time_budgets_plan_is_carried_out(tmp_path):
    done = succeeded(train(tmp_path / "run", load_size=None, steps=None, time_budget="4s"))
    chosen = config_of(tmp_path / "run")
    steps = log_of(tmp_path / "run")[-1]["step"]
    assert f"done: {steps} steps" in done.stdout
    assert 0 < steps <= (chosen["epochs"] + chosen["epochs_decay"]) * (chosen["epoch_size"] or 1000)
    # The end of a run that was out of time is its end when it is resumed, too.
    again = succeeded(run("train", "--resume", tmp_path / "run"))
    assert "this run is complete" in again.stderr and f"done: {steps} steps" in again.stdout
    assert "that is little" in done.stdout


def test_a_time_budget_that_is_too_short(tmp_path):
    done = train(tmp_path / "run", time_budget="0.001s")
    assert done.returncode == 2 and "--time-budget" in done.stderr and done.stderr.count("\n") == 1
    assert not (tmp_path / "run").exists()


def test_the_rate_is_printed_once_an_epoch(tmp_path):
    done = succeeded(train(tmp_path / "run", epoch_size=2, epochs=1, epochs_decay=2, steps=None, log_every=1))
    printed = re.findall(r"^epoch (\d)/3: learning rate (\S+)", done.stdout, re.M)
    assert [epoch for epoch, _ in printed] == ["1", "2", "3"]
    # linear: 1 - max(0, epoch - epochs) / (epochs_decay + 1), in the reference's counting
    rates = [float(rate.rstrip(";")) for _, rate in printed]
    assert rates == pytest.approx([0.0002, 0.0002 * 2 / 3, 0.0002 / 3], abs=6e-8)
    assert [(line["epoch"], line["step"]) for line in log_of(tmp_path / "run")] == [(1, 1), (1, 2), (2, 3), (2, 4),
                                                                                   (3, 5), (3, 6)]
    assert [line["lr"] for line in log_of(tmp_path / "run")[::2]] == pytest.approx(rates, abs=6e-8)
    assert "means of the epoch before: cycle_a" in done.stdout


def test_steps_beyond_the_schedule_are_noticed(tmp_path):
    done = succeeded(train(tmp_path / "run", epoch_size=1, epochs=1, epochs_decay=1, steps=9))
    assert "--steps 9" in done.stderr and "2 steps" in done.stderr and "--epochs" in done.stderr
    assert "done: 2 steps" in done.stdout


def test_plain_lines_with_estimate_and_waiting_time(tmp_path):
    done = succeeded(train(tmp_path / "run"))
    assert "\r" not in done.stdout and "\033" not in done.stdout
    assert re.search(r"estimate: \S+ s a step, .* to the end \(3 steps, 1000 an epoch\), .*memory", done.stdout)
    assert re.search(r"epoch 1/200  step 3/3  left 0s  \S+ (it/s|s/it)  wait \d+\.\d%  cycle_a", done.stdout)
    for network in ("g_a_to_b", "g_b_to_a", "d_a", "d_b"):
        assert re.search(rf"{network} +[\d,]+ parameters", done.stdout)
    assert re.search(r"crop_size +32 +\[default: 256\]", done.stdout)
    assert not re.search(r"^  lr ", done.stdout, re.M), "what is as ever is not printed"


def test_verbose_prints_all_options(tmp_path):
    done = succeeded(train(tmp_path / "run", "--verbose"))
    assert re.search(r"^  lr +0.0002$", done.stdout, re.M)
    listed = set(re.findall(r"^  (\w+) +\S", done.stdout, re.M))
    # Which no flag sets: of other programs' networks, and what cures have read from files.
    without_flag = {"conv_bias", "padding", "downsample", "upsample", "n_downsampling", "content_hash", "label_classes",
                    "transport_hash"}
    assert config_of(tmp_path / "run").keys() - {"resume", "out"} <= listed | {"verbose"} | without_flag


@pytest.mark.parametrize("precision, tolerance", [("bf16", 0.05), ("fp64", 1e-4)])
def test_other_precisions_begin_alike(tmp_path, plain, precision, tolerance):
    succeeded(train(tmp_path / "run", precision=precision, log_every=1))
    first, other = losses_of(plain)[0], losses_of(tmp_path / "run")[0]
    assert first != other
    assert other == pytest.approx(first, rel=tolerance)
    dtypes = {str(tensor.dtype) for tensor in weights(tmp_path / "run" / "model.safetensors").values()}
    assert dtypes == ({"float64"} if precision == "fp64" else {"float32"})
    succeeded(translate(tmp_path / "run", save(tmp_path / "in.png", picture()), tmp_path / "out.png"))


def test_other_generated_images(tmp_path):
    done = succeeded(train(tmp_path / "run", data="generated:circles-squares"))
    assert "circles: 1000 images, squares: 1000 images" in done.stdout


def test_two_folders_of_ones_own(tmp_path, folders):
    done = succeeded(train(tmp_path / "run", a=folders / "trainA", b=folders / "trainB", name_b="stripes"))
    assert "trainA: 3 images, stripes: 3 images" in done.stdout
    whole = train(tmp_path / "whole", data=folders)
    assert equal_weights(tmp_path / "run" / "model.safetensors", tmp_path / "whole" / "model.safetensors"), whole.stderr


def test_test_images_are_for_the_samples_alone(tmp_path, folders):
    data = shutil.copytree(folders, tmp_path / "data")
    save(data / "testA" / "x.png", picture(seed=50))
    save(data / "testB" / "x.png", picture(seed=51))
    succeeded(train(tmp_path / "without", data=folders))
    succeeded(train(tmp_path / "with", data=data))
    assert equal_weights(tmp_path / "without" / "model.safetensors", tmp_path / "with" / "model.safetensors")
    assert snapshot(tmp_path / "without" / "samples") != snapshot(tmp_path / "with" / "samples")


FULL = {"net_g": "autoencoder_32", "net_d": "full_32", "norm": "batch", "norm_d": "none", "optimizer": "sgd",
        "lr": 3e-3, "lr_d": 6e-4, "channels_a": 1, "channels_b": 1, "flip": False}


def idx(path, sides, values):
    """A file as MNIST's: big-endian sides, then bytes."""
    path.parent.mkdir(exist_ok=True)
    head = bytes([0, 0, 8, len(sides)]) + b"".join(side.to_bytes(4, "big") for side in sides)
    with gzip.open(path, "wb") as file:
        file.write(head + bytes(values))
    return path


def test_a_folder_of_mnists_files_is_both_domains(tmp_path):
    data = tmp_path / "digits"
    idx(data / "train-images-idx3-ubyte.gz", [5, 28, 28], (i % 251 for i in range(5 * 28 * 28)))
    done = succeeded(train(tmp_path / "run", data=data, **FULL))
    assert "digits: 5 images, digits: 5 images" in done.stdout
    config = json.loads((tmp_path / "run/config.json").read_text())
    assert config["lr_d"] == 6e-4 and config["norm_d"] == "none"
    succeeded(translate(tmp_path / "run", save(tmp_path / "in.png", picture(32, 32, 1)), tmp_path / "out.png"))
    whole = (data / "train-images-idx3-ubyte.gz").read_bytes()
    (data / "train-images-idx3-ubyte.gz").write_bytes(whole[:len(whole) // 2])
    refused(train(tmp_path / "other", data=data, **FULL), FAILURE, "train-images-idx3-ubyte.gz", "ends early")
    assert not (tmp_path / "other").exists()


def test_generated_glyphs(tmp_path):
    done = succeeded(train(tmp_path / "run", data="generated:glyphs", **FULL))
    assert "glyphs: 1000 images, glyphs: 1000 images" in done.stdout


def test_networks_that_the_reference_lacks_do_not_go_to_it(tmp_path):
    succeeded(train(tmp_path / "own", data="generated:glyphs", **FULL))
    refused(run("export", tmp_path / "own", tmp_path / "folder"), FAILURE, "autoencoder_32", "the reference does not have")
    succeeded(train(tmp_path / "mixed", norm="batch", norm_d="instance"))
    refused(run("export", tmp_path / "mixed", tmp_path / "folder"), FAILURE, "norm instance", "one for all")
    assert not (tmp_path / "folder").exists()
    succeeded(run("export", tmp_path / "own", tmp_path / "own.onnx"))


MEDICAL = {"net_g": "residual_unet_2", "output_activation": "linear", "scaling": "percentile_95", "channels_a": 1,
           "channels_b": 1, "flip": False}


def test_images_scaled_by_their_95th_percentile(tmp_path):
    """What the model says of its range, what translate makes of it, and that brightness alone changes nothing."""
    done = succeeded(train(tmp_path / "run", data="generated:t1-flair", **MEDICAL))
    assert "t1: 1000 images, flair: 1000 images" in done.stdout
    about = json.loads(succeeded(run("inspect", tmp_path / "run", "--json")).stdout)
    assert about["preprocessing"]["scaling"] == "percentile_95"
    for domain in about["domains"].values():
        assert domain["value_range"]["black"] == 0 and 80 < domain["value_range"]["white"] < 255
    grey = picture(32, 32, 1) // 4
    out = [tmp_path / "a.png", tmp_path / "b.png"]
    succeeded(translate(tmp_path / "run", save(tmp_path / "x.png", grey), out[0]))
    succeeded(translate(tmp_path / "run", save(tmp_path / "y.png", grey * 4), out[1]))
    assert out[0].read_bytes() == out[1].read_bytes()


def test_what_cannot_be_scaled_is_named(tmp_path):
    for domain in ("trainA", "trainB"):
        (tmp_path / "data" / domain).mkdir(parents=True)
        for i in range(3):
            save(tmp_path / "data" / domain / f"{i}.png", picture(32, 32, 1, seed=i))
    save(tmp_path / "data/trainB/1.png", 0 * picture(32, 32, 1))
    options = {**MEDICAL, "data": tmp_path / "data"}
    refused(train(tmp_path / "run", **options), FAILURE, "trainB/1.png", "95th percentile is 0", "--skip-bad")
    opaque = picture(32, 32, 2)
    opaque[:, :, 0], opaque[:, :, 1] = 0, 255
    save(tmp_path / "data/trainB/1.png", opaque)  # what its opacity says is no brightness
    refused(train(tmp_path / "run", **options), FAILURE, "trainB/1.png", "95th percentile is 0")
    done = succeeded(train(tmp_path / "run", "--skip-bad", **options))
    assert "trainB/1.png" in done.stderr
    done = translate(tmp_path / "run", tmp_path / "data/trainB/1.png", tmp_path / "out.png")
    refused(done, FAILURE, "trainB/1.png", "95th percentile is 0")
    assert "--skip-bad" not in done.stderr, "it is the only one"
    assert not (tmp_path / "out.png").exists()
    refused(translate(tmp_path / "run", tmp_path / "data/trainB/1.png", tmp_path / "out.png", "--as-reference"), FAILURE,
            "trainB/1.png", "95th percentile is 0")
    done = succeeded(translate(tmp_path / "run", tmp_path / "data/trainB", tmp_path / "out", "--skip-bad"))
    assert "trainB/1.png" in done.stderr and "2 images written" in done.stdout and "1 skipped" in done.stdout


def test_deep_images_divided_by_their_percentile_keep_their_depth(tmp_path):
    """Scanners store 12 bits in 16: an image divided by its own percentile is the same one there."""
    numpy = pytest.importorskip("numpy")
    shallow = picture(32, 32, 1)
    deep = shallow.astype("uint16") * 16
    deep[0, 0] = 65535  # one hot pixel, which costs the others nothing
    for domain in ("trainA", "trainB"):
        for i in range(2):
            save(tmp_path / "data" / domain / f"{i}.png", deep)
    succeeded(train(tmp_path / "run", data=tmp_path / "data", **MEDICAL))
    domains = json.loads(succeeded(run("inspect", "--json", tmp_path / "run")).stdout)["domains"]
    for domain in domains.values():
        expected = {"bit_depth": 16, "white": pytest.approx(numpy.percentile(deep, 95)), "black": 0}
        assert domain["value_range"] == expected
    succeeded(translate(tmp_path / "run", save(tmp_path / "x.png", deep), tmp_path / "deep.png"))
    # Hardly trained, the generator leaves much black; what is not is no sample of 8 bits spread over 16.
    seen = load(tmp_path / "deep.png")
    assert (seen[seen > 0] % 257 != 0).mean() > 0.9
    deep[0, 0] = 16 * int(shallow[0, 0])
    out = [tmp_path / "sixteen.png", tmp_path / "eight.png"]
    succeeded(translate(tmp_path / "run", save(tmp_path / "y.png", deep), out[0], bit_depth=8))
    succeeded(translate(tmp_path / "run", save(tmp_path / "z.png", shallow), out[1]))
    assert abs(load(out[0]) - load(out[1])).max() <= 1


def test_deep_images_keep_their_depth_and_one_scale(tmp_path):
    """12 bits in 16: the white is 4095 for all images of a domain, in training and in translations."""
    for domain in ("trainA", "trainB"):
        for i in range(3):
            save(tmp_path / "data" / domain / f"{i}.png", picture(32, 32, 1, seed=i, dtype="uint16") // 16 // (i + 1))
    grey = {"channels_a": 1, "channels_b": 1}
    done = succeeded(train(tmp_path / "run", data=tmp_path / "data", **grey))
    assert "A: 16-bit samples, of which 0 is black and 4095 white" in done.stdout + done.stderr
    domains = json.loads(succeeded(run("inspect", "--json", tmp_path / "run")).stdout)["domains"]
    for domain in domains.values():
        assert domain["value_range"] == {"bit_depth": 16, "white": 4095, "black": -1}
    done = succeeded(translate(tmp_path / "run", tmp_path / "data/trainA", tmp_path / "out"))
    for i in range(3):
        deep = load(tmp_path / "out" / f"{i}.png")
        assert 255 < deep.max() <= 4095
    refused(train(tmp_path / "other", data=tmp_path / "data", white_a=-1, **grey), USAGE, "--white-a")


def test_a_black_digit_is_found_before_the_run_starts(tmp_path):
    side = 28 * 28
    idx(tmp_path / "digits/train-images-idx3-ubyte.gz", [3, 28, 28],
        [i % 251 for i in range(2 * side)] + side * [0])
    refused(train(tmp_path / "run", data=tmp_path / "digits", **MEDICAL), FAILURE, "train-images-idx3-ubyte.gz",
            "95th percentile is 0")
    assert not (tmp_path / "run").exists()


def test_scaling_goes_with_the_model(tmp_path):
    """Fine-tuning takes it over; the reference, which has none, does not get such a model; ONNX says it."""
    done = succeeded(train(tmp_path / "run", data="generated:t1-flair", **{**MEDICAL, "net_g": "resnet_1blocks",
                                                                            "output_activation": "tanh"}))
    assert "out of tanh's reach" in done.stderr
    refused(run("export", tmp_path / "run", tmp_path / "folder"), FAILURE, "percentile_95", "the reference")
    succeeded(train(tmp_path / "tuned", data="generated:t1-flair", init_from=tmp_path / "run/model.safetensors"))
    assert json.loads((tmp_path / "tuned/config.json").read_text())["scaling"] == "percentile_95"
    succeeded(run("export", tmp_path / "run", tmp_path / "m.onnx"))
    metadata = json.loads(succeeded(run("inspect", tmp_path / "m.onnx", "--json")).stdout)["metadata"]
    white = metadata["torsor.model"]["domains"]["b"]["value_range"]["white"]
    assert "95th percentile" in metadata["torsor.input"] and f"times {white:.2f}," in metadata["torsor.output"]
