"""How fast the auditor is: ``samenloop archive``, ``replay`` and ``verify`` after the workload, as a user would call them."""

from bench.called import called
from bench.cluster import Cluster, broker_in
from bench.engine import Worker
from bench.machine import commit
from bench.plan import Plan
from bench.results import Audit, now
from bench.rounds import filled_cluster, workload_of


def audit(plan: Plan) -> Audit:
    """The workload is done, archived, replayed and judged; each command must find that all is as it has to be."""
    folder, prepared = workload_of(plan)
    with broker_in(plan.work / "audit") as broker, filled_cluster(broker, folder, prepared) as cluster:
        _worked(cluster)
        archive = cluster.folder / "archive"
        at = ("--brokers", cluster.brokers, "--data", str(cluster.folder), "--catalogus", str(folder))
        archived = called("archive", "--out", str(archive), *at)
        replayed, verified = (called(command, "--archive", str(archive)) for command in ("replay", "verify"))
    found, mutations = (archived, replayed, verified), prepared.size.mutations
    wrong = [f.command for f in found if f.exit_code or (f is verified and f.said["mutaties"] != mutations)]
    return Audit(
        now(),
        commit(),
        mutations,
        archive_s=round(mutations / archived.seconds),
        replay_s=round(mutations / replayed.seconds),
        replay_cpu_s_a_million=round(replayed.cpu * 1e6 / mutations, 1),
        verify_s=round(mutations / verified.seconds),
        verify_after_load_s=0 if wrong else round(mutations / _after_load(verified.said["seconden"])),
        fault=f"{', '.join(wrong)} found that not all is as it has to be" if wrong else None,
    )


def _after_load(seconds: dict[str, float]) -> float:
    return sum(took for stage, took in seconds.items() if stage != "lezen")


def _worked(cluster: Cluster) -> None:
    worker = Worker(cluster)
    try:
        worker.start()
        worker.until_committed(cluster.ends(cluster.sources))
        worker.stop()
    finally:
        worker.kill()
