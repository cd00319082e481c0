"""The way of a person through the library, on a real registry with a real program."""

from __future__ import annotations

import asyncio
import threading

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from qcrbox.api.box import Box
from qcrbox.api.calculations import StoppedWaiting
from qcrbox.client.http import RegistryClient
from qcrbox.contract.errors import (
    CalculationCancelled,
    NotFound,
    QcError,
    UserInputError,
)

TINY = b"""data_tiny
_cell_length_a 10
_cell_length_b 11
_cell_length_c 12
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 90
_space_group_name_H-M_alt 'P 21 21 21'
loop_
_atom_site_label
_atom_site_type_symbol
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
_atom_site_U_iso_or_equiv
C1 C 0.1 0.2 0.3 0.02
"""


def test_refinement_gives_figures_history_and_files(refined):
    assert 0.05 < refined.R1 < 0.2
    assert refined.wR2 > refined.R1
    assert refined.history["cycle"][:3] == [1, 2, 3]
    assert refined.history.last("R1") == pytest.approx(refined.R1, abs=6e-5)
    assert refined.history.last("max_shift_su") == pytest.approx(refined.shift_su, abs=6e-4)
    assert "refined.cif" in refined.files
    assert refined.cif["_refine_ls_R_factor_gt"].value == refined.R1


def test_refinement_that_did_not_converge_is_kept_and_marked(refined):
    assert refined.shift_su > 0.05
    assert any("not converged" in warning for warning in refined.warnings)
    assert "not converged" in repr(refined)


def test_result_is_shown_as_text_and_html(refined):
    bundle = refined._repr_mimebundle_()
    assert "R1" in bundle["text/plain"]
    assert f"{refined.R1:.4f}" in bundle["text/html"]


@pytest.mark.slow
def test_history_draws_a_picture_that_is_not_blank(refined):
    picture = refined.history.plot()
    assert "R1 from" in picture.alt
    pixels = np.asarray(_drawn(picture.figure))
    assert len(np.unique(pixels.reshape(-1, 4), axis=0)) > 20


def _drawn(figure):
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return canvas.buffer_rgba()


def test_calculation_is_found_again_after_a_kernel_restart(refined, registry_url):
    fresh = Box(RegistryClient(registry_url))
    found = fresh.calculations[refined.calculation.id[-8:]]
    assert found.id == refined.calculation.id
    assert found.status == "successful"
    assert found.result().R1 == refined.R1
    assert len(found.result().history) == len(refined.history)
    fresh.close()


def test_stored_files_are_found_by_name_and_tag(live_box, tmp_path):
    file = tmp_path / "tiny.cif"
    file.write_bytes(TINY)
    stored = live_box.add(file, name="tiny one", tags=["thesis"])
    assert live_box["tiny one"].id == stored.id
    assert live_box["tiny one"].tags == ["thesis"]
    assert live_box["tiny one"].files["tiny.cif"].bytes == TINY
    assert [d.id for d in live_box.datasets.all(tag="thesis")] == [stored.id]
    assert [d.id for d in live_box.search(tag="thesis")] == [stored.id]
    assert "tiny one" in live_box


def test_name_that_is_not_stored_is_answered_with_the_one_meant(live_box):
    live_box.add(TINY, name="alanine")
    with pytest.raises(NotFound, match="Did you mean 'alanine'"):
        live_box["alanin"]


def test_dataset_shows_its_cell_and_item_values(live_box):
    stored = live_box.add(TINY, name="shown")
    assert stored.cell.a.value == 10
    assert str(stored["_cell_length_b"]) == "11"
    assert stored.atoms["C1"].element == "C"
    assert "P 21 21 21" in repr(stored)


def test_result_and_calculation_can_be_inputs_of_the_next(live_box, refined):
    again = live_box.refine.refine_iam(refined.calculation, cycles=0, weighting="keep").result(120)
    assert pytest.approx(refined.R1, abs=2e-3) == again.R1


async def test_calculation_can_be_awaited(live_box):
    result = await live_box.refine.refine_iam(live_box.examples["thpp"], cycles=1, weighting="keep")
    assert result.R1 < 0.3


def test_traceback_in_the_notebook_is_short():
    error = UserInputError("No.", next="Yes.", details="a long log")
    lines = error._render_traceback_()
    assert lines[0] == "UserInputError: No. Yes."
    assert len(lines) == 2


