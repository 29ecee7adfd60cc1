"""English as it is read everywhere: Django's own writes "Nov. 22, 2026"."""

DATE_FORMAT = "j F Y"
DATETIME_FORMAT = "j F Y, H:i"
