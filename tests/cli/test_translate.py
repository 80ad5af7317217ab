"""Translation of files and folders by the real program."""
import shutil

import pytest

from cli_support import (FAILURE, GOLDEN, USAGE, image_folder, load, picture, refused, save, snapshot, succeeded, train,
                         translate)

numpy = pytest.importorskip("numpy")


def difference(first, second):
    """Mean difference in grey levels."""
    assert first.shape == second.shape
    return numpy.abs(first - second).mean()


def test_a_file_to_a_file(tmp_path, model):
    source = save(tmp_path / "in.png", picture())
    done = succeeded(translate(model, source, tmp_path / "new" / "out.png"))
    assert done.stderr == "" and "1 image written" in done.stdout
    out = load(tmp_path / "new" / "out.png")
    assert out.shape == load(source).shape
    assert out.std() > 5 and difference(out, load(source)) > 5


def test_a_file_into_a_folder_keeps_its_name(tmp_path, model):
    source = save(tmp_path / "in.png", picture())
    (tmp_path / "out").mkdir()
    succeeded(translate(model, source, tmp_path / "out"))
    assert sorted(snapshot(tmp_path / "out")) == ["in.png"]


def test_a_folder_is_mirrored_with_names_and_formats(tmp_path, model):
    tree = ["plain.png", "a photo.jpg", "deep/er/scan.tif", "deep/naïve größe 馬.webp", "bits.bmp", "UPPER.PNG", "p.ppm"]
    for seed, name in enumerate(tree):
        save(tmp_path / "in" / name, picture(seed=seed))
    (tmp_path / "in" / "notes.txt").write_text("no image")
    done = succeeded(translate(model, tmp_path / "in", tmp_path / "out"))
    assert f"{len(tree)} images written" in done.stdout
    written = snapshot(tmp_path / "out")
    assert sorted(name for name, content in written.items() if content is not None) == sorted(tree)
    starts = {"png": b"\x89PNG", "jpg": b"\xff\xd8\xff", "tif": b"II*\0", "webp": b"RIFF", "bmp": b"BM", "ppm": b"P6"}
    for name in tree:
        assert written[name].startswith(starts[name.rsplit(".", 1)[1].lower()]), name
        assert load(tmp_path / "out" / name).shape == (36, 40, 3)


def test_all_outputs_in_one_format(tmp_path, model):
    save(tmp_path / "in" / "a.jpg", picture())
    save(tmp_path / "in" / "deep" / "b.tif", picture())
    succeeded(translate(model, tmp_path / "in", tmp_path / "out", format="png"))
    written = snapshot(tmp_path / "out")
    assert sorted(written) == ["a.png", "deep", "deep/b.png"]
    assert written["a.png"].startswith(b"\x89PNG") and written["deep/b.png"].startswith(b"\x89PNG")


@pytest.mark.parametrize("width, height", [(1, 1), (3, 50), (37, 61), (65, 64)])
def test_any_size(tmp_path, model, width, height):
    source = save(tmp_path / "in.png", picture(width, height))
    succeeded(translate(model, source, tmp_path / "out.png"))
    assert load(tmp_path / "out.png").shape == (height, width, 3)


def test_resize_is_the_outputs_size(tmp_path, model):
    source = save(tmp_path / "in.png", picture())
    succeeded(translate(model, source, tmp_path / "wide.png", resize="48x20"))
    assert load(tmp_path / "wide.png").shape == (20, 48, 3)
    succeeded(translate(model, source, tmp_path / "square.png", resize=24))
    assert load(tmp_path / "square.png").shape == (24, 24, 3)


def test_grey_is_the_colour_image_of_equal_channels(tmp_path, model):
    grey = picture(channels=1)
    save(tmp_path / "in" / "grey.png", grey)
    save(tmp_path / "in" / "colour.png", numpy.repeat(grey[:, :, None], 3, 2))
    succeeded(translate(model, tmp_path / "in", tmp_path / "out"))
    assert (load(tmp_path / "out" / "grey.png") == load(tmp_path / "out" / "colour.png")).all()


