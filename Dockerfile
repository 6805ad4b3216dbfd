# The demo on CPUs, with nothing to download once it is built:
#   docker build -t input-iba .
#   docker run --rm -v "$PWD/workdirs:/home/user/workdirs" input-iba
# Other commands stand behind the name: docker run --rm input-iba attribute --help
FROM python:3.11-slim

RUN useradd --create-home --uid 1000 user
WORKDIR /src
COPY pyproject.toml setup.py README.md LICENSE ./
COPY input_iba input_iba
COPY configs configs
COPY resources resources
# Of torch the build for CPUs alone, which is far smaller.
# hadolint ignore=DL3013
RUN pip install --no-cache-dir --extra-index-url https://download.pytorch.org/whl/cpu ".[samples,text]" \
    && rm -rf /src/*

USER 1000
WORKDIR /home/user
ENTRYPOINT ["input-iba"]
CMD ["demo"]
