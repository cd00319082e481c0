#!/usr/bin/env python3
"""A red window; while a key or a button is held it is green. Each press is a line of the file that is given."""

from __future__ import annotations

import ctypes
import sys

KEY_PRESS, KEY_RELEASE, BUTTON_PRESS, BUTTON_RELEASE, EXPOSE = 2, 3, 4, 5, 12
RED, GREEN = 0xC01010, 0x10A010


def main(path: str) -> None:
    x11 = ctypes.CDLL("libX11.so.6")
    x11.XOpenDisplay.restype = ctypes.c_void_p
    x11.XDefaultRootWindow.restype = ctypes.c_ulong
    x11.XCreateSimpleWindow.restype = ctypes.c_ulong
    display = ctypes.c_void_p(x11.XOpenDisplay(None))
    if not display.value:
        sys.exit("cannot open the display")
    root = ctypes.c_ulong(x11.XDefaultRootWindow(display))
    window = ctypes.c_ulong(
        x11.XCreateSimpleWindow(display, root, 0, 0, 600, 400, 0, ctypes.c_ulong(0), ctypes.c_ulong(RED))
    )
    x11.XStoreName(display, window, b"window")
    x11.XSelectInput(display, window, ctypes.c_long(1 | 2 | 4 | 8 | 1 << 15))
    x11.XMapWindow(display, window)
    event = (ctypes.c_byte * 192)()
    with open(path, "w", buffering=1) as notes:
        while True:
            x11.XNextEvent(display, event)
            kind = ctypes.cast(event, ctypes.POINTER(ctypes.c_int))[0]
            if kind in (KEY_PRESS, BUTTON_PRESS):
                number = ctypes.cast(event, ctypes.POINTER(ctypes.c_uint))[21]
                notes.write(f"{'key' if kind == KEY_PRESS else 'button'} {number}\n")
            if kind in (KEY_PRESS, BUTTON_PRESS, KEY_RELEASE, BUTTON_RELEASE):
                colour = GREEN if kind in (KEY_PRESS, BUTTON_PRESS) else RED
                x11.XSetWindowBackground(display, window, ctypes.c_ulong(colour))
                x11.XClearWindow(display, window)
                x11.XFlush(display)


main(sys.argv[1])
