"""gemmi, imported so that cctbx can still be imported after it.

Where both are installed, cctbx ends the process with a segmentation fault when gemmi was imported first
(gemmi 0.7.5, cctbx-base 2025.11: both bring C++ runtime symbols). Loading the small module that carries
cctbx's symbols first avoids it and takes 2 ms. Import gemmi from here.
"""

import contextlib

with contextlib.suppress(ImportError):
    import boost_python_meta_ext  # noqa: F401 - for its side effect

import gemmi

__all__ = ["gemmi"]
