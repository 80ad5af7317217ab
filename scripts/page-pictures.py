#!/usr/bin/env python3
"""Makes the pictures of torsor's pages that the documentation shows, in docs/images: draws two folders of images, trains
two short runs on them, and opens report, plot, TensorBoard, doctor and evaluation in a headless browser.

Needs .venv (numpy, Pillow, tensorboard: scripts/setup.sh) and Chromium. Takes about three minutes on two cores.
"""
import argparse
import pathlib
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

import numpy
from PIL import Image, ImageDraw

ROOT = pathlib.Path(__file__).resolve().parents[1]
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
SIDE, DRAWN = 48, 4  # pixels; drawn that many times larger, then reduced
DESKTOP, PHONE = 1280, 500  # Chromium's window has at least 500 pixels
TRAINING = ["--load-size", SIDE, "--crop-size", SIDE, "--net-g", "resnet_3blocks", "--net-d", "n_layers", "--n-layers-d", 2,
            "--ngf", 16, "--ndf", 32, "--norm", "batch", "--batch-size", 4, "--lr", 1e-3, "--upsample", "resize",
            "--init-type", "kaiming", "--steps", 500, "--ema", 0.995, "--lambda-cycle-a", 5, "--lambda-cycle-b", 5,
            "--sample-every", 50, "--log-every", 10, "--val-share", 0.1, "--eval-every", 100, "--eval-metrics", "kid",
            "--eval-features", "random-vgg", "--checkpoint-every", 0]


def hue(draw):
    """A strong colour of any hue."""
    h, rest = divmod(6 * draw.random(), 1)
    wheel = [(1, rest, 0), (1 - rest, 1, 0), (0, 1, rest), (0, 1 - rest, 1), (rest, 0, 1), (1, 0, 1 - rest)][int(h)]
    return tuple(int(60 + 170 * c) for c in wheel)


def scene(draw, shape):
    """One shape on a grey background that is lit from one side."""
    side = SIDE * DRAWN
    low, high = sorted(draw.uniform(40, 200, 2))
    ramp = numpy.linspace(low, high, side)[:, None] if draw.random() < 0.5 else numpy.linspace(high, low, side)[None, :]
    image = Image.fromarray(numpy.broadcast_to(ramp, (side, side)).astype("uint8")).convert("RGB")
    radius = draw.uniform(0.15, 0.3) * side
    x, y = draw.uniform(radius, side - radius, 2)
    pen = ImageDraw.Draw(image)
    {"circle": pen.ellipse, "square": pen.rectangle}[shape]((x - radius, y - radius, x + radius, y + radius), fill=hue(draw))
    return image.resize((SIDE, SIDE), Image.BOX)


def draw_folders(folder):
    """400 circles and 400 squares to train with, 60 of each to test with, and what `torsor doctor` should find."""
    draw = numpy.random.default_rng(0)
    for domain, shape in (("A", "circle"), ("B", "square")):
        for split, count in (("train", 400), ("test", 60)):
            out = folder / f"{split}{domain}"
            out.mkdir(parents=True)
            for i in range(count):
                scene(draw, shape).save(out / f"{i:03}.png")
    shutil.copy(folder / "trainA" / "007.png", folder / "testA" / "060.png")
    shutil.copy(folder / "trainB" / "011.png", folder / "trainB" / "400.png")
    Image.new("RGB", (SIDE, SIDE), (90, 90, 90)).save(folder / "trainB" / "401.png")
    whole = (folder / "trainA" / "000.png").read_bytes()
    (folder / "trainA" / "400.png").write_bytes(whole[:len(whole) // 2])


class Maker:
    def __init__(self, program, work, out):
        self.program, self.work, self.out = program, work, out

    def torsor(self, *arguments):
        command = [str(self.program), *map(str, arguments)]
        done = subprocess.run(command, cwd=self.work, stdout=subprocess.DEVNULL)
        if done.returncode != 0:
            sys.exit(f"{' '.join(command)} ended with {done.returncode}")

    def picture(self, address, name, height, width=DESKTOP, wait=0):
        """The top of a page."""
        waits = [f"--virtual-time-budget={wait}"] if wait else []
        subprocess.run([CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
                        f"--window-size={width},{height}", *waits, f"--screenshot={self.out / name}.png", address],
                       check=True, stderr=subprocess.DEVNULL)

    def tensorboard(self, runs):
        """`runs`: folder, relative to that of the work, since the page shows its name."""
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        server = subprocess.Popen([sys.executable, "-m", "tensorboard.main", "--logdir", runs, "--port", str(port)],
                                  cwd=self.work, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        address = f"http://127.0.0.1:{port}/"
        try:
            for _ in range(120):
                try:
                    urllib.request.urlopen(address).close()
                    break
                except (urllib.error.URLError, ConnectionError):
                    time.sleep(0.5)
            time.sleep(10)  # until it has read the runs
            self.picture(address + "#scalars", "tensorboard", 1000, wait=20000)
        finally:
            server.terminate()
            server.wait()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--program", default=ROOT / "build" / "torsor", type=pathlib.Path)
    parser.add_argument("--work", default=ROOT / "build" / "page-pictures", type=pathlib.Path)
    parser.add_argument("--out", default=ROOT / "docs" / "images", type=pathlib.Path)
    parser.add_argument("--threads", default=2, type=int)
    options = parser.parse_args()
    if CHROMIUM is None:
        sys.exit("page-pictures: Chromium is missing (Debian: apt-get install chromium)")
    shutil.rmtree(options.work, ignore_errors=True)
    options.work.mkdir(parents=True)
    make = Maker(options.program.resolve(), options.work.resolve(), options.out.resolve())
    work = make.work
    draw_folders(work / "shapes")
    make.torsor("doctor", "shapes", "--presets", "laptop", "--out", "doctor")
    for name in ("trainA/400.png", "trainB/401.png"):  # what it found
        (work / "shapes" / name).unlink()
    common = ["--data", "shapes", "--threads", options.threads, *TRAINING]
    make.torsor("train", *common, "--name-a", "circles", "--name-b", "squares", "--lambda-identity", 2, "--out", "runs/identity")
    make.torsor("train", *common, "--name-a", "circles", "--name-b", "squares", "--lambda-identity", 0, "--out", "runs/no-identity")
    make.torsor("plot", "runs/identity", "runs/no-identity", "--out", "plot.svg")
    make.torsor("evaluate", "runs/identity", "--a", "shapes/testA", "--b", "shapes/testB", "--features", "random-vgg", "--out",
                "evaluation")
    shutil.copy(work / "plot.svg", make.out / "plot.svg")
    make.picture((work / "runs/identity/report.html").as_uri(), "report", 1500)
    make.picture((work / "runs/identity/report.html").as_uri(), "report-phone", 1200, PHONE)
    make.picture((work / "doctor/index.html").as_uri(), "doctor", 1500)
    make.picture((work / "evaluation/index.html").as_uri(), "evaluation", 1500)
    make.tensorboard("runs")


if __name__ == "__main__":
    main()
