"""Writes the picture files that tests/image reads, into the folder `image` beside this script.

Every fixture NAME.EXT comes with NAME.EXT.raw: a line "width height channels type" (type: u8, u16, f32) and the
samples that a right decoder gives, little-endian, channels interleaved. They come from the arrays that were encoded,
or, where a file is lossy, from Pillow. What Pillow cannot write is written by the small encoders below.
Run: python3 tests/data/make_image_fixtures.py   (needs numpy and Pillow)
"""

import io
import json
import pathlib
import struct
import zlib

import numpy as np
from PIL import Image, ImageOps

OUT = pathlib.Path(__file__).resolve().parent / "image"
WIDTH, HEIGHT = 19, 13


def picture(width=WIDTH, height=HEIGHT, channels=3, dtype=np.uint8):
    """Smooth, and unlike all of its turned and mirrored versions."""
    full = 1.0 if dtype in (np.float32, np.float16) else float(np.iinfo(dtype).max)
    y, x = np.mgrid[0:height, 0:width].astype(np.float64)
    u, v = x / (width - 1), y / (height - 1)
    planes = [u, v * v, (1 - u) * v, 0.2 + 0.8 * (1 - v), u * u, 0.5 * u + 0.5 * v]
    stack = np.stack([planes[c % len(planes)] for c in range(channels)], axis=-1)
    stack[: height // 3, : width // 4] = np.linspace(0.9, 0.3, channels)
    return (stack * full).round().astype(dtype) if full > 1 else stack.astype(dtype)


def write_raw(name, array):
    array = np.asarray(array)
    if array.ndim == 2:
        array = array[..., None]
    kind = {"uint8": "u8", "uint16": "u16", "float32": "f32"}[array.dtype.name]
    height, width, channels = array.shape
    data = array.astype(array.dtype.newbyteorder("<")).tobytes()
    (OUT / (name + ".raw")).write_bytes(f"{width} {height} {channels} {kind}\n".encode() + data)


def write(name, data, expected):
    (OUT / name).write_bytes(data)
    if expected is not None:
        write_raw(name, expected)


def save(name, image, expected, **options):
    buffer = io.BytesIO()
    image.save(buffer, **options)
    write(name, buffer.getvalue(), expected)


def as_pillow_reads(name, mode):
    write_raw(name, np.asarray(ImageOps.exif_transpose(Image.open(OUT / name)).convert(mode)))


# PNG ------------------------------------------------------------------------------------------------------------


def png_chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png_scanlines(samples, bits):
    if samples.size == 0:
        return b""
    rows = samples.reshape(samples.shape[0], -1)
    if bits == 16:
        return b"".join(b"\0" + row.astype(">u2").tobytes() for row in rows)
    if bits == 8:
        return b"".join(b"\0" + row.astype(np.uint8).tobytes() for row in rows)
    lines = []
    for row in rows:
        row = np.unpackbits(row.astype(np.uint8)[:, None], axis=1)[:, 8 - bits :].ravel()
        lines.append(b"\0" + np.packbits(row).tobytes())
    return b"".join(lines)


ADAM7 = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]


def png_bytes(samples, bits, colour, interlaced=False, before=b"", after=b""):
    height, width = samples.shape[:2]
    head = struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, int(interlaced))
    if interlaced:
        data = b"".join(png_scanlines(samples[y::dy, x::dx], bits) for x, y, dx, dy in ADAM7)
    else:
        data = png_scanlines(samples, bits)
    return (b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", head) + before + png_chunk(b"IDAT", zlib.compress(data, 9))
            + after + png_chunk(b"IEND", b""))


def exif_block(orientation, order="<"):
    mark = b"II" if order == "<" else b"MM"
    entry = struct.pack(order + "HHIHH", 0x0112, 3, 1, orientation, 0)
    return mark + struct.pack(order + "HIH", 42, 8, 1) + entry + struct.pack(order + "I", 0)


