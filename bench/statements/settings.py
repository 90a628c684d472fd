"""The settings of a site whose statements are counted: the site's own, and one app more."""

from project.settings import *  # noqa: F403 (how a site extends them)
from project.settings import INSTALLED_APPS as _APPS

INSTALLED_APPS = [*_APPS, "bench.statements.apps.StatementsConfig"]
