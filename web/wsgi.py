"""The entry point of web servers: `web.wsgi:application` is a factory, so that importing it does nothing."""

from __future__ import annotations

import os
import sys

from flask import Flask

from engine.config import Settings
from web.bootstrap import assemble, web_app
from web.request_log import configure_logging


def application() -> Flask:
    """The application of this process, from the environment."""
    from web.orphans import end_with_parent

    end_with_parent()
    configure_logging(sys.stdout)
    return web_app(assemble(Settings.load(os.environ)))
