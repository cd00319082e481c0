"""Applications as an admin and a developer handle them: scaffold, check, images, test suites."""