def sixteen_bits(png):
    return png.read_bytes()[24] == 16  # IHDR's bit depth


def test_sixteen_bits_stay_sixteen(tmp_path, model):
    narrow = picture(channels=1)
    save(tmp_path / "in" / "narrow.png", narrow)
    save(tmp_path / "in" / "wide.png", narrow.astype("uint16") * 257)
    done = succeeded(translate(model, tmp_path / "in", tmp_path / "out"))
    assert done.stderr == ""
    succeeded(translate(model, tmp_path / "in", tmp_path / "eight", bit_depth=8))
    narrow = load(tmp_path / "out" / "narrow.png")
    assert numpy.abs(load(tmp_path / "eight" / "wide.png") - narrow).max() <= 1
    assert sixteen_bits(tmp_path / "out" / "wide.png") and not sixteen_bits(tmp_path / "eight" / "wide.png")
    refused(translate(model, tmp_path / "in" / "wide.png", tmp_path / "x.jpg", bit_depth=16), FAILURE, "JPEG cannot hold 16-bit")


def test_twelve_bits_come_back(tmp_path):
    ramp = numpy.arange(4096, dtype="uint16").reshape(64, 64)
    source = save(tmp_path / "ramp.png", ramp)
    done = succeeded(translate("identity", source, tmp_path / "out.png"))
    assert done.stderr == "" and (load(tmp_path / "out.png") == ramp).all()


def test_white_and_black_of_the_inputs(tmp_path, model):
    save(tmp_path / "in.png", numpy.arange(4096, dtype="uint16").reshape(64, 64))
    succeeded(translate("identity", tmp_path / "in.png", tmp_path / "out.png", white=4095, bit_depth=8))
    assert load(tmp_path / "out.png").max() == 255
    refused(translate(model, tmp_path / "in.png", tmp_path / "x.png", white=1, black=2), USAGE, "--white", "--black")


def test_a_photo_is_turned_as_its_camera_says(tmp_path, model):
    image = pytest.importorskip("PIL.Image")
    exif = image.Exif()
    exif[0x0112] = 6  # to be shown turned by a quarter, clockwise
    pixels = picture(40, 24)
    save(tmp_path / "in" / "lying.jpg", pixels, quality=100, subsampling=0, exif=exif)
    save(tmp_path / "in" / "upright.jpg", numpy.ascontiguousarray(numpy.rot90(pixels, -1)), quality=100, subsampling=0)
    succeeded(translate(model, tmp_path / "in", tmp_path / "out", format="png"))
    turned, upright = load(tmp_path / "out" / "lying.png"), load(tmp_path / "out" / "upright.png")
    assert turned.shape == (40, 24, 3)
    upside_down = load(tmp_path / "out" / "upright.png")[::-1, ::-1]
    assert difference(turned, upright) < 3 < difference(turned, upside_down)
    with image.open(tmp_path / "out" / "lying.png") as out:
        assert out.getexif().get(0x0112, 1) == 1  # not turned a second time by a viewer


def test_the_batch_size_alters_no_more_than_a_rounding(tmp_path, model):
    image_folder(tmp_path / "in", count=6)
    save(tmp_path / "in" / "3.png", picture(52, 44))  # another size in between ends a batch early
    succeeded(translate(model, tmp_path / "in", tmp_path / "one"))
    succeeded(translate(model, tmp_path / "in", tmp_path / "four", batch_size=4))
    names = snapshot(tmp_path / "one").keys()
    assert len(names) == 6 and names == snapshot(tmp_path / "four").keys()
    for name in names:  # sums in another order may fall on the other side of a half
        one, four = (load(tmp_path / folder / name).astype(int) for folder in ("one", "four"))
        assert one.shape == four.shape and abs(one - four).max() <= 1


