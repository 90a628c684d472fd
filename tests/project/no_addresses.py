"""Addresses of a site that has forgotten the app."""

urlpatterns: list[object] = []
