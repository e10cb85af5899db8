from django.apps import AppConfig


class KeysConfig(AppConfig):
    name = "apikeys"
    verbose_name = "Keys"
