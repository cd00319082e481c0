"""Datasets, data files, their contents by hash, what CIFs say of themselves, uploads."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
)

from qcrbox_registry.store.tables.base import DataFileId, DatasetId, ObjectId, metadata

file_contents = Table(
    "file_contents",
    metadata,
    Column("sha256", String(64), primary_key=True),
    Column("size", BigInteger, nullable=False),
    Column("refcount", Integer, nullable=False, server_default="0"),
    Column(
        "state", String(12), nullable=False, server_default="stored"
    ),  # stored | damaged | removing | removed
    Column("created_at", Float, nullable=False),
    Column("checked_at", Float),
)
_unused = (file_contents.c.refcount == 0) & (file_contents.c.state != "removed")
Index(
    "ix_file_contents_unused",
    file_contents.c.created_at,
    sqlite_where=_unused,
    postgresql_where=_unused,
)

datasets = Table(
    "datasets",
    metadata,
    Column("id", DatasetId, primary_key=True),
    Column("owner_id", ForeignKey("people.id"), nullable=False),
    Column("group_id", ForeignKey("groups.id")),
    Column("kind", String(12), nullable=False, server_default="data"),  # data | output | example
    Column("name", Text, nullable=False, server_default=""),
    Column("description", Text, nullable=False, server_default=""),
    Column("application_id", ForeignKey("applications.id")),  # of an example
    Column("calculation_id", ForeignKey("calculations.id")),  # that made it
    Column("created_at", Float, nullable=False),
    Column("changed_at", Float, nullable=False),
    Column("deleted_at", Float),
    Column("deleted_by", Integer),
)
Index("ix_datasets_owner", datasets.c.owner_id, datasets.c.id)
Index(
    "ix_datasets_group",
    datasets.c.group_id,
    datasets.c.id,
    sqlite_where=datasets.c.group_id.isnot(None),
    postgresql_where=datasets.c.group_id.isnot(None),
)
Index(
    "ix_datasets_kind",
    datasets.c.kind,
    datasets.c.id,
    sqlite_where=datasets.c.kind == "example",
    postgresql_where=datasets.c.kind == "example",
)
Index("ix_datasets_name", datasets.c.name)

data_files = Table(
    "data_files",
    metadata,
    Column("id", DataFileId, primary_key=True),
    Column("dataset_id", ForeignKey("datasets.id"), nullable=True),
    Column("owner_id", ForeignKey("people.id"), nullable=False),
    Column("group_id", ForeignKey("groups.id")),
    Column("filename", Text, nullable=False),
    Column("filetype", String(40), nullable=False, server_default="unknown"),
    Column("sha256", ForeignKey("file_contents.sha256"), nullable=False, index=True),
    Column("unified_sha256", ForeignKey("file_contents.sha256")),
    Column("size", BigInteger, nullable=False),
    Column("calculation_id", ForeignKey("calculations.id")),  # that made it
    Column("created_at", Float, nullable=False),
    Column("deleted_at", Float),
    Column(
        "purged_at", Float
    ),  # removed from the trash, by time or by hand; the record stays for the lineage
)
_bin = data_files.c.deleted_at.isnot(None) & data_files.c.purged_at.is_(None)
Index("ix_data_files_bin", data_files.c.deleted_at, sqlite_where=_bin, postgresql_where=_bin)
Index("ix_data_files_dataset", data_files.c.dataset_id, data_files.c.id)
Index("ix_data_files_owner", data_files.c.owner_id, data_files.c.id)
Index(
    "ix_data_files_group",
    data_files.c.group_id,
    data_files.c.id,
    sqlite_where=data_files.c.group_id.isnot(None),
    postgresql_where=data_files.c.group_id.isnot(None),
)

# What a CIF says of itself: filled by qcrbox.analysis.index, searched by /api/search.
cif_index = Table(
    "cif_index",
    metadata,
    Column("data_file_id", ForeignKey("data_files.id"), primary_key=True),
    Column("indexed_at", Float, nullable=False),
    Column("block", Text),
    Column("formula_sum", Text),
    Column("formula_moiety", Text),
    Column("elements", Text),  # "|C|H|O|"
    Column("a", Float),
    Column("b", Float),
    Column("c", Float),
    Column("alpha", Float),
    Column("beta", Float),
    Column("gamma", Float),
    Column("volume", Float),
    Column("niggli_a", Float),
    Column("niggli_b", Float),
    Column("niggli_c", Float),
    Column("niggli_alpha", Float),
    Column("niggli_beta", Float),
    Column("niggli_gamma", Float),
    Column("space_group_number", Integer),
    Column("space_group_hm", Text),
    Column("z", Integer),
    Column("temperature_k", Float),
    Column("wavelength", Float),
    Column("r1", Float),
    Column("wr2", Float),
    Column("goof", Float),
    Column("residual_max", Float),
    Column("residual_min", Float),
    Column("has_hkl", Boolean),
    Column("has_res", Boolean),
    Column("has_disorder", Boolean),
    Column("has_hydrogens", Boolean),
    Column("full", JSON, nullable=False, server_default="{}"),  # everything the index gave, for display
    Column("names", JSON),  # of the items of the first block, as qcrbox.cif.names.key writes them
)
Index("ix_cif_index_niggli", cif_index.c.niggli_a, cif_index.c.niggli_b)
Index("ix_cif_index_formula_sum", cif_index.c.formula_sum)
Index("ix_cif_index_space_group_number", cif_index.c.space_group_number)
Index("ix_cif_index_r1", cif_index.c.r1)

tags = Table(
    "tags",
    metadata,
    Column("kind", String(12), primary_key=True),  # dataset | data_file | calculation
    Column("object_id", ObjectId(32), primary_key=True),
    Column("tag", String(100), primary_key=True),
    Column("by_id", ForeignKey("people.id"), nullable=False),
    Column("at", Float, nullable=False),
)
Index("ix_tags_tag", tags.c.tag, tags.c.kind, tags.c.object_id)

# What people add to the objects of a project; see store.node_notes.
node_notes = Table(
    "node_notes",
    metadata,
    Column("kind", String(12), primary_key=True),  # dataset | calculation
    Column("object_id", ObjectId(32), primary_key=True),
    Column("note", Text, nullable=False, server_default=""),
    Column("pinned", Boolean, nullable=False, server_default=sa.false()),
    Column("project_id", DatasetId),  # the project that a dataset was moved to
    Column("by_id", ForeignKey("people.id"), nullable=False),
    Column("at", Float, nullable=False),
)

uploads = Table(
    "uploads",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("purpose", String(12), nullable=False),  # data_file | dataset | append | output
    Column("owner_id", ForeignKey("people.id")),
    Column("filename", Text, nullable=False),
    Column("size", BigInteger),
    Column("offset", BigInteger, nullable=False, server_default="0"),
    Column("sha256", String(64)),
    Column("target_id", DatasetId),  # the dataset appended to
    Column("group_id", Integer),
    Column("calculation_id", String(32)),
    Column("attempt", Integer),
    Column("output_name", String(255), nullable=False, server_default=""),
    Column("state", String(12), nullable=False, server_default="open"),  # open | stored | used
    Column("result", JSON),
    Column("created_at", Float, nullable=False),
    Column("changed_at", Float, nullable=False),
)
Index("ix_uploads_calculation", uploads.c.calculation_id, uploads.c.attempt)
