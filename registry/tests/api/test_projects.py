"""Projects over HTTP: the tree, the search, notes, pins, moves; and who sees and changes them."""

from __future__ import annotations

import pytest


def payload(response, status=200):
    assert response.status_code == status, response.text
    return response.json()["payload"]


def projects(client, **query):
    return payload(client.get("/api/projects", params=query))["projects"]


def tree(client, project_id):
    return payload(client.get(f"/api/projects/{project_id}"))


def annotate(client, kind, object_id, **body):
    return client.patch(f"/api/annotations/{kind}/{object_id}", json=body)


@pytest.fixture
def azu(ada, do):
    """A dataset `azu` of Ada with one calculation on it."""
    dataset = do.upload(ada, name="azu")
    do.indexed(ada, do.file_id(dataset))
    made = do.submit(ada, "read", structure={"data_file_id": do.file_id(dataset)})
    return dataset["qcrbox_dataset_id"], made


def test_a_project_is_the_structure_with_its_history(ada, azu):
    dataset, made = azu
    (found,) = projects(ada, mine=True)
    assert (found["id"], found["name"], found["formula"]) == (dataset, "azu", "O2 Si")
    assert found["newest"]["id"] == dataset
    assert [float(text.partition("(")[0]) for text in found["cell_text"]] == found["cell"]
    assert len(found["cell"]) == 6
    nodes = tree(ada, dataset)["nodes"]
    assert [(node["kind"], node["id"], node["parent"]) for node in nodes] == [
        ("dataset", dataset, None),
        ("calculation", made, dataset),
    ]
    assert nodes[1]["command"] == "practice.read"
    # A page is read in part, a search in full: both show the same.
    (searched,) = projects(ada, mine=True, text="azu")
    for name in ("id", "name", "formula", "space_group", "cell", "cell_text", "newest", "note"):
        assert searched[name] == found[name]


def test_a_page_holds_as_many_projects_as_asked_for_pinned_ones_first(ada, azu, do):
    dataset, made = azu
    for name in ("newer", "newest"):
        do.upload(ada, name=name)
    payload(annotate(ada, "dataset", dataset, pinned=True))
    page = payload(ada.get("/api/projects", params={"mine": True, "limit": 2}))
    assert ([project["name"] for project in page["projects"]], page["total"]) == (["azu", "newest"], 3)
    assert sum(page["projects"][0]["counts"].values()) == 2
    assert made in [node["id"] for node in tree(ada, dataset)["nodes"]]


@pytest.mark.parametrize("text", ["", "paged"], ids=["all", "search"])
def test_pages_that_follow_one_another_hold_every_project_once(ada, do, text):
    made = [do.upload(ada, name=f"paged {number}")["qcrbox_dataset_id"] for number in range(5)]
    payload(annotate(ada, "dataset", made[1], pinned=True))
    seen, after = [], ""
    while after is not None:
        page = payload(
            ada.get("/api/projects", params={"mine": True, "limit": 2, "after": after, "text": text})
        )
        assert page["total"] == 5
        seen.append([project["name"] for project in page["projects"]])
        after = page["next"]
    assert seen == [["paged 1", "paged 4"], ["paged 3", "paged 2"], ["paged 0"]]


def test_a_project_that_changes_between_two_pages_does_not_shift_the_next(ada, do):
    first, *_ = [do.upload(ada, name=f"paged {number}") for number in range(4)]
    query = {"mine": True, "limit": 2}
    after = payload(ada.get("/api/projects", params=query))["next"]
    # The oldest becomes the one that changed last.
    do.submit(ada, "read", structure={"data_file_id": do.file_id(first)})
    page = payload(ada.get("/api/projects", params=query | {"after": after}))
    assert ([project["name"] for project in page["projects"]], page["next"]) == (["paged 1"], None)


@pytest.mark.parametrize("after", ["x", "1:soon:a", "0"])
def test_a_place_that_no_page_named_is_refused(ada, after):
    answer = ada.get("/api/projects", params={"after": after})
    assert answer.status_code == 400, answer.text
    assert "no page of projects after" in answer.text


def test_one_search_over_names_commands_notes_formula_and_cell(ada, azu):
    dataset, made = azu
    payload(annotate(ada, "calculation", made, note="twin law tried"))
    for text in ("azu", "twin law", "practice", "O2Si", "quartz.cif", "4.91 4.91 5.41 90 90 120"):
        assert [project["id"] for project in projects(ada, text=text)] == [dataset], text
    assert [hit["id"] for hit in projects(ada, text="twin law")[0]["hits"]] == [made]
    assert projects(ada, text="no such thing") == []


