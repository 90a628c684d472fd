"""The addresses of the conversations."""

from django.contrib.auth.decorators import login_required
from django.urls import path

from .again import again, compare
from .attaching import attach, attachment
from .beside import ask_two, beside
from .cards import card
from .changes import change, delete
from .exporting import export
from .finding import find
from .options import options
from .pages import column, conversation
from .pictures import picture
from .preferences import preferences, prompt, revoke, revoke_token, theme, tokens
from .presets import preset, presets
from .prompts import prompts
from .replay import ends, outline, replay, turn
from .sidebar import sidebar
from .start import create, index, new
from .tree import tree
from .waiting import waiting

app_name = "conversations"

urlpatterns = [
    path("", index, name="index"),
    path("attachments/<uuid:pk>/", attachment, name="attachment"),
    path("conversations/", create, name="create"),
    path("conversations/change/", change, name="change"),
    path("conversations/new/", new, name="new"),
    path("conversations/<uuid:pk>/", conversation, name="conversation"),
    path("conversations/<uuid:pk>/again/", again, name="again"),
    path("conversations/<uuid:pk>/attachments/", attach, name="attach"),
    path("conversations/<uuid:pk>/beside/", ask_two, name="ask_two"),
    path("conversations/<uuid:pk>/beside/<uuid:other>/", beside, name="beside"),
    path("conversations/<uuid:pk>/card/", card, name="card"),
    path("conversations/<uuid:pk>/column/", column, name="column"),
    path("conversations/<uuid:pk>/compare/", compare, name="compare"),
    path("conversations/<uuid:pk>/delete/", delete, name="delete"),
    path("conversations/<uuid:pk>/export/", export, name="export"),
    path("conversations/<uuid:pk>/pictures/<uuid:turn>/<str:sha256>/", picture, name="picture"),
    path("conversations/<uuid:pk>/replay/", replay, name="replay"),
    path("conversations/<uuid:pk>/replay/ends/", ends, name="replay_ends"),
    path("conversations/<uuid:pk>/replay/outline/", outline, name="replay_outline"),
    path("conversations/<uuid:pk>/replay/turns/<uuid:turn>/", turn, name="replay_turn"),
    path("conversations/<uuid:pk>/settings/", options, name="options"),
    path("conversations/<uuid:pk>/tree/", tree, name="tree"),
    path("waiting/", waiting, name="waiting"),
    path("find/", find, name="find"),
    path("settings/", preferences, name="settings"),
    path("sidebar/", sidebar, name="sidebar"),
    path("settings/allowances/<int:pk>/revoke/", revoke, name="revoke"),
    path("settings/prompts/", prompts, name="prompts"),
    path("settings/presets/", presets, name="presets"),
    path("settings/presets/<int:pk>/", preset, name="preset"),
    path("settings/prompts/<int:pk>/", prompt, name="prompt"),
    path("settings/theme/", theme, name="theme"),
    path("settings/tokens/", tokens, name="tokens"),
    path("settings/tokens/<int:pk>/revoke/", revoke_token, name="revoke_token"),
]

# A site need not have the middleware that closes every view.
for _pattern in urlpatterns:
    if getattr(_pattern.callback, "login_required", True):
        _pattern.callback = login_required(_pattern.callback)
