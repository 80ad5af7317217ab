import pytest

import cli_support


@pytest.fixture(scope="session")
def model(tmp_path_factory):
    """The run directory of a tiny model. Not trained to speak of, but its wide initial weights make lively pictures.
    It has seen too few images to know them from others, so that it translates anything without a warning."""
    out = tmp_path_factory.mktemp("model") / "run"
    cli_support.succeeded(cli_support.train(out, init_gain=0.3, max_dataset_size=15))
    return out


@pytest.fixture(scope="session")
def folders(tmp_path_factory):
    """A folder with trainA and trainB, in the reference's layout."""
    root = tmp_path_factory.mktemp("data")
    cli_support.image_folder(root / "trainA")
    cli_support.image_folder(root / "trainB", width=32, height=48)
    return root
