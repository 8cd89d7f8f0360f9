# The studio as a Hugging Face Space (sdk: docker), or in any container: docs/deploy.md.
FROM python:3.11-slim

# Which torch: "cuda" (the registry's own build: with a GPU or without), or "cpu" (much smaller, never a GPU).
# A Space passes its variables on as build arguments, so that there TORCH=cpu is a variable in its settings.
ARG TORCH=cuda

# The rule of Spaces: everything runs as user 1000, and a bucket may be mounted at /data when it starts.
RUN useradd -m -u 1000 user && mkdir /data && chown 1000:1000 /data

USER 1000
ENV HOME=/home/user \
    PATH=/home/user/venv/bin:$PATH
RUN python -m venv /home/user/venv
WORKDIR /home/user/app

COPY --chown=1000 requirements-library.txt ./
COPY --chown=1000 requirements.txt ./
RUN if [ "$TORCH" = cpu ]; then \
        pip install --no-cache-dir torch==2.13.0 --index-url https://download.pytorch.org/whl/cpu; \
    fi && \
    pip install --no-cache-dir -r requirements.txt

COPY --chown=1000 . ./

ENV DEFTX_CONTAINER=1 \
    DEFTX_PERSISTENT=/data \
    DEFTX_LOCAL=/home/user/studio \
    HF_HOME=/home/user/.cache/huggingface \
    GRADIO_TEMP_DIR=/home/user/uploads \
    GRADIO_SERVER_NAME=0.0.0.0 \
    GRADIO_SERVER_PORT=7860 \
    GRADIO_SSR_MODE=False \
    PYTHONUNBUFFERED=1

EXPOSE 7860
HEALTHCHECK --start-period=120s --interval=30s --timeout=5s \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:7860/health', timeout=4)"]
STOPSIGNAL SIGTERM
CMD ["python", "app.py"]
