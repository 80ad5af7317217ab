"""ICC profiles made for tests (ICC.1:2001-04, matrix and tone curves)."""
import struct

SRGB = ((0.4361, 0.2225, 0.0139), (0.3851, 0.7169, 0.0971), (0.1431, 0.0606, 0.7141))
ADOBE = ((0.60974, 0.31111, 0.01947), (0.20528, 0.62567, 0.06087), (0.14919, 0.06322, 0.74457))
DISPLAY_P3 = ((0.51512, 0.24120, -0.00105), (0.29198, 0.69225, 0.04189), (0.15710, 0.06657, 0.78407))


def fixed(value):
    return struct.pack(">i", round(value * 65536))


def curve(gamma):
    return b"curv" + bytes(4) + struct.pack(">IH", 1, round(gamma * 256)) + bytes(2)


def profile(name, colorants, gamma, space=b"RGB "):
    """The bytes of a display profile; colorants are XYZ under D50, None for grey."""
    text = name.encode() + b"\0"
    described = b"desc" + bytes(4) + struct.pack(">I", len(text)) + text + bytes(78)
    tags = {b"desc": described + bytes(-len(described) % 4),
            b"cprt": b"text" + bytes(4) + b"none\0\0\0\0",
            b"wtpt": b"XYZ " + bytes(4) + fixed(0.9642) + fixed(1) + fixed(0.8249)}
    if colorants is None:
        tags[b"kTRC"] = curve(gamma)
    else:
        for letter, xyz in zip(b"rgb", colorants):
            tags[bytes([letter]) + b"XYZ"] = b"XYZ " + bytes(4) + b"".join(map(fixed, xyz))
            tags[bytes([letter]) + b"TRC"] = curve(gamma)
    table, data, start = b"", b"", 128 + 4 + 12 * len(tags)
    for tag, content in tags.items():
        table += tag + struct.pack(">II", start + len(data), len(content))
        data += content
    header = struct.pack(">I4sI4s4s4s", start + len(data), bytes(4), 0x02100000, b"mntr", space, b"XYZ ")
    header += struct.pack(">6H", 2000, 1, 1, 0, 0, 0) + b"acsp"
    header = header.ljust(68, b"\0") + fixed(0.9642) + fixed(1) + fixed(0.8249)
    return header.ljust(128, b"\0") + struct.pack(">I", len(tags)) + table + data


def adobe_rgb():
    return profile("Adobe-like", ADOBE, 2.19921875)


def display_p3():
    return profile("P3-like", DISPLAY_P3, 2.2)


def grey(gamma=1.8):
    return profile("grey", None, gamma, b"GRAY")