def test_the_project_of_an_object_is_found(ada, azu, do):
    dataset, made = azu
    do.upload(ada, name="another")
    for object_id in (dataset, made):
        assert [project["id"] for project in projects(ada, holds=object_id)] == [dataset]
    assert projects(ada, holds="nothing") == []


def test_notes_and_pins_stay_and_can_be_taken_back(ada, azu, do):
    dataset, made = azu
    do.ended(ada, made)  # its end would change the project after the newer one was made
    assert payload(annotate(ada, "dataset", dataset, pinned=True)) == {
        "note": "",
        "pinned": True,
        "project": None,
    }
    assert payload(annotate(ada, "dataset", dataset, note=" the good one "))["note"] == "the good one"
    do.upload(ada, name="newer")
    assert [project["name"] for project in projects(ada)][:2] == ["azu", "newer"]  # pinned before newer
    assert payload(annotate(ada, "dataset", dataset, note="", pinned=False))["note"] == ""
    assert projects(ada)[0]["name"] == "newer"


def test_a_dataset_is_moved_to_a_project_and_back(ada, azu, do):
    dataset, _ = azu
    second = do.upload(ada, name="azu again")["qcrbox_dataset_id"]
    payload(annotate(ada, "dataset", second, project=dataset))
    assert {project["id"] for project in projects(ada)} == {dataset}
    assert second in {node["id"] for node in tree(ada, dataset)["nodes"]}
    payload(annotate(ada, "dataset", second, project=""))
    assert {project["id"] for project in projects(ada)} == {dataset, second}


def test_an_event_tells_of_a_change(ada, azu):
    dataset, _ = azu
    with ada.stream("GET", "/api/events", params={"kinds": "project"}) as stream:
        payload(annotate(ada, "dataset", dataset, pinned=True))
        assert next(line for line in stream.iter_lines() if line.startswith("data:") and dataset in line)


def test_nobody_sees_or_changes_the_projects_of_strangers(ada, azu, person):
    dataset, made = azu
    eve = person()
    assert projects(eve) == []
    assert eve.get(f"/api/projects/{dataset}").status_code == 404
    for kind, object_id in (("dataset", dataset), ("calculation", made)):
        assert annotate(eve, kind, object_id, note="hers").status_code == 404


def test_a_member_of_the_group_sees_and_does_not_change(person, group, do):
    ada, bea = person(groups=[group]), person(groups=[group])
    dataset = do.upload(ada, name="shared", group=group)["qcrbox_dataset_id"]
    assert [project["id"] for project in projects(bea, mine=True)] == [dataset]
    assert annotate(bea, "dataset", dataset, pinned=True).status_code == 403
    own = do.upload(bea, name="own")["qcrbox_dataset_id"]
    assert annotate(bea, "dataset", own, project=dataset).status_code == 403


def test_an_administrator_sees_everybody_only_when_asked(ada, azu, person):
    root = person("admin")
    assert projects(root, mine=True) == []
    assert azu[0] in {project["id"] for project in projects(root)}


def test_each_person_works_on_an_example_in_a_project_of_their_own(ada, person, do):
    example = payload(ada.get("/api/datasets", params={"kind": "example"}))["datasets"][0]
    bea = person()
    for client in (ada, bea):
        do.submit(client, "read", structure={"data_file_id": do.file_id(example)})
    (found,) = projects(ada)
    assert found["id"] == f"{example['qcrbox_dataset_id']}@{ada.name}"
    assert found["owner"] == ada.name
    assert len(tree(ada, found["id"])["nodes"]) == 2


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("dataset", {}),
        ("dataset", {"note": "a\0b"}),
        ("dataset", {"pinned": "perhaps"}),
        ("calculation", {"project": "x"}),
    ],
)
def test_bad_changes_are_refused(ada, azu, kind, body):
    assert annotate(ada, kind, azu[kind == "calculation"], **body).status_code == 400


def test_a_result_or_an_unknown_object_founds_no_project(ada, azu):
    dataset, _ = azu
    assert annotate(ada, "dataset", dataset, project="qcrbox_ds_0x" + 32 * "0").status_code == 404
    assert annotate(ada, "dataset", dataset, project=f"{dataset}@ada").status_code == 400
