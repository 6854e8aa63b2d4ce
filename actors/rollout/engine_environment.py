from emocal_rl.platform.config.tree import Config


def engine_environment(config: Config, *, use_gpu: bool) -> dict[str, str]:
    """Environment variables a rollout worker's process must start with: vLLM and torch read them when imported.

    On CPU, one thread per reserved core (two on two busy cores are 3 times slower than one), and no torch.compile: it
    spends half a minute on the sampler of the first request.
    """
    shared = {
        "VLLM_ENABLE_V1_MULTIPROCESSING": "0",
        "VLLM_LOGGING_LEVEL": "WARNING",
        "VLLM_NO_USAGE_STATS": "1",
        "TOKENIZERS_PARALLELISM": "false",
    }
    if use_gpu:
        return shared
    return shared | {
        "OMP_NUM_THREADS": str(max(1, int(config.cluster.rollout.num_cpus))),
        "TORCH_COMPILE_DISABLE": "1",
        "VLLM_CPU_OMP_THREADS_BIND": "nobind",
    }
