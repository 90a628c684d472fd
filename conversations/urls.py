"""The addresses of the conversations."""

from django.urls import path

from conversations import views

app_name = "conversations"

urlpatterns = [
    path("", views.index, name="index"),
    path("conversations/", views.create, name="create"),
    path("conversations/<uuid:pk>/", views.conversation, name="conversation"),
]
