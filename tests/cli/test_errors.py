"""Each thing that goes wrong is one clear line and the right exit code, and costs nothing that was there before."""
import os
import resource

import pytest

from cli_support import (FAILURE, GOLDEN, USAGE, each, image_folder, picture, refused, run, save, snapshot, succeeded, train,
                         translate)


@pytest.fixture
def damaged(tmp_path):
    """Two good images and three bad ones of different kinds."""
    folder = image_folder(tmp_path / "damaged", count=2)
    whole = save(tmp_path / "whole.jpg", picture(80, 80)).read_bytes()
    (folder / "cut.jpg").write_bytes(whole[:len(whole) // 2])
    (folder / "text.jpg").write_text("these are not pixels")
    (folder / "zero.png").write_bytes(b"")
    return folder


BAD_NAMES = ["cut.jpg", "text.jpg", "zero.png"]


# --- folders and images ---

def test_a_missing_folder(tmp_path):
    refused(train(tmp_path / "run", data=tmp_path / "absent"), FAILURE, tmp_path / "absent", "no such folder")
    refused(train(tmp_path / "run", a=tmp_path / "absent", b=tmp_path), FAILURE, tmp_path / "absent", "no such folder")
    assert not (tmp_path / "run").exists()


def test_a_folder_without_its_train_folders(tmp_path):
    (tmp_path / "data").mkdir()
    refused(train(tmp_path / "run", data=tmp_path / "data"), FAILURE, tmp_path / "data" / "trainA", "no such folder")


def test_an_empty_folder(tmp_path, model):
    (tmp_path / "empty").mkdir()
    (tmp_path / "void").mkdir()
    done = train(tmp_path / "run", a=tmp_path / "empty", b=tmp_path / "void")
    refused(done, FAILURE, tmp_path / "empty", "holds no image", "png")
    refused(translate(model, tmp_path / "empty", tmp_path / "out"), FAILURE, tmp_path / "empty", "holds no image")
    assert not (tmp_path / "run").exists() and not (tmp_path / "out").exists()


def test_all_bad_images_are_named_before_training_starts(tmp_path, damaged):
    done = train(tmp_path / "run", a=damaged, b=image_folder(tmp_path / "good"))
    refused(done, FAILURE, "3 of 5 images", "--skip-bad", *(damaged / name for name in BAD_NAMES))
    for reason in ("truncated", "not an image", "empty"):
        assert reason in done.stderr
    assert not (tmp_path / "run").exists()


def test_skip_bad_trains_on_the_rest_and_says_what_it_left_out(tmp_path, damaged, folders):
    done = succeeded(train(tmp_path / "run", a=damaged, b=folders / "trainB", skip_bad=True))
    for name in BAD_NAMES:
        assert f"warning: skipped: {damaged / name}: " in done.stderr
    assert done.stderr.count("skipped") == 3
    assert "damaged: 2 images" in done.stdout


def test_skip_bad_does_not_train_on_nothing(tmp_path, folders):
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "zero.png").write_bytes(b"")
    done = train(tmp_path / "run", a=tmp_path / "bad", b=folders / "trainB", skip_bad=True)
    assert done.returncode == FAILURE
    assert done.stderr.splitlines()[-1] == f"torsor: {tmp_path / 'bad'}: no usable image is left"


def test_translating_a_bad_image(tmp_path, damaged, model):
    done = translate(model, damaged, tmp_path / "out")
    assert done.returncode == FAILURE
    assert done.stderr.count("\n") == 1 and str(damaged / "cut.jpg") in done.stderr and "--skip-bad" in done.stderr
    done = succeeded(translate(model, damaged, tmp_path / "rest", skip_bad=True))
    for name in BAD_NAMES:
        assert f"skipped: {damaged / name}: " in done.stderr
    assert sorted(snapshot(tmp_path / "rest")) == ["0.png", "1.png"]
    assert "2 images written" in done.stdout and "3 skipped" in done.stdout


def test_an_image_smaller_than_the_crop(tmp_path):
    folder = image_folder(tmp_path / "small", count=2, width=40, height=40)
    done = train(tmp_path / "run", a=folder, b=image_folder(tmp_path / "large", width=80, height=80), preprocess="crop",
                 crop_size=64)
    refused(done, FAILURE, folder / "0.png", folder / "1.png", "40x40", "--crop-size 64", "smaller crop")


@pytest.mark.parametrize("net, size, wanted", [("unet_128", 100, "128"), ("unet_256", 128, "256"),
                                               ("resnet_1blocks", 30, "28 or 32")])
def test_a_size_that_the_network_cannot_take(tmp_path, net, size, wanted):
    done = train(tmp_path / "run", net_g=net, load_size=size, crop_size=size)
    refused(done, USAGE, "--crop-size", net, f"{size}x{size}", f"use {wanted}")


def test_a_size_that_the_discriminator_cannot_take(tmp_path):
    refused(train(tmp_path / "run", crop_size=16), USAGE, "--crop-size", "discriminator basic", "16x16", "use 24")


def test_images_as_they_are_that_the_network_cannot_take(tmp_path, folders):
    done = train(tmp_path / "run", data=folders, net_g="unet_128", preprocess="none")
    refused(done, FAILURE, folders / "trainA" / "0.png", "unet_128", "multiples of 128")


# --- usage ---

def test_nothing_given_shows_what_there_is():
    done = run()
    assert done.returncode == USAGE and done.stdout == ""
    assert "torsor train" in done.stderr and "torsor translate" in done.stderr


def test_an_unknown_command():
    refused(run("trian"), USAGE, "unknown command 'trian'", "did you mean 'train'")
    done = run("frobnicate")
    refused(done, USAGE, "unknown command 'frobnicate'", "train, translate")
    assert "did you mean" not in done.stderr


def test_an_unknown_option(tmp_path, model):
    refused(train(tmp_path / "run", "--lod-size", "30"), USAGE, "--lod-size", "did you mean '--load-size'")
    refused(translate(model, "in", "out", "--overwite"), USAGE, "--overwite", "did you mean '--overwrite'")
    refused(run("docs", "--out"), USAGE, "--out", "torsor docs --help")


NONSENSE = [
    ({"lr": "fast"}, ["--lr", "'fast'", "number"]),
    ({"lr": 0}, ["--lr", "out of range", "> 0"]),
    ({"lr": "nan"}, ["--lr"]),
    ({"steps": 2.5}, ["--steps", "'2.5'", "whole number"]),
    ({"steps": -1}, ["--steps", "-1", ">= 0"]),
    ({"steps": "99999999999999999999"}, ["--steps"]),
    ({"gan_mode": "lsgam"}, ["--gan-mode", "did you mean 'lsgan'", "vanilla"]),
    ({"net_g": "resnet_blocks"}, ["resnet_blocks"]),
    ({"data": "generated:solid"}, ["solid", "solid-striped"]),
    ({"preset": "laptp"}, ["laptp", "did you mean 'laptop'"]),
    ({"time_budget": "soon"}, ["--time-budget", "'soon'", "10min"]),
    ({"crop_size": 64}, ["--crop-size 64", "--load-size 32"]),
    ({"data": "x", "a": "y", "b": "z"}, ["--data", "--a", "exclude each other"]),
    ({"a": "y"}, ["--a and --b go together", "--b is missing"]),
    ({"lambda_identity": 0.5, "alpha_id": 1}, ["--lambda-identity", "--alpha-id", "one of them"]),
    ({"lambda_identity": 0.5, "channels_a": 1}, ["--lambda-identity", "1 and 3 channels", "0"]),
    ({"alpha_id": 0.5, "channels_b": 1}, ["--alpha-id", "3 and 1 channels", "0"]),
    ({"out": None}, ["--out is missing"]),
    ({"device": "gpu"}, ["--device", "'gpu'", "did you mean 'cuda'", "auto, cpu, cuda"]),
    ({"device": "GPU"}, ["did you mean 'cuda'"]),
    ({"device": "cuda:0"}, ["did you mean 'cuda'", "CUDA_VISIBLE_DEVICES"]),
    ({"device": "0"}, ["did you mean 'cuda'"]),
    ({"device": "CPU"}, ["did you mean 'cpu'"]),
    ({"device": "mps"}, ["'mps' is no device", "auto, cpu, cuda"]),
    ({"lr_decay_epochs": 3}, ["--lr-decay-epochs does nothing with --lr-policy linear", "--lr-policy step"]),
    ({"n_layers_d": 2}, ["--n-layers-d does nothing", "--net-d n_layers"]),
    ({"gp_weight": 2}, ["--gp-weight does nothing", "--gan-mode wgangp"]),
    ({"momentum": 0.5}, ["--momentum does nothing", "--optimizer sgd"]),
    ({"optimizer": "sgd", "beta1": 0.5}, ["--beta1 does nothing", "--optimizer adam"]),
]


def test_options_that_make_no_sense(tmp_path):
    each(lambda options, parts: refused(train(**{"out": tmp_path / "run", **options}), USAGE, *parts), NONSENSE)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("words", [("--flip", "--no-flip"), ("--no-flip", "--flip")])
def test_flags_that_contradict_each_other(tmp_path, words):
    refused(train(tmp_path / "run", *words), USAGE, "--flip and --no-flip contradict each other")


def test_one_folder_for_both_domains(tmp_path, folders):
    (tmp_path / "link").symlink_to(folders / "trainA")
    each(lambda other: refused(train(tmp_path / "run", a=folders / "trainA", b=other), USAGE, "same folder",
                               folders / "trainA"),
         [(folders / "trainA",), (f"{folders}/trainB/../trainA/",), (tmp_path / "link",)])
    (tmp_path / "data").mkdir()
    for name in ("trainA", "trainB"):
        (tmp_path / "data" / name).symlink_to(folders / "trainA")
    refused(train(tmp_path / "run", data=tmp_path / "data"), USAGE, "same folder", "trainA", "trainB")
    assert not (tmp_path / "run").exists()
    done = succeeded(train(tmp_path / "nested", a=folders, b=folders / "trainB"))
    assert f"warning: {folders / 'trainB'} lies in {folders}" in done.stderr


REFERENCE_FLAGS = [
    (["--dataroot", "x"], ["--dataroot is --data"]),
    (["--lambda_A", "10", "--gpu_ids", "0"], ["--lambda_A is --lambda-cycle-a", "--gpu_ids is --device", "cuda"]),
    (["--gpu_ids=-1"], ["--gpu_ids is --device"]),
    (["--continue_train"], ["--continue_train is --resume"]),
    (["--direction", "AtoB"], ["--direction", "torsor translate", "a_to_b"]),
    (["--niter", "5"], ["--niter is --epochs"]),
    (["--no_lsgan"], ["--no_lsgan is --gan-mode"]),
    (["--which_model_netG", "unet_256"], ["is --net-g"]),
    (["--batch_size", "4"], ["is --batch-size"]),
    (["--display_id", "0"], ["tensorboard --logdir"]),
]


def test_flags_of_the_reference_get_ours(tmp_path):
    each(lambda words, parts: refused(train(tmp_path / "run", *words), USAGE, "pytorch-CycleGAN-and-pix2pix", *parts),
         REFERENCE_FLAGS)
    refused(run("translate", "model", "in", "out", "--num_test", "5"), USAGE, "--num_test", "folder")
    each(lambda word, ours: refused(run("translate", "m", "i", "o", "--direction", word), USAGE, f"did you mean '{ours}'"),
         [("AtoB", "a_to_b"), ("BtoA", "b_to_a"), ("A2B", "a_to_b"), ("ba", "b_to_a")])


def test_an_option_without_its_value(tmp_path):
    refused(train(tmp_path / "run", "--lr"), USAGE, "--lr", "value")


def test_an_option_given_twice(tmp_path):
    refused(train(tmp_path / "run", "--steps", "4"), USAGE, "--steps", "twice")


def test_the_identity_loss_between_unequal_channels_is_switched_off_aloud(tmp_path):
    done = succeeded(train(tmp_path / "run", channels_a=1))
    assert done.stderr.count("\n") == 1 and "identity loss is off" in done.stderr
    assert "identity loss: off" in done.stdout


def test_translate_names_what_is_missing_or_too_much(tmp_path, model):
    each(lambda words, part: refused(run("translate", *words), USAGE, part),
         [([], "MODEL is missing"), ([model], "IN is missing"), ([model, tmp_path], "OUT is missing"),
          ([model, tmp_path, "out", "more"], "unexpected argument 'more'")])


def test_translate_options_that_make_no_sense(tmp_path, model):
    source = save(tmp_path / "in.png", picture())
    each(lambda options, parts: refused(translate(model, source, tmp_path / "out.png", **options), USAGE, *parts),
         [({"direction": "b2a"}, ["--direction", "'b2a'", "b_to_a"]),
          ({"resize": "0"}, ["--resize", "'0'", "640x480"]),
          ({"resize": "10x"}, ["--resize", "'10x'"]),
          ({"batch_size": 0}, ["--batch-size", "0", "1 to 1024"]),
          ({"format": "xyz"}, ["--format", "'xyz'", "png"]),
          ({"format": "jpg"}, ["--format jpg", "out.png", ".jpg"])])
    refused(translate(model, source, tmp_path / "out.xyz"), USAGE, tmp_path / "out.xyz", "extension", "png")
    refused(translate(model, tmp_path / "absent.png", tmp_path / "out.png"), FAILURE, "absent.png", "no such file")
    assert sorted(snapshot(tmp_path)) == ["in.png"]


# --- configuration files ---

WRONG_CONFIGURATIONS = [
    ('{"lr": "fast"}', USAGE, ["lr: expected a number", '"fast"']),
    ('{"steps": 1.5}', USAGE, ["steps: expected a whole number", "1.5"]),
    ('{"flip": 1}', USAGE, ["flip: expected true or false"]),
    ('{"norm": true}', USAGE, ["norm: expected text"]),
    ('{"norm": "instanse"}', USAGE, ["norm", "did you mean 'instance'"]),
    ('{"load_sise": 3}', USAGE, ["unknown option 'load_sise'", "did you mean 'load_size'"]),
    ("[1]", USAGE, ["expected an object"]),
    ('{"lr": 1,\n  "ngf" 2}', FAILURE, [":2:9:", "not JSON"]),
    ("", FAILURE, [":1:1:", "not JSON"]),
    ('{"lr": 1e999}', FAILURE, ["not JSON", "1e999"]),
    ('{"lr": 1, "ngf": 4, "lr": 2}', FAILURE, ["'lr' is given twice"]),
]


def test_a_wrong_configuration_file(tmp_path):
    def check(number, content, code, parts):
        config = tmp_path / f"config{number}.json"
        config.write_text(content)
        refused(train(tmp_path / "run", config=config), code, config, *parts)

    each(check, [(number, *case) for number, case in enumerate(WRONG_CONFIGURATIONS)])
    assert not (tmp_path / "run").exists()


def test_a_missing_configuration_file(tmp_path):
    refused(train(tmp_path / "run", config=tmp_path / "absent.json"), FAILURE, tmp_path / "absent.json")


# --- models ---

def cannot_translate_with(path, tmp_path, *parts):
    source = save(tmp_path / f"in-{path.stem}.png", picture())
    out = tmp_path / f"out-{path.stem}.png"
    refused(translate(path, source, out), FAILURE, path, *parts)
    assert not out.exists()


def test_things_that_are_no_model(tmp_path):
    (tmp_path / "text.pth").write_text("not weights")
    (tmp_path / "zero.pth").write_bytes(b"")
    (tmp_path / "folder").mkdir()
    picture_file = save(tmp_path / "image.pth", picture(), format="PNG")
    each(cannot_translate_with, [(tmp_path / "absent.pth", tmp_path, "no such model"),
                                 (tmp_path / "text.pth", tmp_path, "not a PyTorch weight file", "text file"),
                                 (tmp_path / "zero.pth", tmp_path, "is empty"),
                                 (picture_file, tmp_path, "PNG image"),
                                 (tmp_path / "folder", tmp_path, "is no model", "no model.safetensors")])


def test_a_damaged_model(tmp_path, model):
    whole = (model / "model.safetensors").read_bytes()
    cuts = {tmp_path / f"cut{size}.safetensors": whole[:size] for size in (4, 100, len(whole) // 2, len(whole) - 1)}
    for path, content in cuts.items():
        path.write_bytes(content)
    each(cannot_translate_with, [(path, tmp_path) for path in cuts])


def test_a_model_without_its_description(tmp_path):
    numpy, safetensors = pytest.importorskip("numpy"), pytest.importorskip("safetensors.numpy")
    path = tmp_path / "plain.safetensors"
    safetensors.save_file({"x": numpy.zeros(3, "float32")}, path)
    cannot_translate_with(path, tmp_path, "not a CycleGAN or pix2pix generator")


def golden(name):
    path = GOLDEN / name
    if not path.exists():
        pytest.skip(f"{path} is not there (TORSOR_GOLDEN names the folder)")
    return path


def test_a_discriminators_weights(tmp_path):
    cannot_translate_with(golden("D_basic3_instance.pth"), tmp_path, "discriminator", "net_G_A.pth")


def test_truncated_reference_weights(tmp_path):
    whole = golden("G_resnet_6blocks_instance.pth").read_bytes()
    path = tmp_path / "cut.pth"
    path.write_bytes(whole[:len(whole) // 2])
    cannot_translate_with(path, tmp_path, "truncated", "again")


def test_reference_weights_say_what_differs(tmp_path):
    torch = pytest.importorskip("torch", exc_type=ImportError)
    good = torch.load(golden("G_resnet_6blocks_instance.pth"), map_location="cpu")
    path = tmp_path / "other.pth"

    lacking = {key: value for key, value in good.items() if key != "model.12.conv_block.5.weight"}
    torch.save(lacking, path)
    cannot_translate_with(path, tmp_path, "model.12.conv_block.5.weight")

    torch.save({**good, "model.13.conv_block.1.weight": torch.zeros(4, 4, 3, 3)}, path)
    cannot_translate_with(path, tmp_path, "model.13.conv_block.1.weight", "[4,4,3,3]")

    torch.save({"features.0.weight": torch.zeros(8, 3, 3, 3)}, path)
    cannot_translate_with(path, tmp_path, "features.0.weight", "model.1.weight")


# --- what the system or a library refuses ---

def test_a_place_that_may_not_be_looked_at(tmp_path, model):
    """The library's exceptions of the file system become the line that ours are."""
    if os.geteuid() == 0:
        pytest.skip("to root nothing is forbidden")
    shut = tmp_path / "shut"
    (shut / "data").mkdir(parents=True)
    shut.chmod(0)
    try:
        for done in (train(tmp_path / "run", data=shut / "data"), translate(model, shut / "data", tmp_path / "out"),
                     run("train", "--resume", shut / "data"), run("inspect", shut / "data")):
            assert done.returncode == FAILURE and str(shut) in done.stderr and "Permission denied" in done.stderr
            assert "filesystem error" not in done.stderr and done.stderr.count("\n") == 1
    finally:
        shut.chmod(0o700)


def test_a_path_of_links_that_leads_nowhere(tmp_path, model):
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    for done in (train(tmp_path / "run", data=tmp_path / "loop"), translate(model, tmp_path / "loop", tmp_path / "out"),
                 run("train", "--resume", tmp_path / "loop"), run("inspect", tmp_path / "loop")):
        assert done.returncode == FAILURE and str(tmp_path / "loop") in done.stderr, done.stderr
        assert "filesystem error" not in done.stderr and done.stderr.count("\n") == 1


def test_memory_that_is_not_there(tmp_path):
    """An allocation that fails says so in a line, without the library's source files."""
    def little():
        resource.setrlimit(resource.RLIMIT_AS, (3 << 30, 3 << 30))

    done = train(tmp_path / "run", batch_size=65536, loader_threads=0, run_options={"preexec_fn": little})
    assert done.returncode != 0
    for raw in ("enforce fail", "Exception raised", ".cpp", "terminate"):
        assert raw not in done.stderr
    assert "memory" in done.stderr and done.stderr.count("\n") <= 2
