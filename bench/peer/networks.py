"""The networks of the comparison in Python torch: ResNet generator and 70x70 PatchGAN discriminator, instance norm.

Child modules are numbered so that state-dict keys equal the reference's, which are torsor's too.
"""
from torch import nn


class ResidualBlock(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.conv_block = nn.Sequential(
            nn.ReflectionPad2d(1), nn.Conv2d(width, width, 3), nn.InstanceNorm2d(width), nn.ReLU(inplace=True),
            nn.ReflectionPad2d(1), nn.Conv2d(width, width, 3), nn.InstanceNorm2d(width))

    def forward(self, x):
        return x + self.conv_block(x)


class Stack(nn.Module):
    """Layers under the name `model`."""

    def __init__(self, layers):
        super().__init__()
        self.model = nn.Sequential(*layers)

    def forward(self, x):
        return self.model(x)


def generator(blocks, ngf):
    def normalised(conv, width):
        return [conv, nn.InstanceNorm2d(width), nn.ReLU(inplace=True)]

    layers = [nn.ReflectionPad2d(3), *normalised(nn.Conv2d(3, ngf, 7), ngf)]
    for width in (ngf, 2 * ngf):
        layers += normalised(nn.Conv2d(width, 2 * width, 3, stride=2, padding=1), 2 * width)
    layers += [ResidualBlock(4 * ngf) for _ in range(blocks)]
    for width in (4 * ngf, 2 * ngf):
        up = nn.ConvTranspose2d(width, width // 2, 3, stride=2, padding=1, output_padding=1)
        layers += normalised(up, width // 2)
    return Stack([*layers, nn.ReflectionPad2d(3), nn.Conv2d(ngf, 3, 7), nn.Tanh()])


def discriminator(ndf):
    def slope():
        return nn.LeakyReLU(0.2, inplace=True)

    layers = [nn.Conv2d(3, ndf, 4, stride=2, padding=1), slope()]
    for width, stride in ((ndf, 2), (2 * ndf, 2), (4 * ndf, 1)):
        layers += [nn.Conv2d(width, 2 * width, 4, stride=stride, padding=1), nn.InstanceNorm2d(2 * width), slope()]
    return Stack([*layers, nn.Conv2d(8 * ndf, 1, 4, padding=1)])
