"""The Dockerfile of an application that brings none of its own; a new application starts with it."""

DEFAULT_DOCKERFILE = """\
FROM qcrbox/base
USER root
COPY requirements.txt /opt/application/
RUN /opt/qcrbox/bin/pip install --no-cache-dir --disable-pip-version-check \\
      --cert /etc/ssl/certs/ca-certificates.crt -r /opt/application/requirements.txt
COPY . /opt/application/
USER 10001:10001
"""
