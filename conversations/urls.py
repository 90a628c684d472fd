"""The addresses of the conversations."""

from django.urls import path

from conversations import views

app_name = "conversations"

urlpatterns = [
    path("", views.index, name="index"),
    path("conversations/", views.create, name="create"),
    path("conversations/<uuid:pk>/", views.conversation, name="conversation"),
    path("conversations/<uuid:pk>/again/", views.again, name="again"),
    path("conversations/<uuid:pk>/compare/", views.compare, name="compare"),
    path("conversations/<uuid:pk>/delete/", views.delete, name="delete"),
    path("conversations/<uuid:pk>/export/", views.export, name="export"),
    path("conversations/<uuid:pk>/replay/", views.replay, name="replay"),
    path("conversations/<uuid:pk>/replay/ends/", views.ends, name="replay_ends"),
    path("conversations/<uuid:pk>/replay/outline/", views.outline, name="replay_outline"),
    path("conversations/<uuid:pk>/replay/turns/<uuid:turn>/", views.turn, name="replay_turn"),
    path("conversations/<uuid:pk>/tree/", views.tree, name="tree"),
    path("settings/", views.preferences, name="settings"),
    path("settings/allowances/<int:pk>/revoke/", views.revoke, name="revoke"),
    path("settings/prompts/<int:pk>/", views.prompt, name="prompt"),
]
