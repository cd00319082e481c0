"""Storage and quotas by portions: searched, sorted and cut by the registry."""

from __future__ import annotations

import pytest


@pytest.fixture
def root(person):
    return person("admin")


@pytest.fixture
def files(person, group, do):
    """Three files of different sizes of one owner in one group; the owner."""
    ada = person(groups=[group])
    for name, size in (("small.txt", 10), ("middle.txt", 2000), ("large.txt", 30_000)):
        do.upload(ada, filename=f"{group}-{name}", content=b"x" * size, group=group)
    return ada


def page(client, path, **params):
    answer = client.get(path, params=params)
    assert answer.status_code == 200, answer.text
    return answer.json()["payload"]


def test_files_are_sorted_searched_and_cut(root, files, group):
    found = page(root, "/api/storage/files", q=group)
    assert [each["size"] for each in found["files"]] == [30_000, 2000, 10]
    assert found["total"] == 3
    assert {each["owner"] for each in found["files"]} == {files.name}
    cut = page(root, "/api/storage/files", q=group, sort="bytes", limit=1, offset=1)
    assert ([each["size"] for each in cut["files"]], cut["total"]) == ([2000], 3)
    assert page(root, "/api/storage/files", q=group, offset=3)["files"] == []


def test_files_by_owner_and_by_group(root, files, group, person, do):
    other = person(groups=[group])
    do.upload(other, filename=f"{group}-other.txt", content=b"y", group=group)
    do.upload(person(), filename=f"{group}-private.txt", content=b"z")
    assert page(root, "/api/storage/files", owner=other.name)["total"] == 1
    assert page(root, "/api/storage/files", group=group)["total"] == 4
    assert page(root, "/api/storage/files", group=group, owner=files.name)["total"] == 3


@pytest.mark.parametrize("hostile", ["%", "_", "' OR 1=1 --", "\\"])
def test_search_takes_signs_of_sql_as_text(root, files, hostile):
    assert page(root, "/api/storage/files", q=hostile, owner=files.name)["total"] == 0


def test_holders_by_kind_and_name(root, files, group):
    found = page(root, "/api/storage/holders", q=group)
    assert [(each["subject"], each["name"]) for each in found["holders"]] == [("group", group)]
    assert page(root, "/api/storage/holders", q=group, subject="person")["total"] == 0
    assert page(root, "/api/storage/holders", q=group, gone="true")["total"] == 0


def test_order_that_no_table_has_is_refused(root):
    for path in ("/api/storage/files", "/api/storage/holders", "/api/quotas"):
        assert root.get(path, params={"sort": "id; DROP TABLE people"}).status_code in (400, 422)


def test_tables_are_the_administrators(files, person, group):
    for other in (files, person(f"data!group={group}", groups=[group])):
        assert other.get("/api/storage/files").status_code == 404
        assert other.get("/api/storage/holders").status_code == 404
        assert other.get("/api/quotas").status_code == 404


def test_quotas_are_searched_and_cut(root, person, group):
    ada = person(groups=[group])
    assert ada.get("/api/me").status_code == 200
    for quota, limit in (("queued", 5), ("running", 2)):
        body = {"subject": "person", "name": ada.name, "quota": quota, "limit": limit}
        answer = root.put("/api/quotas", json=body).json()["payload"]
    assert [(each["quota"], each["limit"]) for each in answer["quotas"]] == [("queued", 5), ("running", 2)]
    root.put("/api/quotas", json={"subject": "group", "name": group, "quota": "gib", "limit": 1})
    found = page(root, "/api/quotas", q=ada.name, sort="-limit", limit=1)
    assert ([each["limit"] for each in found["quotas"]], found["total"]) == ([5], 2)
    assert page(root, "/api/quotas", q=ada.name, quota="running")["total"] == 1
    assert page(root, "/api/quotas", subject="group", name=group)["quotas"][0]["quota"] == "gib"
    assert page(root, "/api/quotas", subject="own", q=ada.name)["total"] == 2
    assert page(root, "/api/quotas", subject="default-person", q=ada.name)["total"] == 0
