"""Who wants e-mails, what is to be told, and the e-mails that wait to be sent, in the hub's database."""

from __future__ import annotations

from datetime import datetime

from jupyterhub import orm
from sqlalchemy import Boolean, DateTime, Float, Integer, Unicode, UnicodeText, inspect
from sqlalchemy.orm import Mapped, Session, mapped_column

from qcrbox_hub.accounts.tables import FOLLOWS


class ChoiceRow(orm.Base):
    """One person's choice. account_created: of the account that chose; a later account of the same name is another person.

    code: hash of the code that was sent to the address, which counts until code_until (Unix time).
    """

    __tablename__ = "qcrbox_mail_choices"

    name: Mapped[str] = mapped_column(Unicode(255), primary_key=True, info=FOLLOWS)
    account_created: Mapped[datetime] = mapped_column(DateTime, nullable=False)
    address: Mapped[str] = mapped_column(Unicode(254), nullable=False)
    confirmed: Mapped[bool] = mapped_column(Boolean, nullable=False, default=False)
    code: Mapped[str] = mapped_column(Unicode(64), nullable=False, default="")
    code_until: Mapped[float] = mapped_column(Float, nullable=False, default=0.0)
    written_at: Mapped[float] = mapped_column(Float, nullable=False, default=0.0)
    problem: Mapped[str] = mapped_column(Unicode(300), nullable=False, default="")


class NewsRow(orm.Base):
    """An end that its owner has not been told yet."""

    __tablename__ = "qcrbox_mail_news"

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=True)
    name: Mapped[str] = mapped_column(Unicode(255), nullable=False, index=True, info=FOLLOWS)
    subject: Mapped[str] = mapped_column(Unicode(300), nullable=False)
    text: Mapped[str] = mapped_column(UnicodeText, nullable=False)


class EmailRow(orm.Base):
    """An e-mail that waits for the SMTP server."""

    __tablename__ = "qcrbox_mail_queue"

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=True)
    name: Mapped[str] = mapped_column(Unicode(255), nullable=False, index=True, info=FOLLOWS)
    address: Mapped[str] = mapped_column(Unicode(254), nullable=False)
    subject: Mapped[str] = mapped_column(Unicode(300), nullable=False)
    text: Mapped[str] = mapped_column(UnicodeText, nullable=False)
    tries: Mapped[int] = mapped_column(Integer, nullable=False, default=0)
    next_at: Mapped[float] = mapped_column(Float, nullable=False)


class MarkRow(orm.Base):
    """The number of the registry's last event that was looked at; one row."""

    __tablename__ = "qcrbox_mail_mark"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    seq: Mapped[int] = mapped_column(Integer, nullable=False)


def create_missing(session: Session) -> None:
    """Make the tables that an older platform has not."""
    present = set(inspect(session.bind).get_table_names())
    for row in (ChoiceRow, NewsRow, EmailRow, MarkRow):
        if row.__tablename__ not in present:
            row.__table__.create(session.bind)
