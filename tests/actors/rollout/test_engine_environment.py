from emocal_rl.actors.rollout.engine_environment import engine_environment
from emocal_rl.platform.config.cluster import ClusterConfig, RoleResources
from emocal_rl.platform.config.tree import Config


def test_cpu_engines_use_the_reserved_cores_and_no_compiler() -> None:
    config = Config(cluster=ClusterConfig(rollout=RoleResources(num_cpus=3.5)))
    environment = engine_environment(config, use_gpu=False)
    assert environment["OMP_NUM_THREADS"] == "3"
    assert environment["TORCH_COMPILE_DISABLE"] == "1"
    assert engine_environment(Config(cluster=ClusterConfig(rollout=RoleResources(num_cpus=0.5))), use_gpu=False)[
        "OMP_NUM_THREADS"
    ] == ("1")


def test_every_engine_lives_in_the_process_of_its_worker() -> None:
    for use_gpu in (False, True):
        assert engine_environment(Config(), use_gpu=use_gpu)["VLLM_ENABLE_V1_MULTIPROCESSING"] == "0"
    assert "TORCH_COMPILE_DISABLE" not in engine_environment(Config(), use_gpu=True)
