"""torsor train --model: each model through one command, and what follows of a model that it did not know before."""
import json

import pytest

from classifier_file import classifier
from cli_support import FAILURE, USAGE, each, equal_weights, load, picture, refused, run, save, succeeded, train, translate, weights

torch = pytest.importorskip("torch", exc_type=ImportError)
import torch_twin  # noqa: E402

UNET = {"net_g": "unet_128", "load_size": 128, "crop_size": 128}
SMALL = {"cyclegan": {}, "pix2pix": UNET, "cut": {"nce_width": 8}, "fastcut": {"nce_width": 8},
         "transport": {}, "gan": {}, "simgan": {}, "feature_gan": {}, "bigan": {},
         "cogan": {"net_g": "latent_32"}}
TWO_WAY = ["cyclegan", "bigan", "cogan"]
LOSSES = {"cyclegan": ["d_a", "d_b", "g_a_to_b", "g_b_to_a", "cycle_a", "cycle_b", "idt_a", "idt_b"],
          "pix2pix": ["g_a_to_b", "l1", "d_real", "d_fake"],
          "cut": ["g_a_to_b", "d_real", "d_fake", "g", "nce", "nce_y"],
          "fastcut": ["g_a_to_b", "d_real", "d_fake", "g", "nce"],
          "transport": ["d_b", "g_a_to_b", "transport_a", "cost_a"],
          "gan": ["d_b", "g_a_to_b"],
          "simgan": ["d_b", "g_a_to_b", "self_a"],
          "feature_gan": ["d_b", "g_a_to_b", "self_a"],
          "bigan": ["d_ab", "g_a_to_b", "g_b_to_a"],
          "cogan": ["d_a", "d_b", "g_a", "g_b", "rec_a", "rec_b", "latent_a", "latent_b"]}


@pytest.fixture(scope="module", autouse=True)
def encoder(tmp_path_factory):
    """What feature_gan compares images by."""
    SMALL["feature_gan"]["self_encoder"] = classifier(tmp_path_factory.mktemp("encoder") / "digits.safetensors")


def train_model(out, model, *arguments, **options):
    return train(out, *arguments, model=model, log_every=1, **{**SMALL[model], **options})


def stored(run_folder):
    return json.loads((run_folder / "config.json").read_text())


def losses_of(run_folder):
    first = json.loads((run_folder / "log.jsonl").read_text().splitlines()[0])
    known = {"step", "epoch", "lr", "seconds", "data_wait"}
    return [name for name in first if name not in known]


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    root = tmp_path_factory.mktemp("models")
    each(lambda model: succeeded(train_model(root / model, model)), [(model,) for model in SMALL])
    return root


@pytest.mark.parametrize("model", SMALL)
def test_trains_and_says_what_it_is(runs, model):
    assert stored(runs / model)["model"] == model
    assert losses_of(runs / model) == LOSSES[model]
    said = json.loads(succeeded(run("inspect", "--json", runs / model)).stdout)
    assert said["type"] == model
    generators = [network for network in said["networks"] if network["kind"] == "generator"]
    assert [(g["from"], g["to"]) for g in generators] == [("a", "b"), ("b", "a")][:2 if model in TWO_WAY else 1]
    assert all(set(network["sees"]) <= {"a", "b"} for network in said["networks"] if network["kind"] == "discriminator")


@pytest.mark.parametrize("model", TWO_WAY)
def test_translates_both_ways(runs, tmp_path, model):
    image = save(tmp_path / "in.png", picture(32, 32))
    for direction in ("a_to_b", "b_to_a"):
        succeeded(translate(runs / model, image, tmp_path / f"{direction}.png", direction=direction))
    assert (load(tmp_path / "a_to_b.png") != load(tmp_path / "b_to_a.png")).any()


@pytest.mark.parametrize("model", ["gan", "bigan", "cogan"])
def test_goes_out_to_onnx(runs, tmp_path, model):
    onnxruntime = pytest.importorskip("onnxruntime", exc_type=ImportError)
    image = save(tmp_path / "in.png", picture(32, 32))
    succeeded(translate(runs / model, image, tmp_path / "ours.png", direction="a_to_b"))
    succeeded(run("export", runs / model, tmp_path / "g.onnx", "--direction", "a_to_b"))
    session = onnxruntime.InferenceSession(str(tmp_path / "g.onnx"))
    x = load(image).astype("float32").transpose(2, 0, 1)[None] / 127.5 - 1
    y = session.run(None, {session.get_inputs()[0].name: x})[0][0].transpose(1, 2, 0)
    assert abs((y + 1) * 127.5 - load(tmp_path / "ours.png").astype("float32")).max() < 1


