"""The addresses this extension adds to a Jupyter server."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import qcrbox
from jupyter_server.utils import url_path_join
from tornado import web

from qcrbox_extension.display import DisplayHandler
from qcrbox_extension.exercise_making import MakeExerciseHandler
from qcrbox_extension.exercises import DraftSender, ExerciseClient, ExerciseHandler
from qcrbox_extension.export_formats import ExportFormatsHandler
from qcrbox_extension.forward import ForwardHandler
from qcrbox_extension.handlers import Handler
from qcrbox_extension.live_views import LiveViews
from qcrbox_extension.picture import PictureHandler
from qcrbox_extension.presets import PresetsHandler
from qcrbox_extension.stored import StoredFiles
from qcrbox_extension.upstream import Upstream, new_client
from qcrbox_extension.views import EditHandler, LineageHandler, LiveHandler, PartHandler, WidgetHandler

if TYPE_CHECKING:
    from jupyter_server.serverapp import ServerApp


class InfoHandler(Handler):
    """What the panel needs before its first call."""

    def initialize(self, upstream: Upstream) -> None:
        """Called by tornado with the registry of this server."""
        self.upstream = upstream

    @web.authenticated
    async def get(self) -> None:
        """Answer the version and whether a registry is configured, as JSON."""
        self.finish(json.dumps({"version": qcrbox.__version__, "configured": self.upstream.configured}))


def add_routes(server: ServerApp) -> None:
    """Add the extension's handlers to a Jupyter server."""
    base = server.web_app.settings["base_url"]
    upstream = Upstream.from_environment()
    client = new_client()
    exercises = ExerciseClient(upstream, client)
    _send_drafts(server, exercises)
    models = {"stored": StoredFiles(upstream, client), "live": LiveViews()}
    server.web_app.add_handlers(
        ".*$",
        [
            (url_path_join(base, "qcrbox/info"), InfoHandler, {"upstream": upstream}),
            (
                url_path_join(base, r"qcrbox/api/interactive-sessions/([0-9a-f]{32})/display"),
                DisplayHandler,
                {"upstream": upstream},
            ),
            (
                url_path_join(base, "qcrbox/exercises"),
                MakeExerciseHandler,
                {"exercises": exercises, "root": root_of(server)},
            ),
            (
                url_path_join(base, r"qcrbox/exercises/([0-9a-f]{32})/(fetch|reset)"),
                ExerciseHandler,
                {"exercises": exercises, "root": root_of(server)},
            ),
            (
                url_path_join(base, r"qcrbox/api/(.*)"),
                ForwardHandler,
                {"upstream": upstream, "client": client},
            ),
            (
                url_path_join(base, r"qcrbox/picture/((?:qcrbox_df_0x)?[0-9a-f]{32})"),
                PictureHandler,
                {"stored": models["stored"]},
            ),
            (url_path_join(base, r"qcrbox/view/([a-z_-]{1,40})"), PartHandler, models),
            (url_path_join(base, r"qcrbox/edit"), EditHandler, models),
            (url_path_join(base, r"qcrbox/live(?:/([0-9a-f]{32}))?"), LiveHandler, models),
            (url_path_join(base, r"qcrbox/lineage"), LineageHandler, models),
            (url_path_join(base, r"qcrbox/presets/([\w-]{1,80})/(\w{1,80})"), PresetsHandler),
            # In the place of Jupyter Server's own.
            (url_path_join(base, "api/nbconvert"), ExportFormatsHandler),
            (url_path_join(base, r"qcrbox/widgets/([a-z_]{1,40})\.js"), WidgetHandler),
        ],
    )


def root_of(server: ServerApp) -> str:
    """The folder that the server shows."""
    return str(getattr(server.contents_manager, "root_dir", server.root_dir))


def _send_drafts(server: ServerApp, exercises: ExerciseClient) -> None:
    """Send each saved notebook of an exercise to the registry."""
    register = getattr(server.contents_manager, "register_post_save_hook", None)
    if register is not None:
        register(DraftSender(exercises, server.log).saved)
