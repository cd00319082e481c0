"""What the product promises, sentence by sentence; docs/acceptance.md says which test shows which."""
