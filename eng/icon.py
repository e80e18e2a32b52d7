"""Draws eng/icon.png, the packages' icon: a ring of 16×16 pixels that noise covers from right to left, as the forward process x_t = √ᾱ x₀ + √(1 − ᾱ) ε does.

    python3 eng/icon.py
"""
import math
import pathlib
import random
import struct
import zlib

CELLS, SCALE = 16, 8
DARK, LIGHT = (22, 36, 71), (126, 214, 223)


def ring(x, y):
    """x₀ in [−1, 1] at the middle of a pixel, with soft edges."""
    distance = math.hypot(x - 7.5, y - 7.5)
    return max(-1.0, min(1.0, 2.2 - 1.6 * abs(distance - 4.8)))


def main():
    noise = random.Random(11)
    rows = []
    for y in range(CELLS):
        row = b""
        for x in range(CELLS):
            alpha = min(1.0, max(0.03, x / 9.0)) ** 1.2
            value = math.sqrt(alpha) * ring(x, y) + math.sqrt(1 - alpha) * noise.gauss(0, 0.7)
            share = (max(-1.0, min(1.0, value)) + 1) / 2
            row += bytes(round(a + (b - a) * share) for a, b in zip(DARK, LIGHT)) * SCALE
        rows += [b"\0" + row] * SCALE
    side = CELLS * SCALE

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    png = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)) + chunk(b"IDAT", zlib.compress(b"".join(rows), 9)) + chunk(b"IEND", b"")
    pathlib.Path(__file__).with_name("icon.png").write_bytes(png)


main()
