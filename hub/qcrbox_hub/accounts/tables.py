"""Our tables in the hub's database."""

from __future__ import annotations

from datetime import datetime

from jupyterhub import orm
from sqlalchemy import Boolean, DateTime, Float, Integer, LargeBinary, Unicode, inspect
from sqlalchemy.orm import Mapped, Session, mapped_column

# Of a column with the name of an account: an account that is renamed takes the row along (see `renaming`).
FOLLOWS = {"follows the account": True}


class AccountRow(orm.Base):
    """One account that ever had a server. `ended_at`: when it was deleted (Unix time), None while it exists."""

    __tablename__ = "qcrbox_accounts"
    __table_args__ = {"sqlite_autoincrement": True}  # noqa: RUF012 - SQLAlchemy's own form

    number: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=True)
    user_id: Mapped[int] = mapped_column(Integer, nullable=False, index=True)
    user_created: Mapped[datetime] = mapped_column(DateTime, nullable=False)
    name: Mapped[str] = mapped_column(Unicode(255), nullable=False)
    ended_at: Mapped[float | None] = mapped_column(Float, nullable=True)


class PreviewRow(orm.Base):
    """A preview account (`previews`). group: that of the course. made_at, ended_at: Unix time; None: it stays.

    why: the reason of its end.
    """

    __tablename__ = "qcrbox_previews"

    name: Mapped[str] = mapped_column(Unicode(255), primary_key=True)
    owner: Mapped[str] = mapped_column(Unicode(255), nullable=False)
    owner_id: Mapped[int] = mapped_column(Integer, nullable=False, index=True)
    owner_created: Mapped[datetime] = mapped_column(DateTime, nullable=False)
    group: Mapped[str] = mapped_column(Unicode(255), nullable=False)
    made_at: Mapped[float] = mapped_column(Float, nullable=False)
    ended_at: Mapped[float | None] = mapped_column(Float, nullable=True)
    why: Mapped[str] = mapped_column(Unicode(200), nullable=False, default="")


class RequestRow(orm.Base):
    """A request for an account. Several may name the same account, or one that is taken."""

    __tablename__ = "qcrbox_requests"

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=True)
    name: Mapped[str] = mapped_column(Unicode(255), nullable=False, index=True)
    password: Mapped[bytes] = mapped_column(LargeBinary, nullable=False)
    address: Mapped[str] = mapped_column(Unicode(64), nullable=False, default="")
    asked_at: Mapped[float] = mapped_column(Float, nullable=False)


class InvitationRow(orm.Base):
    """A link or code that makes accounts, or the password of a workshop. Only a hash of it is stored."""

    __tablename__ = "qcrbox_invitations"

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=True)
    kind: Mapped[str] = mapped_column(Unicode(16), nullable=False)
    hashed: Mapped[str] = mapped_column(Unicode(128), nullable=False, unique=True)
    group: Mapped[str] = mapped_column(Unicode(255), nullable=False, default="")
    role: Mapped[str] = mapped_column(Unicode(32), nullable=False, default="")
    name: Mapped[str] = mapped_column(Unicode(255), nullable=False, default="")
    made_by: Mapped[str] = mapped_column(Unicode(255), nullable=False)
    made_at: Mapped[float] = mapped_column(Float, nullable=False)
    expires_at: Mapped[float] = mapped_column(Float, nullable=False)
    uses_left: Mapped[int | None] = mapped_column(Integer, nullable=True)


class SignInStateRow(orm.Base):
    """What is special about how an account signs in. must_change: its password was made by someone else.

    workshop: the account has no own password; that of this invitation opens it. locked: an administrator closed
    it (accounts with a password of ours are closed in NativeAuthenticator's table).
    """

    __tablename__ = "qcrbox_sign_in_states"

    name: Mapped[str] = mapped_column(Unicode(255), primary_key=True, info=FOLLOWS)
    must_change: Mapped[bool] = mapped_column(Boolean, nullable=False, default=False)
    workshop: Mapped[int | None] = mapped_column(Integer, nullable=True)
    locked: Mapped[bool] = mapped_column(Boolean, nullable=False, default=False)


class LtiCourseRow(orm.Base):
    """A course at a learning platform, as the newest launch described it. line_items: where its marks go, or ""."""

    __tablename__ = "qcrbox_lti_courses"

    client_id: Mapped[str] = mapped_column(Unicode(255), primary_key=True)
    context: Mapped[str] = mapped_column(Unicode(255), primary_key=True)
    title: Mapped[str] = mapped_column(Unicode(255), nullable=False, default="")
    line_items: Mapped[str] = mapped_column(Unicode(2000), nullable=False, default="")
    at: Mapped[float] = mapped_column(Float, nullable=False)


class LtiPersonRow(orm.Base):
    """Who an account is in a course at a learning platform. at: of their newest launch, Unix time."""

    __tablename__ = "qcrbox_lti_people"

    client_id: Mapped[str] = mapped_column(Unicode(255), primary_key=True)
    context: Mapped[str] = mapped_column(Unicode(255), primary_key=True)
    name: Mapped[str] = mapped_column(Unicode(255), primary_key=True, info=FOLLOWS)
    subject: Mapped[str] = mapped_column(Unicode(255), nullable=False)
    at: Mapped[float] = mapped_column(Float, nullable=False)


class LtiScoreRow(orm.Base):
    """The mark that a learning platform was sent last. problem: why the newest attempt failed, or ""."""

    __tablename__ = "qcrbox_lti_scores"

    client_id: Mapped[str] = mapped_column(Unicode(255), primary_key=True)
    context: Mapped[str] = mapped_column(Unicode(255), primary_key=True)
    exercise: Mapped[str] = mapped_column(Unicode(32), primary_key=True)
    name: Mapped[str] = mapped_column(Unicode(255), primary_key=True, info=FOLLOWS)
    points: Mapped[float | None] = mapped_column(Float, nullable=True)
    most: Mapped[float | None] = mapped_column(Float, nullable=True)
    sent_at: Mapped[float | None] = mapped_column(Float, nullable=True)
    problem: Mapped[str] = mapped_column(Unicode(1000), nullable=False, default="")


_ROWS = (
    AccountRow,
    PreviewRow,
    RequestRow,
    InvitationRow,
    SignInStateRow,
    LtiCourseRow,
    LtiPersonRow,
    LtiScoreRow,
)


def create_missing(session: Session) -> None:
    """Make the tables that an older platform has not."""
    engine = session.bind
    present = set(inspect(engine).get_table_names())
    for row in _ROWS:
        if row.__tablename__ not in present:
            row.__table__.create(engine)


def must_change_password(session: Session, name: str) -> bool:
    """Was this account's password made by someone else?"""
    row = session.get(SignInStateRow, name)
    return bool(row and row.must_change)
