"""QCrBox: the notebook API, the CIF layer and the language the rooms share."""
