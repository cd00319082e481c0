"""Programs of the older system, as they are: a generated client, a tester, a plug-in and a web site.

Each is written here anew, small, with the habits of the original: what it reads of an answer, what it takes for
granted, and what it does not understand. They know nothing of tokens, groups or hubs.
"""
