"""Pages of courses: exercises, the board, marks."""
