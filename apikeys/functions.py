"""A function of both databases that Django does not know."""

from django.db import models


class LTrim(models.Func):
    """A text without those characters at its left; `LTRIM` takes the second text as a set of characters."""

    function = "LTRIM"
    arity = 2
    output_field = models.CharField()
