"""Signing in with accounts from elsewhere: OpenID Connect, LDAP, PAM, LTI 1.3.

Each is JupyterHub's usual authenticator with our common part. An identity becomes a user name by `names.safe_name`,
so that whatever a provider calls people is safe in paths, host names and message subjects.
"""

from __future__ import annotations

import asyncio
import grp
import json
import pwd
import urllib.error
import urllib.request
from typing import Any

from jupyterhub.auth import Authenticator, PAMAuthenticator
from jupyterhub.handlers import BaseHandler
from ldapauthenticator import LDAPAuthenticator
from ltiauthenticator.lti13.auth import LTI13Authenticator
from ltiauthenticator.lti13.handlers import LTI13CallbackHandler
from oauthenticator.generic import GenericOAuthenticator
from oauthenticator.oauth2 import OAuthLoginHandler
from qcrbox.contract.errors import Unreachable
from qcrbox.contract.previews import is_preview
from traitlets import List, Unicode, default

from qcrbox_hub.accounts import lti_key, lti_launches, pages
from qcrbox_hub.accounts.addresses import client_address
from qcrbox_hub.accounts.brake import BRAKE, TooMany
from qcrbox_hub.accounts.members import Members
from qcrbox_hub.accounts.names import NAME_PATTERN, StoredName, safe_name

DISCOVERY = "/.well-known/openid-configuration"
WRONG = "User name or password is not right."


class ProviderMembers(Members):
    """Mix-in: names of a provider become safe ones."""

    @default("username_pattern")
    def _username_pattern(self) -> str:
        return NAME_PATTERN

    def normalize_username(self, username: str) -> str:
        """The provider's name as a name of ours: mapped, in lower case, safe in host names."""
        if isinstance(username, StoredName):
            return str(username)
        return safe_name(self.username_map.get(username, username))


# ---------------------------------------------------------------- OpenID Connect


class SignInAgain(OAuthLoginHandler):
    """`?again=1` makes the provider ask for the password, also when it still knows the person."""

    def authorize_redirect(self, *args: Any, **kwargs: Any) -> Any:
        """Redirect to the provider; with `again` in the query it must ask for the password."""
        if self.get_query_argument("again", ""):
            kwargs["extra_params"] = {**kwargs["extra_params"], "prompt": "login", "max_age": "0"}
        return super().authorize_redirect(*args, **kwargs)


class OidcAuthenticator(ProviderMembers, GenericOAuthenticator):
    """OpenID Connect. Addresses come from the provider's own description; PKCE is on."""

    issuer = Unicode(help="Address of the provider, below which its description lies.").tag(config=True)
    groups_claim = Unicode("groups", help="The claim that holds a person's groups.").tag(config=True)
    sign_in_again_url = "oauth_login?again=1"
    login_handler = SignInAgain

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.issuer:
            described = discover(self.issuer)
            self.authorize_url = described["authorization_endpoint"]
            self.token_url = described["token_endpoint"]
            self.userdata_url = described["userinfo_endpoint"]

    def claimed(self, auth_model: dict[str, Any]) -> list[str]:
        """Groups in the configured claim of the user information."""
        user = ((auth_model.get("auth_state") or {}).get(self.user_auth_state_key)) or {}
        values = user.get(self.groups_claim) or []
        return [str(value) for value in ([values] if isinstance(values, str) else values)]

    def get_handlers(self, app: Any) -> list[tuple[str, type[BaseHandler]]]:
        """The provider's handlers and our pages."""
        return [*super().get_handlers(app), *self.page_handlers()]


def discover(issuer: str, limit_s: float = 10.0) -> dict[str, str]:
    """The provider's description of itself. Raises Unreachable."""
    url = issuer.rstrip("/") + DISCOVERY
    try:
        with urllib.request.urlopen(url, timeout=limit_s) as answer:
            found = json.load(answer)
        if found["issuer"].rstrip("/") != issuer.rstrip("/"):
            raise ValueError(f"it calls itself {found['issuer']}")
        return {
            key: str(found[key]) for key in ("authorization_endpoint", "token_endpoint", "userinfo_endpoint")
        }
    except (urllib.error.URLError, OSError, ValueError, KeyError) as error:
        raise Unreachable(
            "The sign-in provider does not describe itself.",
            where=url,
            why=f"{error}.",
            next="Is `sign_in.oidc.issuer` right, and can this machine reach it?",
            part="sign-in",
        ) from error


# ---------------------------------------------------------------- names and passwords


