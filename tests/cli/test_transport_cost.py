"""Training with a transport cost: as a term of CycleGAN, and as a model of its own."""
import json

import pytest

from classifier_file import classifier
from cli_support import USAGE, each, equal_weights, load, picture, refused, run, save, succeeded, train, translate

FREE = {"norm": "instance_affine", "net_g": "resnet_2blocks", "log_every": 1, "pool_size": 2}


def log_of(run_directory):
    return [json.loads(line) for line in (run_directory / "log.jsonl").read_text().splitlines()]


@pytest.mark.parametrize("cost", ["pixel", "features", "blocks"])
def test_the_log_has_it_and_a_resumed_run_is_the_same(tmp_path, cost):
    options = {**FREE, "lambda_transport": 0.5, "transport_cost": cost}
    if cost == "features":
        options["transport_encoder"] = classifier(tmp_path / "classifier.safetensors")
    done = succeeded(train(tmp_path / "whole", **options))
    assert f"transport cost: of {'pixels' if cost == 'pixel' else cost}, weight 0.5" in done.stdout
    assert all(line["transport_a"] > 0 and line["transport_b"] > 0 for line in log_of(tmp_path / "whole"))
    succeeded(train(tmp_path / "run", **options, steps=2))
    succeeded(run("train", "--resume", tmp_path / "run", "--steps", 3))
    assert equal_weights(tmp_path / "run/model.safetensors", tmp_path / "whole/model.safetensors")


def test_without_it_nothing_changes(tmp_path):
    succeeded(train(tmp_path / "plain", **FREE))
    succeeded(train(tmp_path / "off", **FREE, lambda_transport=0, transport_cost="blocks"))
    assert equal_weights(tmp_path / "plain/model.safetensors", tmp_path / "off/model.safetensors")
    assert "transport_a" not in log_of(tmp_path / "off")[0]


def test_a_weight_can_change(tmp_path):
    succeeded(train(tmp_path / "run", **FREE, steps=1))
    succeeded(run("train", "--resume", tmp_path / "run", "--steps", 2, "--lambda-transport", 2))
    assert "transport_a" in log_of(tmp_path / "run")[-1]


def test_what_is_refused(tmp_path):
    grey = {"channels_a": 3, "channels_b": 1}
    cases = [({"lambda_transport": 1, "transport_cost": "blocks"}, "--norm instance", "--norm instance_affine"),
             ({"lambda_transport": 1, "transport_cost": "blocks", "net_g": "unet_128", "load_size": 128,
               "crop_size": 128}, "unet_128", "no residual blocks"),
             ({"lambda_transport": 1, **grey}, "--transport-cost pixel", "3 and 1 channels"),
             ({"model": "transport", **grey}, "--transport-cost pixel", "3 and 1 channels"),
             ({"lambda_transport": 1, "transport_cost": "features"}, "--transport-encoder FILE"),
             ({"model": "transport", "reverse_gan": 1}, "--reverse-gan", "resnet_1blocks has none"),
             ({"lambda_transport": 1, "transport_encoder": "x.safetensors"}, "--transport-encoder does nothing",
              "--transport-cost features"),
             ({"transport_cost": "blocks"}, "--transport-cost does nothing without --lambda-transport"),
             ({"lambda_transport": -1}, "--lambda-transport"),
             ({"lambda_transport": 1, "transport_cost": "pixels"}, "did you mean 'pixel'")]
    each(lambda options, *parts: refused(train(tmp_path / "run", **options), USAGE, *parts), cases)
    assert not (tmp_path / "run").exists()


def test_an_encoder_goes_with_its_run(tmp_path):
    options = {**FREE, "model": "transport", "transport_cost": "features",
               "transport_encoder": classifier(tmp_path / "classifier.safetensors")}
    succeeded(train(tmp_path / "run", **options))
    resume = ("train", "--resume", tmp_path / "run", "--steps", 4)
    classifier(tmp_path / "other.safetensors", seed=1)
    refused(run(*resume, "--transport-encoder", tmp_path / "other.safetensors"), USAGE, "--transport-encoder",
            "other weights", "--init-from")
    (tmp_path / "classifier.safetensors").rename(tmp_path / "moved.safetensors")
    refused(run(*resume), USAGE, "--transport-encoder", "classifier.safetensors", "--transport-encoder FILE")
    succeeded(run(*resume, "--transport-encoder", tmp_path / "moved.safetensors"))


def test_the_model_from_training_to_export(tmp_path):
    """Its log shows what translations cost beside the adversarial loss, also where nothing weighs it."""
    succeeded(train(tmp_path / "run", **FREE, model="transport", lambda_transport=0, transport_cost="blocks"))
    assert all(line["cost_a"] > 0 and line["transport_a"] == 0 and line["g_a_to_b"] > 0
               for line in log_of(tmp_path / "run"))
    succeeded(translate(tmp_path / "run", save(tmp_path / "in.png", picture(32, 32)), tmp_path / "out.png"))
    assert load(tmp_path / "out.png").shape == (32, 32, 3)
    said = json.loads(succeeded(run("inspect", "--json", tmp_path / "run")).stdout)
    assert [network["name"] for network in said["networks"]] == ["g_a_to_b", "d_b"]
    succeeded(run("export", tmp_path / "run", tmp_path / "model.onnx"))
    assert (tmp_path / "model.onnx").stat().st_size > 0


def test_a_flow_is_the_whole_model(tmp_path):
    """One network translates both ways; a reverse GAN judges its way back; nothing is lost by a resume."""
    options = {"net_g": "flow_1", "flow_steps": 2, "model": "transport", "transport_cost": "blocks", "reverse_gan": 0.5,
               "log_every": 1, "init_gain": 0.5}
    each(lambda name, steps: succeeded(train(tmp_path / name, **options, steps=steps)), [("whole", 3), ("run", 2)])
    succeeded(run("train", "--resume", tmp_path / "run", "--steps", 3))
    assert equal_weights(tmp_path / "run/model.safetensors", tmp_path / "whole/model.safetensors")
    line = log_of(tmp_path / "run")[-1]
    assert line["cost_a"] > 0 and line["g_b_to_a"] > 0 and line["d_a"] > 0
    said = json.loads(succeeded(run("inspect", "--json", tmp_path / "run")).stdout)
    assert [network["name"] for network in said["networks"]] == ["g_a_to_b", "d_a", "d_b"]
    assert said["networks"][0]["return_error"] < 0.1
    before = save(tmp_path / "in.png", 96 + picture(32, 32) // 4)  # so that no translation is clamped
    succeeded(translate(tmp_path / "run", before, tmp_path / "there.png"))
    succeeded(translate(tmp_path / "run", tmp_path / "there.png", tmp_path / "back.png", direction="b_to_a"))
    moved, returned = (abs(load(tmp_path / f"{name}.png").astype(int) - load(before)).mean() for name in ("there", "back"))
    assert moved > 3 * returned
