"""Files are refused before the disk is full."""

from __future__ import annotations

import shutil

import pytest
from qcrbox.contract.errors import StorageFull
from qcrbox_registry.store.disk import DiskRoom

MIB = 1024**2


def test_what_leaves_the_kept_bytes_is_let_in(tmp_path):
    DiskRoom(tmp_path, kept=0).require()
    DiskRoom(tmp_path, kept=MIB).require(shutil.disk_usage(tmp_path).free // 2)


@pytest.mark.parametrize(
    ("size", "text"), [(0, "data folder, and 2 MiB"), (2**70, "MiB are needed, and 2 MiB")]
)
def test_what_would_use_the_kept_bytes_is_refused_with_figures(tmp_path, monkeypatch, size, text):
    usage = shutil.disk_usage(tmp_path)._replace(free=MIB)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    with pytest.raises(StorageFull) as refused:
        DiskRoom(tmp_path, kept=2 * MIB).require(size)
    assert text in refused.value.why
    assert "1 MiB are free" in refused.value.why
