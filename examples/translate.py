"""Translates an image through libtorsor.so: python translate.py LIBTORSOR MODEL IN OUT (needs Pillow)."""
import ctypes
import sys

from PIL import Image


class Picture(ctypes.Structure):  # torsor_image
    _fields_ = [("data", ctypes.c_void_p), ("type", ctypes.c_int32), ("channels", ctypes.c_int32),
                ("width", ctypes.c_int64), ("height", ctypes.c_int64), ("x_stride", ctypes.c_ssize_t),
                ("y_stride", ctypes.c_ssize_t), ("channel_stride", ctypes.c_ssize_t)]


_, library, path, source, target = sys.argv if len(sys.argv) == 5 else sys.exit(__doc__)
torsor = ctypes.CDLL(library)
torsor.torsor_load.restype = ctypes.c_void_p
torsor.torsor_last_error.restype = ctypes.c_char_p
torsor.torsor_translate.argtypes = [ctypes.c_void_p, ctypes.POINTER(Picture), ctypes.POINTER(Picture)]
torsor.torsor_free.argtypes = torsor.torsor_out_channels.argtypes = [ctypes.c_void_p]

image = Image.open(source).convert("RGB")
pixels = ctypes.create_string_buffer(image.tobytes(), image.width * image.height * 3)
model = torsor.torsor_load(path.encode(), None) or sys.exit(torsor.torsor_last_error().decode())
channels = torsor.torsor_out_channels(model)
result = ctypes.create_string_buffer(image.width * image.height * channels)
real = Picture(ctypes.addressof(pixels), 0, 3, image.width, image.height)
fake = Picture(ctypes.addressof(result), 0, channels, image.width, image.height)
torsor.torsor_translate(model, real, fake) and sys.exit(torsor.torsor_last_error().decode())
torsor.torsor_free(model)
Image.frombytes("RGB" if channels == 3 else "L", image.size, result.raw).save(target)
