"""The networks once more in Python torch, with the reference's state-dict keys: what torsor's files are compared with."""
import torch
from torch import nn


def norm_layer(norm, width):
    return {"instance": lambda: nn.InstanceNorm2d(width), "batch": lambda: nn.BatchNorm2d(width), "none": nn.Identity,
            "instance_affine": lambda: nn.InstanceNorm2d(width, affine=True),
            "instance_affine_running": lambda: nn.InstanceNorm2d(width, affine=True, track_running_stats=True)}[norm]()


def biased(norm):
    """The reference's use_bias."""
    return norm.startswith("instance")


class BlurDown(nn.Module):
    """CUT's Downsample: [1,2,1]/4 along each side, mirrored, every second pixel."""

    def __init__(self, width):
        super().__init__()
        line = torch.tensor([1.0, 2.0, 1.0]) / 4
        self.register_buffer("filt", torch.outer(line, line).expand(width, 1, 3, 3).clone())

    def forward(self, x):
        padded = nn.functional.pad(x, (1, 1, 1, 1), mode="reflect")
        return nn.functional.conv2d(padded, self.filt, stride=2, groups=x.shape[1])


class BlurUp(nn.Module):
    """CUT's Upsample, written as what it amounts to: pixels 2i, 2i+1 lie a quarter from x[i], edges repeated."""

    def __init__(self, width):
        super().__init__()
        line = torch.tensor([1.0, 3.0, 3.0, 1.0]) / 4
        self.register_buffer("filt", torch.outer(line, line).expand(width, 1, 4, 4).clone())

    def forward(self, x):
        for dim in (2, 3):
            n = x.shape[dim]
            before = x.index_select(dim, (torch.arange(n) - 1).clamp(min=0))
            after = x.index_select(dim, (torch.arange(n) + 1).clamp(max=n - 1))
            x = torch.stack([(before + 3 * x) / 4, (3 * x + after) / 4], dim + 1).flatten(dim, dim + 1)
        return x


class Net(nn.Module):
    """Calls the one child that the keys begin with."""

    def __init__(self, layers, name="model"):
        super().__init__()
        self.name = name
        setattr(self, name, nn.Sequential(*layers))

    def forward(self, x):
        return getattr(self, self.name)(x)


class Block(nn.Module):
    def __init__(self, width, norm, dropout, bias, padding="reflect", name="conv_block"):
        super().__init__()
        pad = [nn.ReflectionPad2d(1)] if padding == "reflect" else []
        half = lambda: [*pad, nn.Conv2d(width, width, 3, padding=0 if pad else 1, bias=bias), norm_layer(norm, width)]
        self.name = name
        setattr(self, name, nn.Sequential(*half(), nn.ReLU(), *([nn.Dropout(0.5)] if dropout else []), *half()))

    def forward(self, x):
        return x + getattr(self, self.name)(x)


def resnet(blocks, inputs, outputs, ngf, norm, dropout=False, *, bias=None, halvings=2, down="strided", up="transposed",
           padding="reflect", block="conv_block"):
    bias = biased(norm) if bias is None else bias
    after = lambda width: [norm_layer(norm, width), nn.ReLU()]
    layers = [nn.ReflectionPad2d(3), nn.Conv2d(inputs, ngf, 7, bias=bias), *after(ngf)]
    widths = [ngf * 2**i for i in range(halvings)]
    for w in widths:
        if down == "blur":
            layers += [nn.Conv2d(w, 2 * w, 3, 1, 1, bias=bias), *after(2 * w), BlurDown(2 * w)]
        else:
            layers += [nn.Conv2d(w, 2 * w, 3, 2, 1, bias=bias), *after(2 * w)]
    layers += [Block(ngf * 2**halvings, norm, dropout, bias, padding, block) for _ in range(blocks)]
    for w in reversed(widths):
        if up == "transposed":
            layers += [nn.ConvTranspose2d(2 * w, w, 3, 2, 1, output_padding=1, bias=bias), *after(w)]
        else:
            layers += [BlurUp(2 * w) if up == "blur" else nn.Upsample(scale_factor=2),
                       nn.Conv2d(2 * w, w, 3, 1, 1, bias=bias), *after(w)]
    return Net([*layers, nn.ReflectionPad2d(3), nn.Conv2d(ngf, outputs, 7), nn.Tanh()])