class PasswordMembers(ProviderMembers):
    """Mix-in of providers whom we hand a password: the brake on guessing is ours."""

    asks_for_password = True

    async def authenticate(self, handler: Any, data: dict[str, str]) -> dict[str, Any] | str | None:
        """What the provider says, or None with the reason for the person in `handler.refusal`."""
        name, address = data.get("username", "").strip().lower()[:255], client_address(handler)
        try:
            async with BRAKE.attempt(name, address):
                found = await self._ask(handler, data)
        except TooMany as error:
            handler.refusal = str(error)
            return None
        if found is None:
            BRAKE.failed(name, address)
            handler.refusal = WRONG
            return None
        BRAKE.succeeded(name, address)
        return found

    async def _ask(self, handler: Any, data: dict[str, str]) -> dict[str, Any] | str | None:
        return await super().authenticate(handler, data)

    async def password_is(self, name: str, password: str) -> bool:
        """Whether the provider accepts the password for the person."""
        found = await self._ask(None, {"username": self.login_name(name), "password": password})
        given = found if isinstance(found, str) else (found or {}).get("name", "")
        return bool(given) and self.normalize_username(str(given)) == name

    def login_name(self, name: str) -> str:
        """What a user of the hub types as name: it may be longer than the safe one, and is remembered."""
        return self._login_names.get(name, name)

    _login_names: dict[str, str] = {}  # noqa: RUF012 - of the process

    def entered(self, handler: Any, auth_model: dict[str, Any]) -> None:
        """Remember the typed name, which the provider may spell differently from ours."""
        typed = handler.get_body_argument("username", "")
        self._login_names[auth_model["name"]] = typed
        super().entered(handler, auth_model)

    def get_handlers(self, app: Any) -> list[tuple[str, type[BaseHandler]]]:
        """Our sign-in form and pages."""
        return [(r"/login", pages.SignIn), *self.page_handlers()]


class LdapAuthenticator(PasswordMembers, LDAPAuthenticator):
    """A directory. Its groups are those that list the person, or that the person's entry lists."""

    groups_attribute = Unicode("", help="Attribute of a person's entry with the DNs of its groups.").tag(
        config=True
    )
    must_be_in = List(
        Unicode(),
        help="DNs of groups whose members may sign in; `allowed_groups` holds more, to be asked about.",
    ).tag(config=True)

    async def check_allowed(self, username: str, auth_model: Any) -> bool:
        """Whether the person is in one of the required groups, if any are required."""
        if not self.must_be_in:
            return True
        return bool(set(self.claimed(auth_model)) & set(self.must_be_in))

    async def _ask(self, handler: Any, data: dict[str, str]) -> dict[str, Any] | str | None:
        # The library waits for the directory; in a thread, so that the hub stays responsive.
        return await asyncio.to_thread(
            lambda: asyncio.run(LDAPAuthenticator.authenticate(self, handler, data))
        )

    def claimed(self, auth_model: dict[str, Any]) -> list[str]:
        """Groups of the directory: the configured attribute and the group search."""
        state = auth_model.get("auth_state") or {}
        listed = (state.get("user_attributes") or {}).get(self.groups_attribute) or []
        return [str(value) for value in (*listed, *(state.get("ldap_groups") or []))]


class PamAuthenticator(PasswordMembers, PAMAuthenticator):
    """The accounts of this machine. Groups are the machine's."""

    def add_user(self, user: Any) -> None:
        """Called by JupyterHub for a new user; adds it to the common group."""
        # JupyterHub's class would look for a system user of the (possibly changed) name.
        if not is_preview(user.name):
            Authenticator.add_user(self, user)
        self.join_common_group(user)

    def pre_spawn_start(self, user: Any, spawner: Any) -> None:
        """No PAM session: servers run as user ids of ours, not as the machine's users."""

    def post_spawn_stop(self, user: Any, spawner: Any) -> None:
        """As above."""

    def claimed(self, auth_model: dict[str, Any]) -> list[str]:
        """Groups of the system account; none if there is no such account."""
        try:
            entry = pwd.getpwnam(self.login_name(auth_model["name"]))
        except KeyError:
            return []
        own = [group.gr_name for group in grp.getgrall() if entry.pw_name in group.gr_mem]
        return [*own, grp.getgrgid(entry.pw_gid).gr_name]


# ---------------------------------------------------------------- learning platforms


class LtiCallback(LTI13CallbackHandler):
    """Where the platform sends the signed launch."""

    async def get(self) -> None:
        """A platform whose tool address is this one leads here after the launch: go on to the person's server."""
        if self.current_user is None:
            await super().get()
        self.redirect(self.hub.base_url)


class LtiAuthenticator(ProviderMembers, LTI13Authenticator):
    """A launch from a learning platform (LTI 1.3)."""

    callback_handler = LtiCallback

    token_url = Unicode(help="Where the platform gives access tokens; empty: no marks are sent.").tag(
        config=True
    )
    token_audience = Unicode(help="What requests for tokens are addressed to; empty: `token_url`.").tag(
        config=True
    )

    def claimed(self, auth_model: dict[str, Any]) -> list[str]:
        """The roles of the launch, and its course as `course:ID`."""
        launch = auth_model.get("auth_state") or {}
        prefix = "https://purl.imsglobal.org/spec/lti/claim"
        course = (launch.get(f"{prefix}/context") or {}).get("id")
        roles = [str(role) for role in launch.get(f"{prefix}/roles") or []]
        return roles + ([f"course:{course}"] if course else [])

    def entered(self, handler: Any, auth_model: dict[str, Any]) -> None:
        """Keep what is needed to send marks back."""
        super().entered(handler, auth_model)
        lti_launches.record_launch(self.db, auth_model["name"], auth_model.get("auth_state") or {})

    def delete_user(self, user: Any) -> None:
        """Forget who a deleted account was at the platform."""
        super().delete_user(user)
        lti_launches.forget(self.db, user.name)

    def get_handlers(self, app: Any) -> list[tuple[str, type[BaseHandler]]]:
        """The handlers of LTI 1.3, our public keys and our pages."""
        return [*super().get_handlers(app), (r"/lti13/keys", lti_key.Keys), *self.page_handlers()]
