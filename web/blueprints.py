"""All blueprints of the product, in one list."""

from __future__ import annotations

from web.api.health import blueprint as health
from web.api.tmf621 import blueprint as tmf621
from web.api.tmf641 import blueprint as tmf641
from web.api.v1 import blueprint as v1
from web.auth.views import auth
from web.pages import blueprint as pages

BLUEPRINTS = (auth, pages, v1, tmf641, tmf621, health)
