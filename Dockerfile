# CPU image: docker build -t emocal-rl . ; GPU image: docker build --build-arg ENGINE=gpu --build-arg BASE=nvidia/cuda:13.0.1-devel-ubuntu24.04 .
ARG BASE=python:3.11-slim-bookworm
FROM ${BASE}
ARG ENGINE=cpu
ENV DEBIAN_FRONTEND=noninteractive PIP_NO_CACHE_DIR=1 PATH=/opt/venv/bin:$PATH
RUN apt-get update \
 && apt-get install -y --no-install-recommends g++ git make python3-dev python3-venv \
 && rm -rf /var/lib/apt/lists/*
WORKDIR /opt/emocal-rl
COPY . .
# g++ stays: DeepSpeed and torch.compile build kernels at first use.
RUN python3 -m venv /opt/venv \
 && if [ "$ENGINE" = cpu ]; then \
      pip install torch==2.13.0+cpu torchvision==0.28.0 --extra-index-url https://download.pytorch.org/whl/cpu; \
    fi \
 && pip install ".[$ENGINE]"
RUN useradd --create-home emocal
USER emocal
WORKDIR /home/emocal
ENTRYPOINT ["emocal-rl"]
CMD ["launch", "--reward", "loglik", "--no-normalize"]