def png_fixtures():
    for bits in (1, 2, 4):
        grey = picture(channels=1)[..., 0] >> (8 - bits)
        write(f"grey{bits}.png", png_bytes(grey, bits, 0), (grey.astype(int) * 255 // (2**bits - 1)).astype(np.uint8))
        palette = np.array([[200 - 9 * i, 7 + 13 * i, (i * 77) % 256] for i in range(2**bits)], np.uint8)
        plte = png_chunk(b"PLTE", palette.tobytes())
        write(f"palette{bits}.png", png_bytes(grey, bits, 3, interlaced=bits == 4, before=plte), palette[grey])
    for name, channels, colour in (("grey", 1, 0), ("la", 2, 4), ("rgb", 3, 2), ("rgba", 4, 6)):
        for bits, dtype in ((8, np.uint8), (16, np.uint16)):
            array = picture(channels=channels, dtype=dtype)
            write(f"{name}{bits}.png", png_bytes(array, bits, colour), array)
    array = picture(dtype=np.uint16)
    write("rgb16_interlaced.png", png_bytes(array, 16, 2, interlaced=True), array)

    index = picture(channels=1)[..., 0] // 2
    palette = np.array([[i, 255 - i, (i * 5) % 256] for i in range(128)], np.uint8)
    alpha = np.array([255 - 2 * i if i < 50 else 255 for i in range(128)], np.uint8)
    before = png_chunk(b"PLTE", palette.tobytes()) + png_chunk(b"tRNS", alpha[:50].tobytes())
    write("palette8_alpha.png", png_bytes(index, 8, 3, before=before),
          np.concatenate([palette[index], alpha[index][..., None]], axis=-1))
    rgb = picture()
    key = rgb[-1, -1].astype(np.uint16)
    clear = np.where((rgb == key).all(axis=-1, keepdims=True), 0, 255).astype(np.uint8)
    write("rgb8_key.png", png_bytes(rgb, 8, 2, before=png_chunk(b"tRNS", key.astype(">u2").tobytes())),
          np.concatenate([rgb, clear], axis=-1))

    upright = picture()
    stored = np.rot90(upright, 1)  # orientation 6: the viewer turns it clockwise
    chunk = png_chunk(b"eXIf", exif_block(6))
    write("exif6_front.png", png_bytes(stored, 8, 2, before=chunk), upright)
    write("exif6_back.png", png_bytes(stored, 8, 2, after=chunk), upright)


# TIFF -----------------------------------------------------------------------------------------------------------

PHOTOMETRIC, SHORT, LONG = 262, 3, 4


def tiff_page(array, order, at, photometric, extra=(), planar=False, tile=None, tags=(), bits=None, packed=None):
    """The bytes of one page that begins at offset `at`, and the offset within where the next page's goes."""
    height, width, channels = array.shape
    kind = 3 if array.dtype.kind == "f" else 2 if array.dtype.kind == "i" else 1
    data = array.astype(array.dtype.newbyteorder(order))
    planes = [data[..., c : c + 1] for c in range(channels)] if planar else [data]
    blocks = []
    for plane in planes:
        if tile is None:
            rows = 5
            blocks += [plane[y : y + rows].tobytes() for y in range(0, height, rows)]
            continue
        for y in range(0, height, tile):
            for x in range(0, width, tile):
                part = plane[y : y + tile, x : x + tile]
                pad = ((0, tile - part.shape[0]), (0, tile - part.shape[1]), (0, 0))
                blocks.append(np.pad(part, pad).tobytes())
    if packed is not None:
        blocks = [packed]
    offsets = [at + sum(map(len, blocks[:i])) for i in range(len(blocks))]
    entries = [(256, LONG, [width]), (257, LONG, [height]),
               (258, SHORT, [bits or array.dtype.itemsize * 8] * channels), (259, SHORT, [1]),
               (PHOTOMETRIC, SHORT, [photometric]), (277, SHORT, [channels]), (284, SHORT, [2 if planar else 1]),
               (339, SHORT, [kind] * channels), *tags]
    if extra:
        entries.append((338, SHORT, list(extra)))
    if tile is None:
        entries += [(273, LONG, offsets), (278, LONG, [height if packed else 5]), (279, LONG, [len(b) for b in blocks])]
    else:
        entries += [(322, LONG, [tile]), (323, LONG, [tile]), (324, LONG, offsets), (325, LONG, [len(b) for b in blocks])]
    body = b"".join(blocks)
    body += b"\0" * (len(body) % 2)
    directory = struct.pack(order + "H", len(entries))
    values = b""
    values_at = at + len(body) + 2 + 12 * len(entries) + 4
    for tag, field, numbers in sorted(entries):
        payload = struct.pack(order + ("H" if field == SHORT else "I") * len(numbers), *numbers)
        directory += struct.pack(order + "HHI", tag, field, len(numbers))
        if len(payload) <= 4:
            directory += payload.ljust(4, b"\0")
        else:
            directory += struct.pack(order + "I", values_at + len(values))
            values += payload
    return body, directory, values


def tiff_bytes(pages, order="<"):
    out = (b"II" if order == "<" else b"MM") + struct.pack(order + "H", 42)
    link = len(out)
    out += b"\0\0\0\0"
    for page in pages:
        body, directory, values = tiff_page(order=order, at=len(out), **page)
        out = out[:link] + struct.pack(order + "I", len(out) + len(body)) + out[link + 4 :]
        out += body + directory
        link = len(out)
        out += b"\0\0\0\0" + values
    return out


def tiff_fixtures():
    def craft(name, array, photometric, expected, order="<", **options):
        write(name, tiff_bytes([dict(array=array, photometric=photometric, **options)], order), expected)

    rgb, grey = picture(), picture(channels=1)
    save("rgb8_lzw.tif", Image.fromarray(rgb), rgb, format="TIFF", compression="tiff_lzw")
    save("rgba8_deflate.tif", Image.fromarray(picture(channels=4)), picture(channels=4), format="TIFF",
         compression="tiff_adobe_deflate")
    grey16 = picture(channels=1, dtype=np.uint16)
    save("grey16.tif", Image.fromarray(grey16[..., 0]), grey16, format="TIFF")
    floats = picture(channels=1, dtype=np.float32) * np.float32(7.5) - np.float32(2)
    save("f32.tif", Image.fromarray(floats[..., 0]), floats, format="TIFF")
    bilevel = np.where(grey[..., 0] > 100, 255, 0).astype(np.uint8)
    save("bilevel_g4.tif", Image.fromarray(bilevel).convert("1", dither=Image.Dither.NONE), bilevel, format="TIFF",
         compression="group4")
    palette = Image.fromarray(grey[..., 0] // 4, "P")
    palette.putpalette([(3 * i + c * 40) % 256 for i in range(256) for c in range(3)])
    save("palette8.tif", palette, np.asarray(palette.convert("RGB")), format="TIFF")
    ink = np.stack([rgb[..., 0], rgb[..., 1], rgb[..., 2], grey[..., 0] // 3], axis=-1)
    cmyk = Image.fromarray(ink, "CMYK")
    save("cmyk8.tif", cmyk, np.asarray(cmyk.convert("RGB")), format="TIFF")
    save("jpeg_inside.tif", Image.fromarray(picture(48, 32)), None, format="TIFF", compression="jpeg", quality=95)
    as_pillow_reads("jpeg_inside.tif", "RGB")
    save("two_pages.tif", Image.fromarray(rgb), rgb, format="TIFF", save_all=True,
         append_images=[Image.fromarray(255 - rgb)])

    craft("channels5.tif", picture(channels=5), 1, picture(channels=5), extra=[0] * 4)
    craft("la8.tif", picture(channels=2), 1, picture(channels=2), extra=[2])
    craft("rgb16_planar.tif", picture(dtype=np.uint16), 2, picture(dtype=np.uint16), planar=True)
    craft("rgb_f32_tiled.tif", picture(dtype=np.float32), 2, picture(dtype=np.float32), tile=16)
    craft("rgb8_tiled_planar.tif", rgb, 2, rgb, tile=16, planar=True)
    half = picture(dtype=np.float16)
    half[0, 0], half[0, 1], half[0, 2] = 6e-8, -3.5, 65504  # subnormal, negative, the largest
    craft("rgb_f16.tif", half, 2, half.astype(np.float32))
    craft("rgb_f16_planar.tif", half, 2, half.astype(np.float32), planar=True)
    craft("rgb16_motorola.tif", picture(dtype=np.uint16), 2, picture(dtype=np.uint16), order=">")
    craft("white_is_zero8.tif", 255 - grey, 0, grey)
    craft("white_is_zero16.tif", 65535 - grey16, 0, grey16)
    nibbles = grey[..., 0] >> 4
    even = np.pad(nibbles, ((0, 0), (0, 1)))
    craft("grey4.tif", grey, 1, (nibbles * 17).astype(np.uint8), bits=4,
          packed=(even[:, 0::2] << 4 | even[:, 1::2]).tobytes())
    craft("orientation5.tif", rgb.transpose(1, 0, 2), 2, rgb, tags=[(274, SHORT, [5])])
    save("orientation8_lzw_palette.tif", palette.transpose(Image.Transpose.ROTATE_270),
         np.asarray(palette.convert("RGB")), format="TIFF", tiffinfo={274: 8}, compression="tiff_lzw")
    rgba = picture(channels=4)
    rgba[..., 3] |= 1
    scaled = rgba.astype(int)
    scaled[..., :3] = (scaled[..., :3] * scaled[..., 3:] + 127) // 255
    back = scaled.copy()
    back[..., :3] = np.minimum(255, (scaled[..., :3] * 255 + scaled[..., 3:] // 2) // scaled[..., 3:])
    craft("premultiplied.tif", scaled.astype(np.uint8), 2, back.astype(np.uint8), extra=[1])
    thumbnail = dict(array=picture(5, 4), photometric=2, tags=[(254, LONG, [1])])
    write("thumbnail_first.tif", tiff_bytes([thumbnail, dict(array=rgb, photometric=2)]), rgb)
    write("refused_int16.tif", tiff_bytes([dict(array=grey.astype(np.int16), photometric=1)]), None)
    write("refused_f64.tif", tiff_bytes([dict(array=grey.astype(np.float64), photometric=1)]), None)
    write("refused_u32.tif", tiff_bytes([dict(array=grey.astype(np.uint32), photometric=1)]), None)
    write("refused_thumbnail_only.tif", tiff_bytes([thumbnail]), None)


# BMP ------------------------------------------------------------------------------------------------------------


def bmp_bytes(width, height, bits, rows, palette=b"", masks=b"", compression=0, colours=0):
    data = b"".join(row.ljust((len(row) + 3) // 4 * 4, b"\0") for row in rows)
    at = 54 + len(masks) + len(palette)
    return (b"BM" + struct.pack("<IIIIiiHHIIIIII", at + len(data), 0, at, 40, width, height, 1, bits, compression,
                                len(data), 0, 0, colours, 0) + masks + palette + data)


def bmp_fixtures():
    rgb, grey = picture(), picture(channels=1)[..., 0]
    save("rgb24.bmp", Image.fromarray(rgb), rgb, format="BMP")
    indexed = Image.fromarray(grey // 4, "P")
    indexed.putpalette([(5 * i + c * 90) % 256 for i in range(256) for c in range(3)])
    save("palette8.bmp", indexed, np.asarray(indexed.convert("RGB")), format="BMP")
    one = Image.fromarray(grey).convert("1", dither=Image.Dither.NONE)
    save("bits1.bmp", one, np.asarray(one.convert("RGB")), format="BMP")
    colours = np.array([[(37 * i) % 256, 255 - i, i * 16] for i in range(10)], np.uint8)
    table = b"".join(bytes([c[2], c[1], c[0], 0]) for c in colours)
    index = (grey // 26).astype(np.uint8)
    even = np.pad(index, ((0, 0), (0, 1)))
    rows = [r.tobytes() for r in (even[:, 0::2] << 4 | even[:, 1::2])[::-1]]
    write("palette4.bmp", bmp_bytes(WIDTH, HEIGHT, 4, rows, palette=table, colours=10), colours[index])
    rows = [r.tobytes() for r in rgb[..., ::-1]]
    write("top_down.bmp", bmp_bytes(WIDTH, -HEIGHT, 24, rows), rgb)
    five = [(rgb[..., 0] >> 3).astype(int), (rgb[..., 1] >> 2).astype(int), (rgb[..., 2] >> 3).astype(int)]
    words = (five[0] << 11 | five[1] << 5 | five[2]).astype("<u2")
    wide = [(v * 255 + m // 2) // m for v, m in zip(five, (31, 63, 31))]
    write("masks565.bmp", bmp_bytes(WIDTH, HEIGHT, 16, [r.tobytes() for r in words[::-1]],
                                    masks=struct.pack("<III", 0xF800, 0x07E0, 0x001F), compression=3),
          np.stack(wide, axis=-1).astype(np.uint8))
    four = np.concatenate([rgb[..., ::-1], np.full((HEIGHT, WIDTH, 1), 77, np.uint8)], axis=-1)
    write("rgb32.bmp", bmp_bytes(WIDTH, HEIGHT, 32, [r.tobytes() for r in four[::-1]]), rgb)
    write("refused_outside_palette.bmp", bmp_bytes(WIDTH, HEIGHT, 8, [r.tobytes() for r in grey], palette=table,
                                                   colours=10), None)
    write("refused_rle.bmp", bmp_bytes(WIDTH, HEIGHT, 8, [b"\0\1"], palette=table, compression=1, colours=10), None)


# JPEG, WebP, PPM ------------------------------------------------------------------------------------------------


def jpeg_fixtures():
    image = Image.fromarray(picture(48, 33))
    save("rgb_420.jpg", image, None, format="JPEG", quality=90)
    save("rgb_progressive.jpg", image, None, format="JPEG", quality=90, progressive=True, subsampling=0)
    save("grey.jpg", image.convert("L"), None, format="JPEG", quality=90)
    save("cmyk.jpg", image.convert("CMYK"), None, format="JPEG", quality=95)
    # The last byte of Adobe's marker says how the channels are to be taken: 2 is YCCK.
    cmyk = bytearray((OUT / "cmyk.jpg").read_bytes())
    cmyk[cmyk.index(b"Adobe") + 11] = 2
    write("ycck.jpg", bytes(cmyk), None)
    for name in ("rgb_420", "rgb_progressive", "cmyk", "ycck"):
        as_pillow_reads(name + ".jpg", "RGB")
    as_pillow_reads("grey.jpg", "L")
    # How each of the eight orientations stores an upright picture.
    turn = Image.Transpose
    ways = {1: None, 2: turn.FLIP_LEFT_RIGHT, 3: turn.ROTATE_180, 4: turn.FLIP_TOP_BOTTOM, 5: turn.TRANSPOSE,
            6: turn.ROTATE_90, 7: turn.TRANSVERSE, 8: turn.ROTATE_270}
    upright = Image.fromarray(picture(24, 16))
    write_raw("upright", np.asarray(upright))
    for orientation, way in ways.items():
        stored = upright if way is None else upright.transpose(way)
        order = "<" if orientation % 2 else ">"
        save(f"exif{orientation}.jpg", stored, None, format="JPEG", quality=98, subsampling=0,
             exif=b"Exif\0\0" + exif_block(orientation, order))
        as_pillow_reads(f"exif{orientation}.jpg", "RGB")


def webp_fixtures():
    image = picture(48, 33)
    save("lossy.webp", Image.fromarray(image), None, format="WEBP", quality=80)
    as_pillow_reads("lossy.webp", "RGB")
    save("lossless.webp", Image.fromarray(picture()), picture(), format="WEBP", lossless=True)
    alpha = picture(channels=4)
    save("alpha.webp", Image.fromarray(alpha), alpha, format="WEBP", lossless=True, exact=True)
    exif = Image.Exif()
    exif[0x0112] = 8
    stored = Image.fromarray(picture()).transpose(Image.Transpose.ROTATE_270)
    save("exif8.webp", stored, picture(), format="WEBP", lossless=True, exif=exif)
    save("animated.webp", Image.fromarray(image), None, format="WEBP", save_all=True,
         append_images=[Image.fromarray(255 - image)])
    as_pillow_reads("animated.webp", "RGB")


def pnm_fixtures():
    rgb, grey = picture(), picture(channels=1)
    save("rgb.ppm", Image.fromarray(rgb), rgb, format="PPM")
    save("grey.pgm", Image.fromarray(grey[..., 0]), grey, format="PPM")
    grey16 = picture(channels=1, dtype=np.uint16)
    write("grey16.pgm", b"P5\n# a comment\n%d %d 65535\n" % (WIDTH, HEIGHT) + grey16.astype(">u2").tobytes(), grey16)
    percent = (grey[..., 0].astype(int) * 100 // 255)
    text = "P2 # plain\n%d %d\n100\n" % (WIDTH, HEIGHT) + "\n".join(" ".join(map(str, row)) for row in percent)
    write("percent.pgm", text.encode() + b"\n", ((percent * 255 + 50) // 100).astype(np.uint8))
    text = "P3\n%d %d 255\n" % (WIDTH, HEIGHT) + "\n".join(" ".join(map(str, row)) for row in rgb.reshape(-1, 3))
    write("plain.ppm", text.encode() + b"\n", rgb)


# Resizing -------------------------------------------------------------------------------------------------------


def noise(width, height, channels):
    """The same numbers as noise() in resize_test.cpp."""
    i = np.arange(width * height * channels, dtype=np.uint64)
    mixed = (i * np.uint64(2654435761) + np.uint64(12345)) & np.uint64(0xFFFFFFFF)
    mixed = ((mixed ^ (mixed >> np.uint64(15))) * np.uint64(2246822519)) & np.uint64(0xFFFFFFFF)
    return (mixed >> np.uint64(24)).astype(np.uint8).reshape(height, width, channels)


def pillow_resize(array, width, height):
    """Image.resize, in two calls because Pillow from 12.3 on does not do the horizontal pass first for every size."""
    image = Image.fromarray(array[..., 0] if array.shape[2] == 1 else array)
    image = image.resize((width, image.height), Image.Resampling.BICUBIC)
    return np.asarray(image.resize((width, height), Image.Resampling.BICUBIC)).reshape(height, width, -1)


def resize_fixtures():
    sizes = [(256, 256, 286, 286), (1024, 768, 286, 286), (600, 600, 256, 256), (100, 80, 100, 33), (100, 80, 41, 80),
             (64, 64, 128, 128), (64, 64, 32, 32), (31, 17, 97, 53), (17, 31, 5, 3), (1, 1, 7, 5), (2, 3, 1, 1),
             (500, 3, 7, 9), (3, 500, 9, 7), (33, 33, 32, 34), (640, 480, 641, 479), (1000, 700, 1, 1), (40, 1, 3, 1),
             (1, 40, 1, 3), (5, 5, 300, 2), (257, 129, 255, 131), (28, 28, 32, 32), (20, 20, 20, 20)]
    cases = []
    for width, height, to_width, to_height in sizes:
        for channels in (1, 3):
            out = pillow_resize(noise(width, height, channels), to_width, to_height)
            cases.append(dict(width=width, height=height, channels=channels, to_width=to_width, to_height=to_height,
                              crc32=zlib.crc32(out.tobytes())))
    (OUT / "resize.json").write_text("[\n" + ",\n".join(json.dumps(case) for case in cases) + "\n]\n")
    for channels, mode in ((1, "grey"), (3, "rgb")):
        source = picture(41, 29, channels)
        save(f"resize_{mode}.png", Image.fromarray(source[..., 0] if channels == 1 else source), None, format="PNG",
             optimize=True)
        for width, height in ((60, 47), (17, 11), (41, 50), (23, 29)):
            out = pillow_resize(source, width, height)
            save(f"resize_{mode}_{width}x{height}.png", Image.fromarray(out[..., 0] if channels == 1 else out), None,
                 format="PNG", optimize=True)


if __name__ == "__main__":
    OUT.mkdir(exist_ok=True)
    for old in OUT.iterdir():
        old.unlink()
    for make in (png_fixtures, tiff_fixtures, bmp_fixtures, jpeg_fixtures, webp_fixtures, pnm_fixtures, resize_fixtures):
        make()
    print(f"{sum(f.stat().st_size for f in OUT.iterdir())} bytes in {len(list(OUT.iterdir()))} files")
