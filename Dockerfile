# A worker of the engine, and every other command of samenloop.
FROM python:3.13-slim
RUN pip install --no-cache-dir uv==0.13.9 && useradd --create-home samenloop
WORKDIR /samenloop
COPY pyproject.toml uv.lock README.md hatch_build.py ./
COPY schemas schemas
COPY streams streams
COPY connectors connectors
COPY samenloop samenloop
RUN uv sync --frozen --no-cache --no-dev --no-editable
USER samenloop
WORKDIR /home/samenloop
ENV PATH=/samenloop/.venv/bin:$PATH
ENTRYPOINT ["samenloop"]
CMD ["worker"]
