"""Accounts of the hub: sign-up, approval by an administrator, sign-in, passwords."""
