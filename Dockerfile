# The ETL and nothing else: no deployer, no tests, no pip, no secret; runs as a numeric non-root user.
# Builds under BuildKit and the classic builder, on the official Python image as well as on the base that
# scripts/ensure-base makes where that one cannot be pulled.
ARG PYTHON_IMAGE=python:3.12-slim-bookworm

FROM ${PYTHON_IMAGE} AS build
RUN python3 -m venv /opt/venv
COPY requirements/pipeline.txt /tmp/requirements.txt
# Bytecode carries no timestamp, so that it does not depend on when the image was built.
RUN /opt/venv/bin/pip install --disable-pip-version-check --no-cache-dir --no-compile \
        --only-binary :all: --require-hashes --requirement /tmp/requirements.txt \
 && /opt/venv/bin/pip uninstall --quiet --yes pip setuptools \
 && /opt/venv/bin/python -m compileall -q --invalidation-mode unchecked-hash /opt/venv/lib
COPY pipeline /app/pipeline
RUN chmod -R go=rX /app \
 && /opt/venv/bin/python -m compileall -q --invalidation-mode unchecked-hash /app

FROM ${PYTHON_IMAGE}
ENV PATH=/opt/venv/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    PYTHONPATH=/app \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1
WORKDIR /app
COPY --from=build /opt/venv /opt/venv
COPY --from=build /app /app
# For archives that do not fit into memory: where the root file system is read-only, Fargate mounts a volume here and
# gives it the mode of this folder.
VOLUME ["/tmp"]
USER 10001:10001
ENTRYPOINT ["python", "-m", "pipeline"]
CMD ["run"]
