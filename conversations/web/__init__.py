"""The pages: the list of conversations, a conversation and its views, the user's settings.

start.py is the first page, sidebar.py and finding.py list conversations; changes.py and exporting.py rename, delete and export listed
ones. urls.py has the addresses, access.py says who may see what.

pages.py is a conversation. sections.py makes its transcript, with sentences.py, summaries.py, activities.py and files.py; cards.py,
pictures.py and attaching.py serve what stands in it. options.py is the panel of its settings; tree.py, branches.py and excerpts.py draw
its versions, replay.py is its playback. again.py, compared.py and measures.py ask it again and compare, beside.py asks two models.

waiting.py has the calls that wait for the user, questions.py their forms. preferences.py is the user's settings, with prompts.py and
presets.py.
"""

from .cards import tools_as_json
from .preferences import THEMES
from .sidebar import listing
from .start import send, unsent_form
from .urls import app_name, urlpatterns

__all__ = ["THEMES", "app_name", "listing", "send", "tools_as_json", "unsent_form", "urlpatterns"]
