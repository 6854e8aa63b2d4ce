#!/usr/bin/env bash
# Create .venv and install emocal-rl with the engine extra this machine can run (gpu with an NVIDIA driver, else cpu).
# Usage: scripts/setup.sh [EXTRA...]   e.g. scripts/setup.sh dev
# Re-entrant: a stamp of everything the installation depends on makes the second run a no-op.
set -euo pipefail
cd "$(dirname "$0")/.."

torch_version=2.13.0
python=${PYTHON:-python3}
if command -v nvidia-smi >/dev/null 2>&1 && nvidia-smi -L >/dev/null 2>&1; then engine=gpu; else engine=cpu; fi

"$python" - <<'PY' || exit 1
import sys
if not (3, 11) <= sys.version_info[:2] < (3, 13):
    sys.exit(f"error: Python {sys.version.split()[0]}: emocal-rl needs 3.11 or 3.12. Run: make PYTHON=python3.11 launch")
PY
if ! "$python" -c "import ensurepip" 2>/dev/null; then
  echo "error: $python has no venv support. On Debian or Ubuntu: apt-get install python3-venv" >&2; exit 1
fi
if [ "$engine" = cpu ] && ! command -v g++ >/dev/null 2>&1; then
  echo "error: no C++ compiler: DeepSpeed builds its CPU collectives with g++. On Debian or Ubuntu: apt-get install g++" >&2; exit 1
fi

# What was installed before stays wanted: `make test` after `make launch` adds, `make launch` after it removes nothing.
stamp=.venv/.emocal-rl-setup
wanted=$(printf '%s\n' "$engine" "$@" $(sed -n 's/^extras: //p' "$stamp" 2>/dev/null | tr , ' ') | sort -u | paste -sd,)
digest="$(cat pyproject.toml scripts/setup.sh | sha256sum | cut -d' ' -f1) $("$python" -c 'import sys; print(sys.version.split()[0])')"
if [ -f "$stamp" ] && [ "$(cat "$stamp")" = "extras: $wanted
digest: $digest" ]; then
  exit 0
fi

[ -x .venv/bin/python ] || "$python" -m venv .venv
pip() { .venv/bin/python -m pip --disable-pip-version-check "$@"; }
echo "Installing emocal-rl[$wanted] into .venv (a few minutes the first time) ..."
if [ "$engine" = cpu ]; then
  # The CPU build carries a local version, which plain PyPI does not serve: try the configured sources first, PyTorch's
  # own CPU index only for these two, because an extra index that cannot be reached costs minutes for every package.
  pip install --quiet "torch==$torch_version+cpu" 2>/dev/null ||
    pip install --quiet "torch==$torch_version+cpu" torchvision==0.28.0 --extra-index-url https://download.pytorch.org/whl/cpu
fi
pip install --quiet --editable ".[$wanted]"
printf 'extras: %s\ndigest: %s\n' "$wanted" "$digest" >"$stamp"
echo "Done: .venv/bin/emocal-rl"
