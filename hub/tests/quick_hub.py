"""Configuration of the hubs that tests start: passwords are hashed with the fewest rounds that bcrypt takes.

Its usual twelve cost a quarter of a second of a processor for each sign-up and sign-in, of which the tests make hundreds.
That the platform uses them is tested in `accounts/test_passwords.py`.
"""

import bcrypt

_salt = bcrypt.gensalt
bcrypt.gensalt = lambda *_: _salt(4)
