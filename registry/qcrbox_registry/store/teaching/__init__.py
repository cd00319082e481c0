"""Rows of teaching: courses, exercises, work of students, snapshots, marks."""
