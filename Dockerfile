FROM python:3.12-slim

RUN useradd --create-home desk
WORKDIR /srv/desk
COPY requirements/run.txt requirements/run.txt
RUN pip install --no-cache-dir --require-hashes -r requirements/run.txt
COPY . .
RUN for po in locale/*/LC_MESSAGES/django.po; do pybabel compile --input-file "$po" --output-file "${po%.po}.mo"; done \
 && SECRET_KEY=$(python -c "import secrets; print(secrets.token_hex(32))") ALLOWED_HOSTS=localhost VAR_DIR=/tmp/var python manage.py collectstatic --no-input

USER desk
ENV VAR_DIR=/home/desk/var PYTHONUNBUFFERED=1
EXPOSE 8000
CMD ["gunicorn", "dashboard.wsgi", "--bind", "0.0.0.0:8000", "--workers", "2", "--threads", "4"]
