"""The site's addresses; those of the conversations are in their app."""

from django.contrib import admin
from django.contrib.auth.views import LogoutView
from django.urls import include, path

from project.health import healthz
from project.links import LinkView
from project.signing_in import SignInView
from project.unsent import unsent

admin.site.site_header = admin.site.site_title = "Turntable"
admin.site.index_title = "The record"

urlpatterns = [
    path("accounts/login/", SignInView.as_view(), name="login"),
    path("accounts/logout/", LogoutView.as_view(), name="logout"),
    path("accounts/unsent/", unsent, name="unsent"),
    path("accounts/link/", LinkView.as_view(), name="link"),
    path("admin/", admin.site.urls),
    path("healthz", healthz),
    path("", include("conversations.urls")),
]
