from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("admin/", admin.site.urls),
    path("", include("endpoints_app.urls")),
]

handler400 = "endpoints_app.views.errors.not_understood"
handler403 = "endpoints_app.views.errors.forbidden"
handler404 = "endpoints_app.views.errors.nothing_here"
