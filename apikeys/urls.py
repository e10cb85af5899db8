"""URLs of keys."""

from django.urls import path

from apikeys.views import KeyViewSet

urlpatterns = [
    path("keys", KeyViewSet.as_view({"get": "list", "post": "issue"}, basename="keys")),
    path("keys/me", KeyViewSet.as_view({"get": "me"}, basename="keys")),
    path("keys/me/rotate", KeyViewSet.as_view({"post": "rotate_me"}, basename="keys")),
    path("keys/<str:id>/revoke", KeyViewSet.as_view({"post": "revoke"}, basename="keys")),
    path("keys/<str:id>/rotate", KeyViewSet.as_view({"post": "rotate"}, basename="keys")),
]
