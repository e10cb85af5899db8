"""A function of both databases that Django lacks."""

from django.db import models


class LTrim(models.Func):
    """The text without certain characters on its left; the second text is the set of these characters."""

    function = "LTRIM"
    arity = 2
    output_field = models.CharField()