@pytest.mark.parametrize("model", SMALL)
def test_goes_on_to_the_byte(runs, tmp_path, model):
    succeeded(train_model(tmp_path / "run", model, steps=2))
    succeeded(run("train", "--resume", tmp_path / "run", "--steps", 3))
    assert equal_weights(tmp_path / "run" / "model.safetensors", runs / model / "model.safetensors")
    mine, other = (max((folder / "checkpoints").iterdir()) for folder in (tmp_path / "run", runs / model))
    assert mine.name == other.name and equal_weights(mine, other)


@pytest.mark.parametrize("model", [model for model in SMALL if model not in TWO_WAY])
def test_translates_in_its_one_direction(runs, tmp_path, model):
    side = SMALL[model].get("crop_size", 32)
    image = save(tmp_path / "in.png", picture(side, side))
    succeeded(translate(runs / model, image, tmp_path / "out.png"))
    succeeded(translate(runs / model, image, tmp_path / "same.png", direction="a_to_b"))
    assert (load(tmp_path / "out.png") == load(tmp_path / "same.png")).all()
    refused(translate(runs / model, image, tmp_path / "other.png", direction="b_to_a"), USAGE, "--direction b_to_a",
            "it has a_to_b")
    assert not (tmp_path / "other.png").exists()


def test_pix2pix_in_the_other_direction(tmp_path):
    succeeded(train_model(tmp_path / "run", "pix2pix", direction="b_to_a", steps=1))
    assert losses_of(tmp_path / "run") == ["g_b_to_a", "l1", "d_real", "d_fake"]
    image = save(tmp_path / "in.png", picture(128, 128))
    succeeded(translate(tmp_path / "run", image, tmp_path / "out.png"))
    refused(translate(tmp_path / "run", image, tmp_path / "no.png", direction="a_to_b"), USAGE, "it has b_to_a")


def test_what_is_trained_goes_out_to_the_reference_and_comes_back(runs, tmp_path):
    files = {"pix2pix": {"latest_net_G.pth", "latest_net_D.pth"},
             "cut": {"latest_net_G.pth", "latest_net_D.pth", "latest_net_F.pth"}}
    for model, expected in files.items():
        folder = tmp_path / model
        succeeded(run("export", runs / model, folder))
        assert {path.name for path in folder.iterdir()} == expected | {"train_opt.txt"}
        succeeded(run("import", folder, tmp_path / f"{model}.safetensors"))
        assert equal_weights(tmp_path / f"{model}.safetensors", runs / model / "model.safetensors")
    # CUT trained on the CPU writes its keys with this prefix.
    path = tmp_path / "cut" / "latest_net_F.pth"
    state = torch.load(path, weights_only=True)
    torch.save({f"module.{key}": value for key, value in state.items()}, path)
    succeeded(run("import", tmp_path / "cut", tmp_path / "prefixed.safetensors"))
    assert equal_weights(tmp_path / "prefixed.safetensors", runs / "cut" / "model.safetensors")


def test_bigan_goes_out_as_the_generators_of_a_cyclegan(runs, tmp_path):
    done = succeeded(run("export", runs / "bigan", tmp_path / "out"))
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"latest_net_G_A.pth", "latest_net_G_B.pth",
                                                                   "train_opt.txt"}
    assert "d_ab is left out" in done.stdout + done.stderr
    succeeded(run("import", tmp_path / "out", tmp_path / "back.safetensors"))
    ours, back = (weights(path) for path in (runs / "bigan" / "model.safetensors", tmp_path / "back.safetensors"))
    for name in ("g_a_to_b", "g_b_to_a"):
        keys = [key for key in back if key.startswith(f"net/{name}/")]
        assert keys and all((back[key] == ours[key]).all() for key in keys)
    refused(run("export", runs / "cogan", tmp_path / "no"), FAILURE, "latent_32", "OUT.onnx")


