"""A peer of bench/run.py: the reference's iteration and translation in plain Python torch, written anew, eager or
compiled; or the exported generator in another runtime.

Reads the first weights and the images from the file that torsor_bench wrote, and the ONNX model next to it, then repeats
its task once for every line on the standard input and answers with one line of JSON.
"""
import argparse
import contextlib
import importlib.metadata
import itertools
import json
import pathlib
import random
import sys
import time

import torch
from safetensors.torch import load_file

from networks import discriminator, generator

LAMBDA_CYCLE = 10.0
LAMBDA_IDENTITY = 0.5
POOL_SIZE = 50


class ImagePool:
    """Earlier generated images, half of the time given out instead of the new one."""

    def __init__(self):
        self.stored = []

    def query(self, images):
        out = []
        for image in images.detach():
            image = image.unsqueeze(0)
            if len(self.stored) < POOL_SIZE:
                self.stored.append(image)
            elif random.random() > 0.5:
                slot = random.randrange(POOL_SIZE)
                image, self.stored[slot] = self.stored[slot].clone(), image
            out.append(image)
        return torch.cat(out)


class CycleGan:
    """Both generators in one joint backward pass, then both discriminators; named as in torsor."""

    def __init__(self, options, start):
        self.options = options
        self.nets = {name: generator(options.blocks, options.ngf) for name in ("g_a_to_b", "g_b_to_a")}
        self.nets |= {name: discriminator(options.ngf) for name in ("d_a", "d_b")}
        for name, net in self.nets.items():
            load(net, name, start)
            if options.by == "compile":
                net.compile()
        self.opt_g = self.adam("g_a_to_b", "g_b_to_a")
        self.opt_d = self.adam("d_a", "d_b")
        self.pool_a, self.pool_b = ImagePool(), ImagePool()
        self.mse, self.l1 = torch.nn.MSELoss(), torch.nn.L1Loss()

    def adam(self, *names):
        parameters = itertools.chain(*(self.nets[name].parameters() for name in names))
        return torch.optim.Adam(parameters, lr=2e-4, betas=(0.5, 0.999))

    def require_gradients(self, on):
        for name in ("d_a", "d_b"):
            self.nets[name].requires_grad_(on)

    def lsgan(self, scores, label):
        return self.mse(scores, torch.full_like(scores, label))

    def step(self, real_a, real_b):
        with autocast(self.options):
            return self.step_in_precision(real_a, real_b)

    def step_in_precision(self, real_a, real_b):
        g_a_to_b, g_b_to_a, d_a, d_b = self.nets.values()
        self.fake_b = g_a_to_b(real_a)
        self.rec_a = g_b_to_a(self.fake_b)
        self.fake_a = g_b_to_a(real_b)
        self.rec_b = g_a_to_b(self.fake_a)
        self.require_gradients(False)
        self.opt_g.zero_grad()
        losses = {}
        self.idt_a = g_a_to_b(real_b)
        losses["idt_a"] = self.l1(self.idt_a, real_b) * LAMBDA_CYCLE * LAMBDA_IDENTITY
        self.idt_b = g_b_to_a(real_a)
        losses["idt_b"] = self.l1(self.idt_b, real_a) * LAMBDA_CYCLE * LAMBDA_IDENTITY
        losses["g_a_to_b"] = self.lsgan(d_b(self.fake_b), 1.0)
        losses["g_b_to_a"] = self.lsgan(d_a(self.fake_a), 1.0)
        losses["cycle_a"] = self.l1(self.rec_a, real_a) * LAMBDA_CYCLE
        losses["cycle_b"] = self.l1(self.rec_b, real_b) * LAMBDA_CYCLE
        sum(losses.values()).backward()
        self.opt_g.step()
        self.require_gradients(True)
        self.opt_d.zero_grad()
        losses["d_b"] = self.discriminator_loss(d_b, real_b, self.pool_b.query(self.fake_b))
        losses["d_a"] = self.discriminator_loss(d_a, real_a, self.pool_a.query(self.fake_a))
        self.opt_d.step()
        return {name: loss.item() for name, loss in losses.items()}

    def discriminator_loss(self, net, real, fake):
        loss = (self.lsgan(net(real), 1.0) + self.lsgan(net(fake.detach()), 0.0)) * 0.5
        loss.backward()
        return loss


def load(net, name, start):
    prefix = name + "/"
    net.load_state_dict({key[len(prefix):]: value for key, value in start.items() if key.startswith(prefix)})


def autocast(options):
    return torch.autocast("cpu", torch.bfloat16) if options.precision == "bf16" else contextlib.nullcontext()


def train_task(options, start):
    model = CycleGan(options, start)
    batches = [start["images/" + name].split(options.batch) for name in ("real_a", "real_b")]
    pairs = itertools.cycle(list(zip(*batches)))
    return lambda: model.step(*next(pairs))


def torch_translator(options, start):
    net = generator(options.blocks, options.ngf)
    load(net, "g_a_to_b", start)
    net.eval()
    if options.by == "compile":
        net.compile()

    def translate(image):
        with torch.no_grad(), autocast(options):
            return net(image).float()

    return translate


def onnx_model(options):
    return str(pathlib.Path(options.start).with_suffix(".onnx"))


def onnxruntime_translator(options, _):
    import onnxruntime
    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = options.threads
    session = onnxruntime.InferenceSession(onnx_model(options), settings, providers=["CPUExecutionProvider"])
    return lambda image: torch.from_numpy(session.run(None, {"input": image.numpy()})[0])


def openvino_translator(options, _):
    import openvino
    core = openvino.Core()
    model = core.read_model(onnx_model(options))
    model.reshape([options.batch, 3, options.size, options.size])  # it is fastest with a shape that it knows
    precision = "bf16" if options.precision == "bf16" else "f32"
    compiled = core.compile_model(model, "CPU", {
        "INFERENCE_NUM_THREADS": options.threads, "INFERENCE_PRECISION_HINT": precision, "PERFORMANCE_HINT": "LATENCY"})
    return lambda image: torch.from_numpy(compiled([image.numpy()])[0])


TRANSLATORS = {"eager": torch_translator, "compile": torch_translator, "onnxruntime": onnxruntime_translator,
               "openvino": openvino_translator}


def translate_task(options, start):
    translate = TRANSLATORS[options.by](options, start)
    images = itertools.cycle(start["images/real_a"].split(options.batch))
    return lambda: {"mean_abs": translate(next(images)).abs().mean().item()}


def version(by):
    package = by if by in ("onnxruntime", "openvino") else "torch"
    return f"{package} {importlib.metadata.version(package)}"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("task", choices=("train", "translate"))
    parser.add_argument("--by", choices=TRANSLATORS, default="eager")
    parser.add_argument("--precision", choices=("fp32", "bf16"), default="fp32")
    for name in ("size", "blocks", "ngf", "batch", "threads"):
        parser.add_argument("--" + name, type=int, required=True)
    parser.add_argument("--start", required=True)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    random.seed(1)
    tasks = {"train": train_task, "translate": translate_task}
    task = tasks[options.task](options, load_file(options.start))
    print(json.dumps({"version": version(options.by)}), flush=True)
    for _ in sys.stdin:
        start = time.perf_counter()
        values = task()
        print(json.dumps({"seconds": time.perf_counter() - start, "values": values}), flush=True)


if __name__ == "__main__":
    main()
