"""A form with files: what is taken from it, what is refused, and the limits it keeps to."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import pytest
from qcrbox.contract.errors import NotAllowed, NotFound, QuotaExceeded, TooLarge, Unreachable, UserInputError
from qcrbox_registry.access.presence import Presence
from qcrbox_registry.services.contents import ContentService
from qcrbox_registry.services.uploads import UploadService
from qcrbox_registry.store import contents, datasets, people, shares
from qcrbox_registry.store.quotas import GIB


@dataclass
class Part:
    """A part of a form as the parser gives it."""

    name: str
    content: bytes
    filename: str | None = None

    async def chunks(self):
        for start in range(0, len(self.content), 4):
            yield self.content[start : start + 4]

    async def text(self):
        if len(self.content) > 1000:
            raise TooLarge(f"The field {self.name} is too long.")
        return self.content.decode()


def file(name="a.txt", content=b"some bytes"):
    return Part("file", content, name)


async def form(*parts):
    for part in parts:
        yield part


@pytest.fixture
def service(context):
    return UploadService(context, ContentService(context))


async def test_a_form_becomes_a_dataset_of_its_files(world, context, service, ada, present):
    parts = form(
        Part("group", b"crystals"), file("a.txt", b"one"), file("a.txt", b"two"), Part("name", b" June ")
    )
    found = await service.create_dataset(present(ada), parts)
    (dataset,) = found["datasets"]
    assert (dataset["name"], dataset["group"], list(dataset["data_files"])) == (
        "June",
        "crystals",
        ["a.txt", "a-2.txt"],
    )
    assert [(each.kind, each.status) for each in context.published] == [("dataset", "created")]
    assert world.ask(people.last_group, world.person["ada"]) == world.group["crystals"]


async def test_a_dataset_without_a_name_has_that_of_its_first_file(service, ada, present):
    found = await service.create_dataset(present(ada), form(file("quartz.txt"), file("b.txt")))
    assert found["datasets"][0]["name"] == "quartz.txt"


async def test_files_without_a_dataset_keep_their_names(world, service, ada, present):
    found = await service.create_data_files(
        present(ada), form(file("a.txt"), file("a.txt", b"other"), Part("group", b""))
    )
    assert [each["filename"] for each in found] == ["a.txt", "a.txt"]
    assert {each["qcrbox_dataset_id"] for each in found} == {None}


@pytest.mark.parametrize(
    ("parts", "refusal", "words", "why"),
    [
        ([], UserInputError, "no part named `file`", ""),
        ([Part("name", b"x"), Part("upload", b"x")], UserInputError, "no part named", "Its parts: `name`, `upload`."),
        ([Part("upload", b"x" * 2000)], UserInputError, "no part named", "Its parts: `upload`."),
        ([file(), Part("note", b"x" * 2000)], TooLarge, "note is too long", ""),
        ([Part("description", b"x" * 2000)], TooLarge, "description is too long", ""),
        ([Part("file", b"x")], UserInputError, "has no file name", ""),
        ([file("", b"")], UserInputError, "is empty and has no name", "No file was chosen."),
        ([file(), Part("group", b"powders")], UserInputError, "not in a group 'powders'", ""),
        ([file(), Part("name", b"x" * 600)], UserInputError, "name is longer than 500", ""),
        ([file(), Part("description", b"a\x00")], UserInputError, "NUL", ""),
    ],
    ids=["empty", "other names", "file under another name", "long field", "long description", "no file name",
         "not chosen", "group", "name", "NUL"],
)  # fmt: skip
async def test_a_wrong_form_makes_nothing(world, service, ada, present, parts, refusal, words, why):
    with pytest.raises(refusal, match=words) as refused:
        await service.create_dataset(present(ada), form(*parts))
    assert refused.value.why == why
    listed = world.ask(lambda conn: conn.exec_driver_sql("SELECT count(*) FROM data_files").scalar())
    assert listed == 0


@pytest.mark.attack(12)
@pytest.mark.parametrize(
    ("subject", "name", "most", "words"),
    [
        ("person", "ada", 19, "your limit"),
        ("group", "crystals", 19, "your group's limit"),
        ("person", "ada", 20, ""),
    ],
    ids=["person", "group", "just enough"],
)
async def test_the_files_of_a_form_count_together(
    world, service, ada, present, limit, subject, name, most, words
):
    limit(subject, name, "gib", most / GIB)
    parts = form(Part("group", b"crystals"), file("a.txt", b"x" * 10), file("b.txt", b"y" * 10))
    if not words:
        assert await service.create_dataset(present(ada), parts)
        return
    with pytest.raises(QuotaExceeded, match=words):
        await service.create_dataset(present(ada), parts)
    assert world.ask(lambda conn: conn.exec_driver_sql("SELECT count(*) FROM datasets").scalar()) == 0


async def test_a_file_above_the_limit_of_the_registry_is_cut_where_it_exceeds_it(
    context, service, ada, present
):
    context.settings.largest_file_bytes = 10
    sent = []

    class Endless(Part):
        async def chunks(self):
            while True:
                sent.append(4)
                yield b"xxxx"

    with pytest.raises(TooLarge, match="the limit of this registry"):
        await service.create_dataset(present(ada), form(Endless("file", b"", "a.bin")))
    assert sum(sent) == 12
    assert context.objects.known == {}


async def test_a_right_that_ended_while_the_bytes_arrived_takes_no_file(world, service, actor):
    dataset, _ = world.dataset("bob")
    share = shares.NewShare("dataset", dataset, "write", world.person["bob"], world.person["ada"])
    share_id = world.do(shares.give, share, 1.0)
    ada, moment = actor("ada"), [0.0]

    async def still():
        return ada

    async def slow():
        yield file()
        world.do(shares.revoke, share_id, 2.0)
        moment[0] = 100.0

    with pytest.raises((NotFound, NotAllowed)):
        await service.append(Presence(ada, still, lambda: moment[0]), dataset, slow())
    assert len(world.ask(datasets.files_of, [dataset])[dataset]) == 1


async def test_appended_files_belong_to_the_owner_of_the_dataset_and_count_for_them(
    world, service, actor, present, limit
):
    dataset, _ = world.dataset("bob", group="crystals")
    world.do(
        shares.give,
        shares.NewShare("dataset", dataset, "write", world.person["bob"], world.person["ada"]),
        1.0,
    )
    found = await service.append(present(actor("ada")), dataset, form(file("model.cif", b"x" * 5)))
    assert (found["appended_file"]["filename"], found["appended_file"]["owner"]) == ("model-2.cif", "bob")
    limit("person", "bob", "gib", 19 / GIB)
    with pytest.raises(QuotaExceeded):
        await service.append(present(actor("ada")), dataset, form(file("b.txt", b"x" * 5)))


@pytest.mark.parametrize("before", ["removing", "removed"])
async def test_bytes_that_are_being_removed_are_not_stored_over(
    world, context, service, ada, present, before
):
    """Their last owner has deleted them and the sweep has begun: the file would lose its bytes."""
    digest = hashlib.sha256(b"same").hexdigest()
    world.do(contents.add, digest, 4, 1.0)
    world.do(contents.begin_removal, sha256=digest)
    if before == "removed":
        world.do(contents.end_removal, sha256=digest)
        known = context.objects.put

        async def put_and_lose(chunks, *, sha256=None):
            stored = await known(chunks, sha256=sha256)
            context.objects.known.clear()
            return stored

        context.objects.put = put_and_lose
    with pytest.raises(Unreachable, match="at this moment") as refused:
        await service.create_dataset(present(ada), form(file("a.txt", b"same")))
    assert refused.value.next == "Send it again."