def test_begins_with_the_weights_of_the_reference(tmp_path):
    generator = torch_twin.shaken(torch_twin.generator("unet_128", "batch", dropout=True))
    pairs = torch_twin.shaken(torch_twin.discriminator("basic", "batch", inputs=6))
    folder = tmp_path / "facades"
    folder.mkdir()
    torch.save(generator.state_dict(), folder / "latest_net_G.pth")
    torch.save(pairs.state_dict(), folder / "latest_net_D.pth")
    done = succeeded(run("train", "--model", "pix2pix", "--data", "generated:solid-striped", "--init-from", folder,
                         "--crop-size", 128, "--load-size", 128, "--steps", 1, "--lr", 1e-30, "--threads", 1,
                         "--out", tmp_path / "run"))
    assert "g_a_to_b: all" in done.stdout + done.stderr and "d_ab: all" in done.stdout + done.stderr
    ours = weights(tmp_path / "run" / "model.safetensors")
    for name, state in (("g_a_to_b", generator.state_dict()), ("d_ab", pairs.state_dict())):
        for key, value in state.items():
            if "running" not in key and "tracked" not in key:
                assert abs(ours[f"net/{name}/{key}"] - value.numpy()).max() < 1e-6, key


def test_help_shows_the_options_of_that_model_and_no_others():
    text = {model: succeeded(run("train", "--model", model, "--help-all")).stdout for model in SMALL}
    for flag, owners in (("--lambda-cycle-a", ["cyclegan"]), ("--lambda-l1", ["pix2pix"]),
                         ("--direction", ["pix2pix"]), ("--nce-layers", ["cut", "fastcut"]),
                         ("--pool-size", ["cyclegan", "transport", "gan", "simgan", "feature_gan"]),
                         ("--transport-cost", ["cyclegan", "transport"]), ("--lambda-latent", ["cogan"]),
                         ("--lambda-self", ["simgan", "feature_gan"]), ("--self-encoder", ["feature_gan"]),
                         ("--net-g", list(SMALL)), ("--lr", list(SMALL))):
        assert [model for model in SMALL if f"\n  {flag} " in text[model]] == owners, flag
    assert "[unet_256]" in text["pix2pix"] and "[resnet_9blocks]" in text["cyclegan"]
    common = succeeded(run("train", "--model=pix2pix", "--help")).stdout
    assert "--lambda-l1" in common and "--beta1" not in common


def test_a_config_file_knows_its_model(tmp_path):
    path = tmp_path / "options.json"
    path.write_text(json.dumps({"model": "pix2pix", "lambda_l1": 3.5, **UNET}))
    succeeded(train(tmp_path / "run", config=path, **UNET))
    assert stored(tmp_path / "run")["model"] == "pix2pix" and stored(tmp_path / "run")["lambda_l1"] == 3.5
    refused(train(tmp_path / "no", config=path, model="cut"), USAGE, "--model cut", path, "pix2pix")
    path.write_text('{"model": "pix2pics"}')
    refused(train(tmp_path / "no", config=path), USAGE, path, "did you mean 'pix2pix'")
    path.write_text('{"lambda_l1": 3.5}')  # of the default model
    refused(train(tmp_path / "no", config=path), USAGE, path, "lambda_l1")
    assert not (tmp_path / "no").exists()


def test_what_it_refuses(runs, tmp_path):
    out = tmp_path / "run"
    refused(train(out, model="cylcegan"), USAGE, "cylcegan", "did you mean 'cyclegan'")
    refused(train(out, model="cycle_gan"), USAGE, "did you mean 'cyclegan'")
    refused(train(out, model="pix2pix", lambda_cycle_a=1), USAGE, "--lambda-cycle-a")
    refused(run("train", "--resume", runs / "cut", "--model", "pix2pix"), USAGE, "--model pix2pix", "'cut'")
    refused(train(out, model="cut", **UNET), USAGE, "--net-g unet_128")
    refused(train(out, model="pix2pix", **UNET, data="generated:glyphs"), USAGE, "generated:glyphs")
    refused(train(out, model="feature_gan"), USAGE, "--self-encoder FILE", "--model simgan")
    refused(train(out, model="feature_gan", self_encoder=tmp_path / "none.safetensors"), FAILURE, "none.safetensors")
    refused(train(out, model="simgan", channels_b=1), USAGE, "3 and 1 channels", "feature_gan")
    refused(train(out, model="cogan", net_g="resnet_1blocks"), USAGE, "--net-g resnet_1blocks", "latent_128")
    refused(train(out, model="cogan", net_g="latent_64"), USAGE, "latent_64", "32")
    assert not out.exists()


def test_a_time_budget_chooses_sizes_of_that_model(tmp_path):
    done = succeeded(run("train", "--model", "pix2pix", "--data", "generated:solid-striped", "--time-budget", "20s",
                         "--out", tmp_path / "run", "--steps", 1, "--sample-count", 1))
    assert "time budget 20s" in done.stdout and "unet_" in done.stdout
    assert stored(tmp_path / "run")["net_g"] in ("unet_128", "unet_256")
