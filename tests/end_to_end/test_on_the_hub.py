"""The library on a real hub and from outside it: who one is, sharing with groups, signing in with the browser."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from qcrbox.api.box import Box
from qcrbox.client import signing_in
from qcrbox.client.http import RegistryClient
from qcrbox.contract.errors import NotAllowed, NotFound, NotSignedIn, QcError, UserInputError

from tests.end_to_end.hub_site import HubKernel, Person, Site, running_site
from tests.end_to_end.kernel import running_kernel

GROUP, FOREIGN = "xrd-101", "pharma-x"
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with running_site(tmp_path_factory.mktemp("site")) as site:
        for group in (GROUP, FOREIGN):
            site.ada.submit("/hub/administration/groups", action="make", name=group)
        yield site


@pytest.fixture(scope="module")
def bea(site: Site) -> Person:
    return site.member("bea", GROUP)


@pytest.fixture(scope="module")
def cem(site: Site) -> Person:
    return site.member("cem", GROUP)


@pytest.fixture(scope="module")
def dan(site: Site) -> Person:
    return site.member("dan", FOREIGN)


def box_of(person: Person) -> Box:
    """That person's library outside the hub, let in by them."""
    registry = signing_in.registry_address(person.site.url)
    return Box(RegistryClient(registry, signing_in.sign_in(registry, tell=person.let_in, timeout_s=90)))


@pytest.fixture(scope="module")
def box_of_bea(bea: Person) -> Iterator[Box]:
    box = box_of(bea)
    yield box
    box.close()


@pytest.fixture(scope="module")
def box_of_cem(cem: Person) -> Iterator[Box]:
    box = box_of(cem)
    yield box
    box.close()


@pytest.fixture(scope="module")
def box_of_dan(dan: Person) -> Iterator[Box]:
    box = box_of(dan)
    yield box
    box.close()


# ---------------------------------------------------------------- on the hub


@pytest.fixture(scope="module")
def hub_kernel(bea: Person) -> Iterator[HubKernel]:
    bea.start_server()
    kernel = HubKernel(bea)
    kernel.run("import qcrbox as qc")
    yield kernel
    kernel.close()


def test_kernel_on_the_hub_knows_registry_and_person(hub_kernel: HubKernel) -> None:
    assert "refine_iam" in hub_kernel.run("qc.apps")
    me = hub_kernel.run("qc.me")
    assert "bea" in me
    assert GROUP in me
    assert FOREIGN not in me


def test_refinement_runs_from_a_kernel_on_the_hub(hub_kernel: HubKernel) -> None:
    code = 'r = await qc.refine.refine_iam(qc.examples["thpp"], cycles=1, weighting="keep"); print(r.R1)'
    assert 0.05 < float(hub_kernel.run(code).split()[-1]) < 0.3


def test_doctor_hears_the_versions_of_the_pages(hub_kernel: HubKernel) -> None:
    said = hub_kernel.run("qc.doctor()")
    assert re.search(r"front end\s+anywidget \d.*jupyterlab \d.*jupyterlab_widgets\s+3", said, re.DOTALL)
    assert "has not said its versions" not in said
    assert "All is well." in said


# ---------------------------------------------------------------- from outside


def test_connecting_from_outside_shows_a_code_and_goes_on_when_it_is_typed(
    site: Site, cem: Person, tmp_path: Path
) -> None:
    with running_kernel(tmp_path, XDG_CONFIG_HOME=str(tmp_path / "config"), HOME=str(tmp_path)) as kernel:
        kernel.run("import qcrbox")
        message = kernel.client.execute(f'qc = qcrbox.connect("{site.url}"); qc.me')
        shown = {"data": {}}
        while "text/plain" not in shown.get("data", {}):
            shown = kernel.client.get_iopub_msg(timeout=60)["content"]
        page, code = re.search(r"open (\S+) and type the code (\S+)", shown["data"]["text/plain"]).groups()
        assert code not in page
        cem.let_in(page, code)
        assert "cem" in kernel.collect(message, 60).text
        store = tmp_path / "config" / "qcrbox" / "tokens.json"
        assert store.stat().st_mode & 0o077 == 0
        kernel.restart()
        # The token was kept: nobody is asked again.
        assert "cem" in kernel.run(f'import qcrbox; qcrbox.connect("{site.url}").me').text


def test_token_that_was_taken_back_opens_nothing_and_the_way_is_said(site: Site, tmp_path: Path) -> None:
    with running_kernel(tmp_path, XDG_CONFIG_HOME=str(tmp_path), HOME=str(tmp_path)) as kernel:
        shown = kernel.run(f'import qcrbox; qcrbox.connect("{site.url}", token="revoked")', fails=True)
    assert "NotSignedIn" in shown.error
    assert f"Make a token at {site.url}/hub/token" in shown.traceback[-1]
    assert not (tmp_path / "qcrbox" / "tokens.json").exists()


def test_refused_sign_in_ends_the_waiting(site: Site, cem: Person) -> None:
    registry = signing_in.registry_address(site.url)

    def refuse(page: str, code: str) -> None:
        cem.submit("/hub/connect", code=code, action="refuse")

    with pytest.raises(NotSignedIn, match="refused"):
        signing_in.sign_in(registry, tell=refuse, timeout_s=90)


