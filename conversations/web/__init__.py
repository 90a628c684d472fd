"""The pages: the list of conversations, a conversation and its views, the user's settings.

start.py is the page to begin with, sidebar.py and finding.py list conversations, changes.py and exporting.py do something with listed
ones. urls.py has the addresses, access.py who may see what.

pages.py is a conversation: sections.py makes its transcript, from sentences.py, summaries.py, activities.py, files.py and openings.py;
cards.py, pictures.py and attaching.py bring what stands in it. options.py is the panel of its settings, tree.py and branches.py its
versions, replay.py its playback. again.py, compared.py and measures.py ask it again and compare, beside.py asks two models.

waiting.py has the calls that wait, questions.py their forms. preferences.py is the user's page, with prompts.py and presets.py.
"""

from .cards import tools_as_json
from .preferences import THEMES
from .sidebar import listing
from .start import send, unsent_form
from .urls import app_name, urlpatterns

__all__ = ["THEMES", "app_name", "listing", "send", "tools_as_json", "unsent_form", "urlpatterns"]
