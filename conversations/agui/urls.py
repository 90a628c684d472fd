"""The addresses of AG-UI."""

from django.urls import path

from .views import capabilities, stop, thread

urlpatterns = [
    path("agui/", thread, name="agui"),
    path("agui/stop", stop, name="agui_stop"),
    path("agui/capabilities", capabilities, name="agui_capabilities"),
]
