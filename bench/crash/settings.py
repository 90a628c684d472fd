"""The settings of a server that is to be killed: the site's own, with one app more."""

from project.settings import *  # noqa: F403 (how a site extends them)
from project.settings import INSTALLED_APPS as _APPS

INSTALLED_APPS = [*_APPS, "bench.crash.apps.CrashConfig"]