def test_cancelled_calculation_says_so(live_box, start_endless):
    calculation = start_endless(live_box)
    calculation.cancel()
    with pytest.raises(CalculationCancelled):
        calculation.result(60)


def test_ctrl_c_stops_the_waiting_only(live_box, monkeypatch):
    calculation = live_box.refine.refine_iam(live_box.examples["thpp"], cycles=2, weighting="keep")

    def interrupted(_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(calculation, "_wait_a_little", interrupted)
        with pytest.raises(StoppedWaiting, match="is still running"):
            calculation.result()
    assert calculation.result(120).R1 < 0.3


def test_same_idempotency_key_starts_one_calculation(live_box):
    command, thpp = live_box.refine.refine_iam, live_box.examples["thpp"]
    first = command.submit(thpp, cycles=0, idempotency_key="only-once")
    second = command.submit(thpp, cycles=0, idempotency_key="only-once")
    assert first.id == second.id


@pytest.mark.slow
def test_batch_goes_on_after_a_failure_and_failed_ones_can_be_retried(live_box):
    thpp = live_box.examples["thpp"]
    batch = live_box.map(live_box.refine.refine_iam, [thpp, TINY, thpp], cycles=1, weighting="keep")
    results = batch.results(120)
    good = [one for one in results if not isinstance(one, QcError)]
    assert len(good) == 2
    assert len(batch.failed) + len(batch.refused) == 1
    table = batch.table
    assert table["status"].count("⚠ done, not converged") == 2
    assert len(batch.failed.retry()) == len(batch.failed)
    assert batch["thpp"] is batch[0]
    with pytest.raises(NotFound, match="There are: thpp"):
        batch["azu"]


@pytest.mark.slow
async def test_as_completed_gives_each_once(live_box):
    thpp = live_box.examples["thpp"]
    batch = live_box.map(live_box.refine.refine_iam, [thpp, thpp], cycles=0, weighting="keep")
    seen = [calculation.id async for calculation in batch.as_completed()]
    assert sorted(seen) == sorted(c.id for c in batch)


@pytest.mark.slow
def test_progress_reaches_watchers_while_the_program_runs(live_box):
    seen, arrived = [], threading.Event()
    calculation = live_box.refine.refine_iam(live_box.examples["thpp"], hydrogens="place", cycles=20)

    def look():
        seen.append(calculation.snapshot())
        if seen[-1]["metrics"].get("cycle"):
            arrived.set()

    calculation.on_change(look)
    calculation.result(120)
    assert arrived.is_set()
    assert any(not state["final"] and state["status"] == "running" for state in seen)


def test_doctor_finds_the_registry_well(live_box):
    table = live_box.doctor()
    assert ("✓", "applications", str(len(live_box.apps))) in table.rows


def test_waiting_with_a_limit_ends_and_the_calculation_goes_on(live_box):
    calculation = live_box.refine.refine_iam(live_box.examples["thpp"], cycles=1, weighting="keep")
    with pytest.raises(TimeoutError, match="is still running"):
        calculation.result(0.0)
    assert asyncio.run(_awaited(calculation)).R1 < 0.3


async def _awaited(calculation):
    return await calculation


def test_deleted_dataset_leaves_the_list_and_comes_back(live_box):
    stored = live_box.add(TINY, name="to be deleted")
    stored.delete()
    with pytest.raises(NotFound):
        live_box["to be deleted"]
    found = next(one for one in live_box.datasets.bin if one.id == stored.id)
    assert found.restore().files["data.cif"].bytes == TINY
    assert live_box["to be deleted"].id == stored.id


def test_tags_and_names_can_be_changed(live_box):
    stored = live_box.add(TINY, name="before", tags=["one"])
    assert stored.tag("two", "three").untag("one").tags == ["three", "two"]
    assert live_box[stored.rename("after").name].id == stored.id


def test_sharing_with_a_group_one_is_not_in_tells_nothing_of_it(live_box):
    stored = live_box.add(TINY, name="mine alone")
    with pytest.raises(NotFound):
        stored.share("pharma-x")
    with pytest.raises(UserInputError, match="read"):
        stored.share("pharma-x", "own")