def test_both_directions(tmp_path, model):
    source = save(tmp_path / "in.png", picture())
    for name, direction in [("default", None), ("there", "a_to_b"), ("back", "b_to_a")]:
        succeeded(translate(model, source, tmp_path / f"{name}.png", direction=direction))
    there, back = load(tmp_path / "there.png"), load(tmp_path / "back.png")
    assert (tmp_path / "default.png").read_bytes() == (tmp_path / "there.png").read_bytes()
    assert difference(there, back) > 5


def test_channel_counts_are_the_models(tmp_path):
    succeeded(train(tmp_path / "run", channels_a=1))
    source = save(tmp_path / "in.png", picture())
    succeeded(translate(tmp_path / "run", source, tmp_path / "b.png"))
    assert load(tmp_path / "b.png").shape == (36, 40, 3)
    succeeded(translate(tmp_path / "run", source, tmp_path / "a.png", direction="b_to_a"))
    assert load(tmp_path / "a.png").shape == (36, 40)


def test_a_run_its_model_and_its_checkpoint_are_the_same(tmp_path, model):
    source = save(tmp_path / "in.png", picture())
    *_, checkpoint = sorted((model / "checkpoints").iterdir())
    outputs = set()
    for number, path in enumerate([model, model / "model.safetensors", checkpoint]):
        succeeded(translate(path, source, tmp_path / f"{number}.png"))
        outputs.add((tmp_path / f"{number}.png").read_bytes())
    assert len(outputs) == 1


def test_the_run_may_be_moved(tmp_path, model):
    source = save(tmp_path / "in.png", picture())
    shutil.copytree(model, tmp_path / "elsewhere")
    succeeded(translate(model, source, tmp_path / "here.png"))
    succeeded(translate(tmp_path / "elsewhere", source, tmp_path / "there.png"))
    assert (tmp_path / "here.png").read_bytes() == (tmp_path / "there.png").read_bytes()


def test_a_second_run_keeps_or_replaces(tmp_path, model):
    source = image_folder(tmp_path / "in", count=2)
    succeeded(translate(model, source, tmp_path / "out"))
    first = snapshot(tmp_path / "out")
    assert translate(model, source, tmp_path / "out", direction="b_to_a").returncode == 1
    assert snapshot(tmp_path / "out") == first
    succeeded(translate(model, source, tmp_path / "out", direction="b_to_a", overwrite=True))
    second = snapshot(tmp_path / "out")
    assert second.keys() == first.keys() and all(second[name] != first[name] for name in first)


def test_an_output_is_replaced_whole(tmp_path, model):
    """Written beside and renamed: whoever had the old file open still reads the old picture."""
    source = save(tmp_path / "in.png", picture())
    out = save(tmp_path / "out" / "x.png", picture(8, 8))
    before = out.read_bytes()
    with open(out, "rb") as reader:
        start = reader.read(1)
        succeeded(translate(model, source, out, overwrite=True))
        assert start + reader.read() == before
    assert out.read_bytes() != before
    assert sorted(snapshot(out.parent)) == ["x.png"]


@pytest.mark.parametrize("precision", ["bf16", "fp64"])
def test_other_precisions_make_about_the_same_picture(tmp_path, model, precision):
    source = save(tmp_path / "in.png", picture())
    succeeded(translate(model, source, tmp_path / "fp32.png"))
    succeeded(translate(model, source, tmp_path / "other.png", precision=precision))
    assert difference(load(tmp_path / "fp32.png"), load(tmp_path / "other.png")) < (4 if precision == "bf16" else 0.1)


# --- the reference's weights ---

