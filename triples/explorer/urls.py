"""URLs of the explorer. Below `explorer/data` stand the paths of the API that it reads, for users of the admin."""

from django.urls import path

from triples.explorer import data_views, views

urlpatterns = [
    path("explorer", views.page, name="explorer"),
    path("explorer/question", views.question, name="explorer-question"),
    path("explorer/data/terms", data_views.terms, name="explorer-data"),
    path("explorer/data/triples", data_views.triples),
    path("explorer/data/triples/<uuid:id>", data_views.triple),
    path("explorer/data/triples/<uuid:id>/explain", data_views.explain),
    path("explorer/data/query/neighbours", data_views.neighbours),
    path("explorer/data/query/patterns", data_views.patterns),
    path("explorer/data/query/paths", data_views.paths),
]
