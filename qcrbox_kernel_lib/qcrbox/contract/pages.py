"""Pages of lists in REST: one length for the registry, its clients and Lab (`extension/src/registry/pages.ts`)."""

MOST_OF_A_PAGE = 1000  # records at once; the registry refuses to answer more
