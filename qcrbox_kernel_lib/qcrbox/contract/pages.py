"""Pages of lists in REST."""

MOST_OF_A_PAGE = 1000  # records; the registry refuses more at once
