"""Configuration of the hubs that tests start: it shortens what only takes time.

Passwords are hashed with the fewest rounds that bcrypt takes. Its usual twelve cost a quarter of a second of a processor
for each sign-up and sign-in, of which the tests make hundreds. That the platform uses them is tested in
`accounts/test_passwords.py`.

Preview accounts are checked every second instead of every minute: tests check what ends them, not when.
"""

import bcrypt
from qcrbox_hub.accounts import preview_keeping

_salt = bcrypt.gensalt
bcrypt.gensalt = lambda *_: _salt(4)
preview_keeping.LOOK_EVERY_S = 1.0