class Skip(Net):
    def forward(self, x):
        return torch.cat([x, self.model(x)], 1)


def unet(depth, inputs, outputs, ngf, norm, dropout, bias=None):
    bias = biased(norm) if bias is None else bias
    width = lambda k: ngf * min(2**k, 8)
    nested = None
    for k in range(depth - 1, 0, -1):  # from the innermost outwards
        outer, inner = width(k - 1), width(k)
        down = [nn.LeakyReLU(0.2), nn.Conv2d(outer, inner, 4, 2, 1, bias=bias)]
        up = [nn.ReLU(), nn.ConvTranspose2d(inner * (1 if nested is None else 2), outer, 4, 2, 1, bias=bias),
              norm_layer(norm, outer)]
        if nested is None:
            layers = down + up
        else:
            drop = [nn.Dropout(0.5)] if dropout and outer == inner == 8 * ngf else []
            layers = [*down, norm_layer(norm, inner), nested, *up, *drop]
        nested = Skip(layers)
    outermost = Net([nn.Conv2d(inputs, ngf, 4, 2, 1, bias=bias), nested, nn.ReLU(),
                     nn.ConvTranspose2d(2 * ngf, outputs, 4, 2, 1), nn.Tanh()])
    holder = Net([])
    holder.model = outermost
    return holder


def generator(net, norm, dropout=False, inputs=3, outputs=3, ngf=4, **layout):
    if net.startswith("unet"):
        return unet({"unet_128": 7, "unet_256": 8}[net], inputs, outputs, ngf, norm, dropout, **layout)
    blocks = int(net.removeprefix("resnet_").removesuffix("blocks"))
    return resnet(blocks, inputs, outputs, ngf, norm, dropout, **layout)


def discriminator(net, norm, inputs=3, ndf=4, layers=3):
    bias = biased(norm)
    if net == "pixel":
        return Net([nn.Conv2d(inputs, ndf, 1), nn.LeakyReLU(0.2), nn.Conv2d(ndf, 2 * ndf, 1, bias=bias),
                    norm_layer(norm, 2 * ndf), nn.LeakyReLU(0.2), nn.Conv2d(2 * ndf, 1, 1, bias=bias)], "net")
    width = lambda k: ndf * min(2**k, 8)
    body = [nn.Conv2d(inputs, ndf, 4, 2, 1), nn.LeakyReLU(0.2)]
    for k in range(1, layers + 1):
        body += [nn.Conv2d(width(k - 1), width(k), 4, 2 if k < layers else 1, 1, bias=bias), norm_layer(norm, width(k)),
                 nn.LeakyReLU(0.2)]
    return Net([*body, nn.Conv2d(width(layers), 1, 4, 1, 1)])


def shaken(net, seed=0):
    """Random weights and running statistics, so that nothing that is dropped goes unseen; evaluation mode."""
    draw = torch.Generator().manual_seed(seed)
    # Without norms the residual sums would grow until rounding shows; with them the signal must not fade.
    gain = 2 if any(isinstance(m, (nn.BatchNorm2d, nn.InstanceNorm2d)) for m in net.modules()) else 1
    for name, value in net.state_dict().items():
        if name.endswith("running_var"):
            value.uniform_(0.3, 3, generator=draw)
        elif name.endswith("num_batches_tracked"):
            value.fill_(17)
        elif name.endswith("filt"):
            pass
        elif value.dim() == 4:
            value.normal_(0, (gain / value[0].numel())**0.5, generator=draw)
        else:
            value.normal_(0.2, 0.3, generator=draw)
    return net.eval()
