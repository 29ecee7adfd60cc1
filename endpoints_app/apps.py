from django.apps import AppConfig


class EndpointsConfig(AppConfig):
    name = "endpoints_app"
    verbose_name = "Serving Desk"

    def ready(self) -> None:
        # A workspace without host or with two kinds of credentials stops the start, by name.
        from endpoints_app.services import clients

        clients.read_configuration()