def reference_resnet(torch, width=4):
    """The reference's generator with one block, written anew: layers by their number, as its keys have them."""
    from torch import nn

    def norm(channels):
        return nn.InstanceNorm2d(channels)

    class Block(nn.Module):
        def __init__(self, channels):
            super().__init__()
            self.conv_block = nn.Sequential(nn.ReflectionPad2d(1), nn.Conv2d(channels, channels, 3), norm(channels),
                                            nn.ReLU(), nn.ReflectionPad2d(1), nn.Conv2d(channels, channels, 3),
                                            norm(channels))

        def forward(self, x):
            return x + self.conv_block(x)

    class Generator(nn.Module):
        def __init__(self):
            super().__init__()
            w = width
            self.model = nn.Sequential(
                nn.ReflectionPad2d(3), nn.Conv2d(3, w, 7), norm(w), nn.ReLU(),
                nn.Conv2d(w, 2 * w, 3, 2, 1), norm(2 * w), nn.ReLU(),
                nn.Conv2d(2 * w, 4 * w, 3, 2, 1), norm(4 * w), nn.ReLU(),
                Block(4 * w),
                nn.ConvTranspose2d(4 * w, 2 * w, 3, 2, 1, output_padding=1), norm(2 * w), nn.ReLU(),
                nn.ConvTranspose2d(2 * w, w, 3, 2, 1, output_padding=1), norm(w), nn.ReLU(),
                nn.ReflectionPad2d(3), nn.Conv2d(w, 3, 7), nn.Tanh())

        def forward(self, x):
            return self.model(x)

    torch.manual_seed(1)
    net = Generator()
    for parameter in net.parameters():
        nn.init.normal_(parameter, 0, 0.2)
    return net


def test_weights_of_python_give_the_picture_of_python(tmp_path):
    torch = pytest.importorskip("torch", exc_type=ImportError)
    net = reference_resnet(torch)
    pixels = picture(40, 36)
    with torch.no_grad():
        x = torch.from_numpy(pixels.astype("float32")).permute(2, 0, 1)[None] / 127.5 - 1
        expected = ((net(x)[0].permute(1, 2, 0).numpy() + 1) * 127.5)
    source = save(tmp_path / "in.png", pixels)
    weights = net.state_dict()
    formats = {"zip.pth": (weights, {}), "old.pth": (weights, {"_use_new_zipfile_serialization": False}),
               "parallel.pth": ({"module." + key: value for key, value in weights.items()}, {})}
    for name, (content, options) in formats.items():
        torch.save(content, tmp_path / name, **options)
        done = succeeded(translate(tmp_path / name, source, tmp_path / "out.png", overwrite=True))
        assert f"{name}: resnet_1blocks, ngf 4, norm instance" in done.stderr
        assert numpy.abs(load(tmp_path / "out.png") - expected).max() <= 1


def reference_outputs():
    folder = GOLDEN / "test_py"
    return sorted(p.name for p in folder.iterdir() if p.is_dir() and p.name != "inputs") if folder.is_dir() else [None]


@pytest.mark.parametrize("name", reference_outputs())
def test_what_the_references_test_py_wrote(tmp_path, name):
    """<norm>_<preprocess>_<load size>_<crop size>; see the README beside the recorded pictures."""
    if name is None:
        pytest.skip(f"{GOLDEN / 'test_py'} is not there (TORSOR_GOLDEN names the folder above)")
    norm, *words, load_size, crop_size = name.split("_")
    preprocess = "_".join(words)
    folder = GOLDEN / "test_py"
    succeeded(translate(folder / f"G_{norm}.pth", folder / "inputs", tmp_path / "out", as_reference=True,
                        preprocess=preprocess, load_size=load_size, crop_size=crop_size))
    allowed = 2 if norm == "batch" else 1
    expected = sorted(path.name for path in (folder / name).iterdir())
    assert sorted(snapshot(tmp_path / "out")) == expected and expected
    for file in expected:
        ours, theirs = load(tmp_path / "out" / file), load(folder / name / file)
        assert ours.shape == theirs.shape, file
        assert numpy.abs(ours - theirs).max() <= allowed, file
