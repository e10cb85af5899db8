"""Users of the admin, and the overview as they see it."""

from collections.abc import Callable

import pytest
from django.test import Client

Seen = Callable[..., str]


@pytest.fixture
def seen(database: None) -> Seen:
    """A function that opens the overview, as a superuser or as one with these permissions."""
    from html import unescape

    from django.contrib.auth.models import Permission, User

    def look(*permissions: str) -> str:
        user, made = User.objects.get_or_create(username="_".join(permissions) or "root", is_staff=True)
        if made and permissions:
            user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
        user.is_superuser = not permissions
        user.save()
        client = Client()
        client.force_login(user)
        response = client.get("/admin/")
        assert response.status_code == 200
        return unescape(response.content.decode())

    return look
