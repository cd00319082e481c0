"""Titles over HTTP: the same in lists, store, lineage and search; changed by the owner only."""

from __future__ import annotations

import hashlib

import pytest
import sqlalchemy as sa
from qcrbox.contract.messages import Finished, OutputFile
from qcrbox.contract.states import State
from qcrbox_registry.store.tables import progress
from qcrbox_registry.testing.ends import write_end

CIF = b"data_quartz\n_cell_length_a 4.9134\n_refine_ls_R_factor_gt 0.021\n"


def payload(response, status=200):
    assert response.status_code == status, response.text
    return response.json()["payload"]


def rename(client, calculation_id, title):
    return client.patch(f"/api/calculations/{calculation_id}", json={"title": title})


@pytest.fixture
def read(registry, taken):
    """`read` of the file of a dataset, which gives it back as `new.cif`; the ended calculation."""

    def run(client, dataset, warnings=(), metrics=None):
        attempt = taken(client, dataset)
        if metrics is not None:
            row = {
                "calculation_id": attempt["id"],
                "attempt": attempt["attempt"],
                "metrics": metrics,
                "at": 0.0,
            }
            registry.write(lambda conn: conn.execute(sa.insert(progress).values(row)))
        digest = hashlib.sha256(CIF).hexdigest()
        path = f"/internal/calculations/{attempt['id']}/outputs"
        about = {"name": "written", "filename": "new.cif", "sha256": digest}
        stored = payload(attempt["client"].put(path, content=CIF, params=about), 201)
        output = OutputFile(name="written", filename="new.cif", filetype="cif", primary=True, **stored)
        end = Finished(
            calculation_id=attempt["id"],
            attempt=attempt["attempt"],
            status=State.SUCCESSFUL,
            outputs=[output],
            warnings=list(warnings),
        )
        registry.write(lambda conn: write_end(conn, end))
        return payload(client.get(f"/api/calculations/{attempt['id']}"))["calculations"][0]

    return run


def store_name(client, calculation):
    found = payload(client.get(f"/api/datasets/{calculation['output_dataset_id']}"))
    return found["datasets"][0]["name"]


def test_the_title_is_the_same_in_record_list_store_and_lineage(ada, do, read):
    done = read(ada, do.upload(ada, name="quartz at 100 K"))
    assert done["title"] == "quartz at 100 K · read · R1 0.0210"
    listed = payload(ada.get("/api/calculations"))["calculations"][0]
    assert listed["title"] == done["title"] == store_name(ada, done)
    nodes = payload(ada.get(f"/api/lineage/calculation/{done['calculation_id']}"))["nodes"]
    assert done["title"] in {node["label"] for node in nodes}
    assert payload(ada.get("/api/calculations", params={"q": "at 100 K"}))["calculations"] == [listed]


def test_a_dataset_without_a_name_is_called_after_its_file(ada, do, read):
    assert read(ada, do.upload(ada))["title"] == "quartz · read · R1 0.0210"


def test_a_result_of_a_result_is_called_after_what_it_began_with(ada, do, read):
    first = read(ada, do.upload(ada, name="quartz"))
    output = payload(ada.get(f"/api/datasets/{first['output_dataset_id']}"))["datasets"][0]
    assert read(ada, output)["title"] == "quartz · read · R1 0.0210"
    payload(rename(ada, first["calculation_id"], "good start"))
    assert read(ada, output)["title"] == "good start · read · R1 0.0210"


def test_a_lineage_says_how_each_calculation_ended_apart_from_its_title(ada, do, read):
    done = read(ada, do.upload(ada, name="quartz"))
    payload(rename(ada, done["calculation_id"], "best model"))
    nodes = payload(ada.get(f"/api/lineage/calculation/{done['calculation_id']}"))["nodes"]
    (node,) = [each for each in nodes if each["kind"] == "calculation"]
    assert (node["label"], node["details"]["verdict"]) == ("best model", "R1 0.0210")