def test_address_of_something_else_is_named(site: Site) -> None:
    with pytest.raises(UserInputError, match="There is no QCrBox at"):
        signing_in.registry_address(f"{site.url}/hub")


# ---------------------------------------------------------------- sharing


CIF = b"data_azu\n_cell_length_a 5\n_cell_length_b 6\n_cell_length_c 7\n"


def test_what_is_shared_with_a_group_is_seen_by_its_members_until_it_is_taken_back(
    box_of_bea: Box, box_of_cem: Box, box_of_dan: Box
) -> None:
    stored = box_of_bea.add(CIF, name="azu of bea", tags=["thesis"])
    for other in (box_of_cem, box_of_dan):
        with pytest.raises(NotFound):
            other["azu of bea"]
    stored.share(GROUP, "read")
    assert box_of_cem["azu of bea"].file.bytes == CIF
    assert "azu of bea" in {one.name for one in box_of_cem.search(owner="bea")}
    with pytest.raises(NotFound):
        box_of_dan["azu of bea"]
    assert [(row[2], row[3]) for row in box_of_bea.shares.table().rows] == [(GROUP, "read")]
    stored.unshare(GROUP)
    with pytest.raises(NotFound):
        box_of_cem["azu of bea"]
    assert str(box_of_bea.undo()) == f"Taken back: 'azu of bea' is no longer shared with {GROUP}."
    assert box_of_cem["azu of bea"].id == stored.id
    stored.delete()


def test_what_is_shared_to_read_says_whose_it_is_when_it_is_changed(box_of_bea: Box, box_of_cem: Box) -> None:
    stored = box_of_bea.add(CIF, name="read only")
    stored.share(GROUP, "read")
    theirs = box_of_cem["read only"]
    for change in (
        theirs.delete,
        lambda: theirs.rename("mine"),
        lambda: theirs.attach(b"x", filename="x.hkl"),
    ):
        with pytest.raises(NotAllowed) as caught:
            change()
        assert caught.value.message.startswith("'read only' belongs to bea.")
        assert (
            'Ask bea, or work on your own copy: qc["read only"].copy("my read only").' in caught.value.message
        )
    mine = theirs.copy("my read only")
    assert mine.rename("renamed").record["owner"] == "cem"
    stored.share(GROUP, "write")
    assert "x.hkl" in theirs.attach(b"x", filename="x.hkl").files
    stored.delete()


def test_what_belongs_to_a_group_names_its_managers(box_of_bea: Box, box_of_cem: Box) -> None:
    box_of_bea.add(CIF, name="of the group", group=GROUP)
    with pytest.raises(NotAllowed) as caught:
        box_of_cem["of the group"].delete()
    assert f"'of the group' belongs to group {GROUP}. " in caught.value.message
    assert "Ask its managers, or work on your own copy" in caught.value.message


def test_what_another_group_has_is_answered_as_if_it_were_not_there(box_of_cem: Box, box_of_dan: Box) -> None:
    hidden = box_of_dan.add(CIF, name="secret", group=FOREIGN)
    answers = []
    for dataset_id in (hidden.id, "qcrbox_ds_0x" + "0" * 32):
        with pytest.raises(QcError) as caught:
            box_of_cem.datasets.by_id(dataset_id)
        answers.append((type(caught.value), caught.value.message.replace(dataset_id, "…")))
    assert answers[0] == answers[1]
    assert FOREIGN not in json.dumps(answers[0][1])
    with pytest.raises(NotFound) as group:
        box_of_cem.add(CIF, name="mine").share(FOREIGN)
    with pytest.raises(NotFound) as nothing:
        box_of_cem["mine"].share("no-such-group")
    assert group.value.message.replace(FOREIGN, "…") == nothing.value.message.replace("no-such-group", "…")


def test_calculation_on_shared_data_belongs_to_who_started_it(box_of_bea: Box, box_of_cem: Box) -> None:
    thpp = box_of_bea.examples["thpp"].copy("shared thpp")
    thpp.share(GROUP, "read")
    calculation = box_of_cem.refine.refine_iam(box_of_cem["shared thpp"], cycles=0, weighting="keep")
    assert calculation.result(120).R1 > 0
    assert calculation.refresh().record["owner"] == "cem"
    with pytest.raises((NotAllowed, NotFound)):
        box_of_bea.client.post(f"/api/calculations/{calculation.id}/stop")
    thpp.delete()
    with pytest.raises(UserInputError, match=r"deleted.*cannot be run again"):
        calculation.retry()


def test_people_work_at_the_same_time(box_of_bea: Box, box_of_cem: Box) -> None:
    figures: dict[str, float] = {}

    def work(name: str, box: Box) -> None:
        figures[name] = (
            box.refine.refine_iam(box.examples["thpp"], cycles=1, weighting="keep").result(240).R1 or 0
        )

    threads = [
        threading.Thread(target=work, args=pair) for pair in (("bea", box_of_bea), ("cem", box_of_cem))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(240)
    assert figures["bea"] == figures["cem"] > 0
