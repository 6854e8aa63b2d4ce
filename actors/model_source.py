from pathlib import Path

from emocal_rl.actors.model_files import check_model_files
from emocal_rl.platform.config.model import ModelConfig
from emocal_rl.platform.errors import ModelError


def local_model(config: ModelConfig) -> Path | None:
    """Return the directory of `config.path`; None for a hub id, which `fetch_model` would download.

    Raises:
        ModelError: there is no such directory, or the checkpoint lacks something a role needs.
    """
    assert config.path is not None
    directory = Path(config.path)
    if not directory.exists() and _is_hub_id(config.path):
        return None
    check_model_files(directory)
    return directory.resolve()


def fetch_model(config: ModelConfig) -> Path:
    """Return the local directory of `config.path`, downloading a hub id at its revision first.

    On a cluster the directory must be on a file system that every node shares.

    Raises:
        ModelError: there is no such directory or hub model, or the checkpoint lacks something a role needs.
    """
    assert config.path is not None
    directory = local_model(config)
    if directory is None:
        directory = _download(config.path, config.revision)
        check_model_files(directory)
    return directory.resolve()


def _is_hub_id(path: str) -> bool:
    return path.count("/") == 1 and not path.startswith((".", "/", "~"))


def _download(hub_id: str, revision: str | None) -> Path:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

    try:
        return Path(snapshot_download(hub_id, revision=revision))
    except (HfHubHTTPError, HFValidationError, LocalEntryNotFoundError, OSError) as error:
        raise ModelError(
            "model.path",
            hub_id,
            rule=f"neither a local directory nor a hub model that can be reached ({str(error).splitlines()[0]})",
            fix="Check the name, the network, or download it first and pass the directory",
        ) from error
