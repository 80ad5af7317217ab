"""16-bit images through a trained model, compared with the same network in Python."""
import pytest

from cli_support import load, picture, run, save, succeeded, train, translate, weights

numpy, torch = pytest.importorskip("numpy"), pytest.importorskip("torch")
import torch_twin  # noqa: E402

NET = {"net_g": "resnet_2blocks", "norm": "instance", "ngf": 16}  # wide enough for the kernels
DEEP = {"dtype": "uint16", "channels": 1}


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A model of 16-bit grey images after a few steps, and its network of A to B in Python."""
    folder = tmp_path_factory.mktemp("deep")
    for place, domain in enumerate(("trainA", "trainB")):
        for i in range(4):
            save(folder / "data" / domain / f"{i}.png", picture(48, 40, seed=10 * place + i, **DEEP))
    succeeded(train(folder / "run", data=folder / "data", steps=20, lr=0.002, channels_a=1, channels_b=1, threads=2, **NET))
    twin = torch_twin.generator(NET["net_g"], NET["norm"], inputs=1, outputs=1, ngf=NET["ngf"]).double().eval()
    start = "net/g_a_to_b/"
    twin.load_state_dict({key.removeprefix(start): torch.from_numpy(value)
                          for key, value in weights(folder / "run/model.safetensors").items() if key.startswith(start)})
    return folder / "run", twin


def units_apart(tmp_path, trained, engine):
    """The largest difference from Python's result, which is computed in double precision, in units of 16 bits."""
    model, twin = trained
    deep = picture(64, 56, seed=3, **DEEP)
    succeeded(translate(model, save(tmp_path / "in.png", deep), tmp_path / "out.png", bit_depth=16, engine=engine,
                        device="cpu"))
    with torch.no_grad():
        made = twin(torch.from_numpy(deep.astype("float64"))[None, None] / 65535 * 2 - 1)[0, 0].numpy()
    expected, out = numpy.round((made + 1) / 2 * 65535), load(tmp_path / "out.png")
    assert expected.std() > 500 and len(numpy.unique(out)) > 1000, "a picture of more than 8 bits"
    return abs(out - expected).max()


def test_by_libtorch_it_is_one_unit_at_most(tmp_path, trained):
    assert units_apart(tmp_path, trained, "torch") <= 1


def test_by_the_kernels_it_is_two_units_at_most(tmp_path, trained):
    assert units_apart(tmp_path, trained, "fast") <= 2


def test_both_domains_are_of_sixteen_bits(trained):
    said = succeeded(run("inspect", trained[0])).stdout
    assert "16" in said and "65535" in said, said
