from django.db import migrations, models
from django.db.models import Q


def tell_grains(apps, schema_editor):
    apps.get_model('endpoints_app', 'MetricSample').objects.filter(rolled_up=True).update(grain=5)


def tell_rolled_up(apps, schema_editor):
    apps.get_model('endpoints_app', 'MetricSample').objects.filter(grain=5).update(rolled_up=True)


def leave_one_of_each(apps, schema_editor):
    """On the way back: what minutes tell is not told by rows of five too, nor by hours at all."""
    samples = apps.get_model('endpoints_app', 'MetricSample').objects
    samples.filter(grain=60).delete()
    for endpoint in list(samples.order_by().values_list('endpoint', flat=True).distinct()):
        oldest = samples.filter(endpoint=endpoint, grain=1).order_by('at').first()
        if oldest is not None:
            samples.filter(endpoint=endpoint, grain=5, at__gte=oldest.at).delete()


class Migration(migrations.Migration):

    dependencies = [
        ('endpoints_app', '0012_status_document'),
    ]

    operations = [
        migrations.AddField(
            model_name='metricsample',
            name='grain',
            field=models.PositiveSmallIntegerField(default=1),
        ),
        migrations.RunPython(tell_grains, tell_rolled_up),
        migrations.RemoveConstraint(
            model_name='metricsample',
            name='one_metric_sample_per_minute',
        ),
        migrations.RemoveIndex(
            model_name='metricsample',
            name='metric_sample_to_roll_up',
        ),
        migrations.RemoveField(
            model_name='metricsample',
            name='rolled_up',
        ),
        migrations.AddIndex(
            model_name='metricsample',
            index=models.Index(condition=Q(('grain', 1)), fields=['at'], name='metric_sample_of_a_minute'),
        ),
        migrations.AddConstraint(
            model_name='metricsample',
            constraint=models.UniqueConstraint(fields=('endpoint', 'grain', 'at', 'entity'), name='one_metric_sample_per_time'),
        ),
        migrations.RunPython(migrations.RunPython.noop, leave_one_of_each),
    ]