@pytest.mark.parametrize(
    ("warnings", "metrics", "doubtful", "verdict"),
    [
        ([], {"R1": 0.041, "converged": 1}, False, "R1 0.0410"),
        ([], {"R1": 0.041, "converged": 0}, True, "R1 0.0410, not converged"),
        (["Finished, but not converged: max shift/s.u. 0.43."], {}, True, "R1 0.0210, not converged"),
        (["Two atoms are close."], {}, True, "R1 0.0210"),
    ],
)
def test_a_result_in_doubt_is_marked_in_its_project(ada, do, read, warnings, metrics, doubtful, verdict):
    dataset = do.upload(ada, name="quartz")
    read(ada, dataset, warnings, metrics)
    nodes = payload(ada.get(f"/api/projects/{dataset['qcrbox_dataset_id']}"))["nodes"]
    assert (nodes[1]["status"], nodes[1]["doubtful"], nodes[1]["verdict"]) == (
        "successful",
        doubtful,
        verdict,
    )


def test_a_title_is_changed_everywhere_and_given_back(ada, do, read):
    done = read(ada, do.upload(ada, name="quartz"))
    renamed = payload(rename(ada, done["calculation_id"], " best model "))["calculations"][0]
    assert (renamed["title"], store_name(ada, done)) == ("best model", "best model")
    assert [event["status"] for event in renamed["status_events"]] == [
        event["status"] for event in done["status_events"]
    ]
    back = payload(rename(ada, done["calculation_id"], ""))["calculations"][0]
    assert back["title"] == done["title"] == store_name(ada, done)


def test_renaming_the_output_dataset_renames_the_calculation(ada, do, read):
    done = read(ada, do.upload(ada, name="quartz"))
    payload(ada.patch(f"/api/datasets/{done['output_dataset_id']}", json={"name": "kept"}))
    assert (
        payload(ada.get(f"/api/calculations/{done['calculation_id']}"))["calculations"][0]["title"] == "kept"
    )


def test_only_the_owner_and_administrators_rename(person, group, do):
    ada, eve = person(groups=[group]), person(groups=[group])
    stranger, root = person(), person("admin")
    body = {
        "application_slug": "practice",
        "application_version": "1",
        "command_name": "noop",
        "group": group,
    }
    made = payload(ada.post("/api/commands", json={**body, "command_arguments": {}}), 201)["calculation_id"]
    assert rename(eve, made, "mine").status_code == 403
    assert rename(stranger, made, "mine").status_code == 404
    assert payload(rename(root, made, "by root"))["calculations"][0]["title"] == "by root"


@pytest.mark.parametrize("body", [{}, {"title": 5}, {"title": "x" * 501}, {"title": "a\0b"}])
def test_bad_titles_are_refused(ada, do, body):
    made = do.submit(ada)
    assert ada.patch(f"/api/calculations/{made}", json=body).status_code == 400


def test_an_event_tells_the_new_title(ada, do):
    made = do.submit(ada)
    do.ended(ada, made)
    with ada.stream("GET", "/api/events", params={"kinds": "title"}) as stream:
        payload(rename(ada, made, "told"))
        data = next(line for line in stream.iter_lines() if line.startswith("data:") and made in line)
    assert '"title":"told"' in data.replace('": "', '":"')


def test_the_store_says_whether_a_person_gave_the_name(ada, do, read):
    """Readers follow an automatic title with the time, and leave a given one alone."""

    def named(dataset_id):
        return payload(ada.get(f"/api/datasets/{dataset_id}"))["datasets"][0]["named"]

    source = do.upload(ada, name="quartz")
    done = read(ada, source)
    assert named(source["qcrbox_dataset_id"])
    assert not named(done["output_dataset_id"])
    payload(rename(ada, done["calculation_id"], "best model"))
    assert named(done["output_dataset_id"])
    payload(rename(ada, done["calculation_id"], ""))
    assert not named(done["output_dataset_id"])
