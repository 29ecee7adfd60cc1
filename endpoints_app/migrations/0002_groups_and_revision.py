"""The three roles for all workspaces, as groups, and the row that counts revisions."""

from django.db import migrations


def make(apps, schema_editor):
    apps.get_model("endpoints_app", "Fleet").objects.get_or_create(pk=1)
    group_model = apps.get_model("auth", "Group")
    role_group_model = apps.get_model("endpoints_app", "RoleGroup")
    for role in ("viewer", "operator", "manager"):
        group, _ = group_model.objects.get_or_create(name=role)
        role_group_model.objects.get_or_create(role=role, workspace=None, defaults={"group": group})


class Migration(migrations.Migration):
    dependencies = [
        ("endpoints_app", "0001_initial"),
        ("auth", "0012_alter_user_first_name_max_length"),
    ]

    operations = [migrations.RunPython(make, migrations.RunPython.noop)]
