"""Courses, exercises, what students do, collection and marks.

`deadlines`, `progress`, `checks` and `receipts` are rules without a store; the services beside them read and write.
"""
