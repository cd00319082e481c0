"""Lists of the administration say whose preview account an owner is: nobody knows one by its random name."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import qcrbox_hub
from jinja2 import ChoiceLoader, DictLoader, Environment, FileSystemLoader
from jupyterhub import orm
from qcrbox.contract.previews import PREFIX
from qcrbox_hub.accounts.previews import Previews
from qcrbox_hub.accounts.tables import PreviewRow
from qcrbox_hub.admin.tables import Asked, last_page
from qcrbox_hub.admin.words import FILTERS
from sqlalchemy import create_engine
from sqlalchemy.orm import Session

TEMPLATES = Path(qcrbox_hub.__file__).parent / "templates"
NAME, ENDED = f"{PREFIX}abcdefghijklmnop", f"{PREFIX}ponmlkjihgfedcba"
WORDS = f"{NAME} (preview of lena in xrd)"


@pytest.fixture
def previews() -> Iterator[Previews]:
    engine = create_engine("sqlite://")
    orm.Base.metadata.create_all(engine)
    with Session(engine) as session:
        made = datetime(2026, 11, 1)
        session.add(
            PreviewRow(name=NAME, owner="lena", owner_id=1, owner_created=made, group="xrd", made_at=0.0)
        )
        session.commit()
        yield Previews(session)


def page(name: str, previews: Previews, account: str) -> str:
    """A page of the administration without the frame around it."""
    frame = DictLoader({"administration/base.html": "{% block content %}{% endblock %}"})
    environment = Environment(loader=ChoiceLoader([frame, FileSystemLoader(TEMPLATES)]), autoescape=True)
    environment.filters.update(FILTERS)
    row: dict[str, Any] = {"owner": account, "who": account, "name": account, "subject": "person"}
    row |= {"calculation_id": "1" * 32, "quota": "gib", "limit": 1.0, "details": "{}", "allowed": True}
    row |= {
        "at": None,
        "bytes": 1,
        "size": 1,
        "status": "failed",
        "command_name": "refine_iam",
        "title": None,
    }
    row |= dict.fromkeys(("created_at", "finished_at", "gone_at", "submitted_at"))
    return environment.get_template(f"administration/{name}.html").render(
        asked=Asked(f"/hub/administration/{name}"),
        rows=[row],
        row=row,
        shown={"status": "failed"},
        total=1,
        last_page=last_page,
        subjects={},
        titles={"gib": "GiB"},
        quotas=[],
        defaults={},
        shown_name=previews.shown,
    )


@pytest.mark.parametrize(
    "name", ["calculations", "calculation", "storage_files", "storage_holders", "quotas", "audit"]
)
def test_a_list_says_whose_preview_account_it_is(name: str, previews: Previews) -> None:
    assert WORDS in page(name, previews, NAME)
    for other in (ENDED, "stella"):
        text = page(name, previews, other)
        assert other in text
        assert f"{other} (" not in text
