"""From the settings of the sign-in to JupyterHub's authenticator: what has to be there, and what is said where it is not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from qcrbox.contract.errors import UserInputError
from qcrbox_hub.accounts.authenticator import QCrBoxAuthenticator
from qcrbox_hub.accounts.configure import choose_authenticator
from qcrbox_hub.platform.settings import PlatformSettings, SignIn
from traitlets.config import Config

URL = "https://hub.example.org"


def configured(tmp_path: Path, **sign_in: Any) -> tuple[type, Config]:
    config = Config()
    settings = SignIn.model_validate({"administrators": ["ada"], **sign_in})
    return choose_authenticator(config, settings, tmp_path, URL), config


def test_own_passwords_need_nothing_and_let_nobody_open_an_account_alone(tmp_path: Path) -> None:
    chosen, config = configured(tmp_path, administrators=["ada", "ben"])
    assert chosen is QCrBoxAuthenticator
    assert config.Authenticator.admin_users == {"ada", "ben"}
    assert config.NativeAuthenticator.open_signup is False
    assert config.NativeAuthenticator.check_common_password is True


# What each method needs, and values for it.
OIDC = {"issuer": "https://login.example.org", "client_id": "qcrbox", "client_secret_file": "secret"}
LDAP = {"server": "ldap.example.org", "bind_dn_template": ["uid={username},dc=example,dc=org"]}
LTI = {
    "issuer": "https://moodle.example",
    "authorize_url": "https://moodle.example/auth",
    "jwks_url": "https://moodle.example/jwks",
    "client_ids": ["abc"],
}
NEEDED = [("oidc", OIDC), ("ldap", LDAP), ("lti13", LTI)]


@pytest.mark.parametrize(
    ("method", "given", "key"), [(method, given, key) for method, given in NEEDED for key in given]
)
def test_missing_setting_is_named_as_the_file_names_it(
    tmp_path: Path, method: str, given: dict[str, Any], key: str
) -> None:
    (tmp_path / "secret").write_text("s3cret")
    rest = {name: value for name, value in given.items() if name != key}
    with pytest.raises(UserInputError) as error:
        configured(tmp_path, method=method, **{method: rest})
    assert error.value.where == f"sign_in.{method}.{key}"


@pytest.mark.parametrize(("method", "given"), NEEDED)
def test_complete_settings_choose_the_class_of_the_method(
    tmp_path: Path, method: str, given: dict[str, Any]
) -> None:
    (tmp_path / "secret").write_text("s3cret\n")
    chosen, config = configured(tmp_path, method=method, **{method: given})
    assert (
        chosen.__name__
        == {"oidc": "OidcAuthenticator", "ldap": "LdapAuthenticator", "lti13": "LtiAuthenticator"}[method]
    )
    assert config.Authenticator.allow_all is True


def test_secret_comes_from_its_file_without_line_end_and_the_way_back_is_the_hubs(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("s3cret\n")
    _, config = configured(tmp_path, method="oidc", oidc=OIDC)
    assert config.OidcAuthenticator.client_secret == "s3cret"
    assert config.OidcAuthenticator.oauth_callback_url == f"{URL}/hub/oauth_callback"
    absolute = tmp_path / "elsewhere"
    absolute.write_text("other")
    _, config = configured(tmp_path, method="oidc", oidc={**OIDC, "client_secret_file": str(absolute)})
    assert config.OidcAuthenticator.client_secret == "other"


@pytest.mark.parametrize(
    ("content", "words"),
    [(None, "cannot be read"), (b"", "is empty"), (b" \n", "is empty"), (b"\xff\xfe", "cannot be read")],
)
def test_secret_that_is_not_there_says_which_file_is_meant(
    tmp_path: Path, content: bytes | None, words: str
) -> None:
    if content is not None:
        (tmp_path / "secret").write_bytes(content)
    with pytest.raises(UserInputError, match=words) as error:
        configured(tmp_path, method="oidc", oidc=OIDC)
    assert str(tmp_path / "secret") in error.value.where


def test_members_of_the_allowed_groups_alone_may_sign_in_by_ldap(tmp_path: Path) -> None:
    _, config = configured(
        tmp_path, method="ldap", ldap={**LDAP, "allowed_groups": ["cn=lab"], "groups": ["cn=x", "cn=lab"]}
    )
    assert config.Authenticator.allow_all is False
    assert config.LdapAuthenticator.allowed_groups == ["cn=lab", "cn=x"]
    assert config.LdapAuthenticator.must_be_in == ["cn=lab"]


def test_groups_that_are_only_asked_about_shut_nobody_out(tmp_path: Path) -> None:
    _, config = configured(tmp_path, method="ldap", ldap={**LDAP, "groups": ["cn=x"]})
    assert config.Authenticator.allow_all is True
    assert "must_be_in" not in config.LdapAuthenticator


# ---------------------------------------------------------------- values that mean nothing


@pytest.mark.parametrize("key", ["memory_gib", "cpus", "home_gib", "archive_days"])
@pytest.mark.parametrize("value", ["inf", "-inf", "nan", "-1.0"])
def test_size_that_is_no_size_is_refused_with_its_name(key: str, value: str) -> None:
    with pytest.raises(UserInputError) as error:
        PlatformSettings.parse(f"[people]\n{key} = {value}\n", "platform.toml")
    assert key in f"{error.value.where} {error.value.why} {error.value.what}"


@pytest.mark.parametrize(
    ("email", "is_taken"),
    [
        ("", True),
        ("admin@example.org", True),
        ("admin at example.org", False),
        ("admin@example.org {", False),
        ("a@b\\n\\timport /etc/passwd", False),
        ("{env.SECRET}@example.org", False),
        ("admin", False),
    ],
)
def test_address_for_the_authority_is_one_word_with_an_at_sign(email: str, is_taken: bool) -> None:
    text = f'[public]\nemail = "{email}"\n'
    if is_taken:
        assert PlatformSettings.parse(text, "platform.toml").public.email == email
    else:
        with pytest.raises(UserInputError, match=r"email|platform"):
            PlatformSettings.parse(text, "platform.toml")
