"""Presentation of plain models: tables, cards, plots, reports, Word documents, glTF."""
