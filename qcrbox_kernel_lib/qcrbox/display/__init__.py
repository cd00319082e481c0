"""How plain models look: tables, cards, plots, reports, Word documents, glTF."""
