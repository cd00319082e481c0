"""The authenticator that the settings ask for, as JupyterHub's configuration."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from qcrbox.contract.errors import UserInputError

from qcrbox_hub.accounts.authenticator import QCrBoxAuthenticator
from qcrbox_hub.accounts.members import Members
from qcrbox_hub.platform.settings import SignIn


def choose_authenticator(c: Any, sign_in: SignIn, data: Path, public_url: str) -> type[Members]:
    """Set the traits of the chosen authenticator. Raises UserInputError naming what is missing."""
    c.Authenticator.allow_all = True
    c.Authenticator.admin_users = set(sign_in.administrators)
    c.Members.claim_rules = [rule.model_dump() for rule in sign_in.claims]
    if sign_in.method == "native":
        c.NativeAuthenticator.open_signup = False
        c.NativeAuthenticator.check_common_password = True
        return QCrBoxAuthenticator
    try:
        # Optional: other ways to sign in need packages of their own.
        from qcrbox_hub.accounts import providers
    except ImportError as error:
        raise UserInputError(
            f"Signing in by {sign_in.method} needs the package {error.name}.",
            next='Install it with: pip install "qcrbox[sign-in]"',
        ) from error
    return {"oidc": _oidc, "ldap": _ldap, "pam": _pam, "lti13": _lti}[sign_in.method](
        c, sign_in, data, public_url, providers
    )


def _require(section: str, values: dict[str, Any]) -> None:
    if missing := [key for key, value in values.items() if not value]:
        raise UserInputError(
            "A setting of the sign-in is missing.",
            where=", ".join(f"sign_in.{section}.{key}" for key in missing),
        )


def _oidc(c: Any, sign_in: SignIn, data: Path, public_url: str, providers: Any) -> type[Members]:
    given = sign_in.oidc
    _require("oidc", {key: getattr(given, key) for key in ("issuer", "client_id", "client_secret_file")})
    assert given.client_secret_file is not None
    file = (
        given.client_secret_file
        if given.client_secret_file.is_absolute()
        else data / given.client_secret_file
    )
    options = c.OidcAuthenticator
    options.issuer, options.groups_claim = given.issuer, given.groups_claim
    options.client_id, options.client_secret = given.client_id, _secret(file)
    options.scope, options.username_claim = given.scopes, given.username_claim
    options.login_service = given.name
    options.oauth_callback_url = f"{public_url}/hub/oauth_callback"
    return providers.OidcAuthenticator


def _secret(file: Path) -> str:
    where = f"sign_in.oidc.client_secret_file = {file}"
    try:
        secret = file.read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise UserInputError(
            "The secret at the sign-in provider cannot be read.", where=where, why=f"{error}."
        ) from None
    if not secret:
        raise UserInputError("The file of the secret at the sign-in provider is empty.", where=where)
    return secret


def _ldap(c: Any, sign_in: SignIn, data: Path, public_url: str, providers: Any) -> type[Members]:
    given = sign_in.ldap
    _require("ldap", {key: getattr(given, key) for key in ("server", "bind_dn_template")})
    options = c.LdapAuthenticator
    options.server_address, options.bind_dn_template = given.server, given.bind_dn_template
    if given.port:
        options.server_port = given.port
    options.tls_strategy = given.tls
    options.groups_attribute = given.groups_attribute
    options.auth_state_attributes = [given.groups_attribute] if given.groups_attribute else []
    parts = (f"({name}={{{'uid' if name == 'memberUid' else 'userdn'}}})" for name in given.member_attributes)
    options.group_search_filter = f"(|{''.join(parts)})"
    options.group_attributes = given.member_attributes
    # The library checks only the configured groups; once groups are configured, only their members are allowed.
    options.allowed_groups = [
        *given.allowed_groups,
        *(each for each in given.groups if each not in given.allowed_groups),
    ]
    if given.allowed_groups:
        c.Authenticator.allow_all = False
        options.must_be_in = given.allowed_groups
    return providers.LdapAuthenticator


def _pam(c: Any, sign_in: SignIn, data: Path, public_url: str, providers: Any) -> type[Members]:
    c.PamAuthenticator.service = sign_in.pam.service
    c.PamAuthenticator.open_sessions = False
    return providers.PamAuthenticator


def _lti(c: Any, sign_in: SignIn, data: Path, public_url: str, providers: Any) -> type[Members]:
    given = sign_in.lti13
    names = ("issuer", "authorize_url", "jwks_url", "client_ids")
    _require("lti13", {key: getattr(given, key) for key in names})
    options = c.LtiAuthenticator
    options.issuer, options.authorize_url = given.issuer, given.authorize_url
    options.jwks_endpoint, options.client_id = given.jwks_url, set(given.client_ids)
    options.username_key = given.username_key
    options.token_url, options.token_audience = given.token_url, given.token_audience
    return providers.LtiAuthenticator
