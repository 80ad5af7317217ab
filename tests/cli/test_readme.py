"""The README's commands about weights, run as they are printed."""
import os
import pathlib
import re
import subprocess

import pytest

from cli_support import SOURCE, picture, save

torch = pytest.importorskip("torch", exc_type=ImportError)
pytest.importorskip("onnxruntime")
import torch_twin  # noqa: E402

HEAD = "Weights in, translations and weights out"


def blocks():
    section = (SOURCE / "README.md").read_text().split(f"## {HEAD}\n")[1].split("\n## ")[0]
    found = [re.sub("^    ", "", block, flags=re.M) for block in re.findall(r"(?:^    .*\n)+", section, re.M)]
    assert [block.split()[1] for block in found] == ["import", "translate", "export", "--install"]
    return found


def test_the_blocks_run_as_printed(tmp_path):
    """In a folder that holds what they speak of; building the consumer is left to the long tests."""
    build = pathlib.Path(os.environ.get("TORSOR_BUILD", SOURCE / "build"))
    for name, target in {"build": build, "scripts": SOURCE / "scripts", "examples": SOURCE / "examples",
                         ".venv": SOURCE / ".venv"}.items():
        (tmp_path / name).symlink_to(target)
    reference = tmp_path / "checkpoints" / "horse2zebra"
    reference.mkdir(parents=True)
    for name in ("G_A", "G_B"):
        torch.save(torch_twin.generator("resnet_6blocks", "instance").state_dict(), reference / f"latest_net_{name}.pth")
    for kind in ("horses", "zebras"):
        (tmp_path / "photos" / kind).mkdir(parents=True)
        save(tmp_path / "photos" / kind / "1.jpg", picture(48, 40))
    (tmp_path / "horse.rgb").write_bytes(picture(256, 256).tobytes())
    for block in blocks()[:None if os.environ.get("TORSOR_LONG") else 3]:
        done = subprocess.run(["sh", "-e", "-c", block], cwd=tmp_path, capture_output=True, text=True, timeout=600)
        assert done.returncode == 0, f"{block}\n{done.stdout}{done.stderr}"
    assert (tmp_path / "translated" / "1.jpg").exists() and (tmp_path / "translated-back" / "1.jpg").exists()
    assert (tmp_path / "checkpoints" / "returned" / "latest_net_G_B.pth").exists()
    if os.environ.get("TORSOR_LONG"):
        assert (tmp_path / "zebra.rgb").stat().st_size == 256 * 256 * 3
