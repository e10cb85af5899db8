"""The URL of the Model Context Protocol."""

from django.urls import path

from triples.mcp.views import McpViewSet

urlpatterns = [path("mcp", McpViewSet.as_view({"post": "message"}, basename="mcp"))]
