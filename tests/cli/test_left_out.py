"""What a folder leaves out and what its images lose is said, in training as in translation."""
import os

import pytest

from cli_support import FAILURE, image_folder, picture, refused, save, succeeded, train, translate


@pytest.fixture
def photos(tmp_path):
    """Two images that are read, one of them without extension, and two of other formats."""
    folder = image_folder(tmp_path / "photos", count=1, width=48, height=48)
    save(folder / "x.jpg", picture(width=48, height=48, seed=5))
    (folder / "x.jpg").rename(folder / "DSC0002")
    (folder / "c.HEIC").write_bytes(b"\0\0\0\x18ftypheic")
    (folder / "d.gif").write_bytes(b"GIF89a")
    return folder


@pytest.fixture
def others(tmp_path):
    return image_folder(tmp_path / "others", count=2, width=48, height=48)


LEFT_OUT = ("2 files left out: c.HEIC, d.gif; ", "convert .heic with heif-convert (Debian: libheif-examples)")


def test_training_names_what_it_leaves_out(tmp_path, photos, others):
    done = succeeded(train(tmp_path / "run", a=photos, b=others))
    for part in LEFT_OUT:
        assert done.stderr.count(part) == 1, done.stderr
    assert "photos: 2 images" in done.stdout  # one of them by its content


def test_training_sums_up_what_images_lose(tmp_path, others):
    folder = tmp_path / "clear"
    for i in range(3):
        pixels = picture(width=48, height=48, channels=4, seed=i)
        save(folder / f"{i}.png", pixels)
    whole = (folder / "0.png").read_bytes()
    (folder / "0.png").write_bytes(whole + b"more")
    done = succeeded(train(tmp_path / "run", a=folder, b=others))
    said = done.stdout + done.stderr
    assert said.count("0.png: 4 bytes behind the picture are not read") == 1, said


def test_a_bad_entry_is_named_and_may_be_skipped(tmp_path, photos, others):
    os.symlink(photos, photos / "again")
    os.symlink("nowhere.jpg", photos / "gone.jpg")
    done = train(tmp_path / "run", a=photos, b=others)
    refused(done, FAILURE, "2 entries of", "again: is a link back to", "gone.jpg: is a link that leads nowhere",
            "--skip-bad")
    done = succeeded(train(tmp_path / "run2", a=photos, b=others, skip_bad=True))
    assert "warning: skipped: " in done.stderr and "gone.jpg: is a link that leads nowhere" in done.stderr


def test_translation_names_them_too(tmp_path, photos):
    done = succeeded(translate("identity", photos, tmp_path / "out"))
    for part in LEFT_OUT:
        assert done.stderr.count(part) == 1, done.stderr
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["0.png", "DSC0002.jpg"]


def test_translation_refuses_or_skips_a_bad_entry(tmp_path, photos):
    os.symlink("loop", photos / "loop")
    os.symlink(photos, photos / "again")
    done = translate("identity", photos, tmp_path / "out")
    refused(done, FAILURE, "2 entries of", "loop: is a link to itself", "again: is a link back to", "--skip-bad")
    done = succeeded(translate("identity", photos, tmp_path / "out", skip_bad=True))
    assert "warning: skipped: " in done.stderr and "loop: is a link to itself" in done.stderr
    assert "2 images written" in done.stdout
