"""Predicting the scans of a workspace: alone with the next scan read and the last one stored meanwhile, or several
processes at once. Voxels are stored here; rows are the caller's."""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import NamedTuple

from flaredb.catalog.labels import Presence
from flaredb.errors import FlareError, StorageError
from flaredb.labels.mappings import Mapping
from flaredb.trainers import checkpoint, runtime
from flaredb.trainers.predict import Prediction, Predictor
from flaredb.volumes.reader import Volume
from flaredb.volumes.store import VolumeStore
from flaredb.workflow.executors import end_with_parent, in_order
from flaredb.workflow.ingest.labels import find_presence
from flaredb.workflow.predict.plan import Member, Plan, Sure, finish_one, make_predictor

_AHEAD = 64  # slices of the next scan that are read while one computes


class Job(NamedTuple):
    """What a process needs to predict. The members' weights are read from the folders."""

    volumes: Path
    members: tuple[Member, ...]
    folders: tuple[Path, ...]
    plan: Plan
    mapping: Mapping


class Made(NamedTuple):
    """A stored prediction: its volume, what it holds, how sure it is."""

    volume: str
    codes: Mapping
    presence: dict[str, Presence]
    sure: Sure


def predicted(job: Job, images: Sequence[str]) -> Iterator[Future[Made]]:
    """A finished future for each image digest, in order; StorageError in it where a volume cannot be had."""
    if job.plan.options.workers > 1 and len(images) > 1:
        yield from _several(job, images)
    else:
        yield from _alone(job, images)


def _alone(job: Job, images: Sequence[str]) -> Iterator[Future[Made]]:
    store = VolumeStore(job.volumes)
    predictor = _predictor(job)

    def opened(image: str) -> Volume:
        volume = store.open(image)
        volume.read((slice(0, min(_AHEAD, volume.shape[0])), slice(None), slice(None)))
        return volume

    with ThreadPoolExecutor(1) as behind:
        last: Future[Made] | None = None
        for _, coming in in_order(opened, images, workers=1):
            made = _computed(predictor, coming)
            if last is not None:
                yield _waited(last)
            last = behind.submit(_stored, job, store, coming, made)
        if last is not None:
            yield _waited(last)


def _computed(predictor: Predictor, coming: Future[Volume]) -> Prediction | StorageError:
    try:
        return predictor.run(coming.result())
    except StorageError as error:
        return error


def _stored(job: Job, store: VolumeStore, image: Future[Volume], prediction: Prediction | StorageError) -> Made:
    if isinstance(prediction, StorageError):
        raise prediction
    grid = image.result().grid
    codes, sure = finish_one(job.plan, prediction, grid)
    return Made(store.put_label(codes, grid).volume, job.mapping, find_presence(codes, job.mapping), sure)


def _waited(future: Future[Made]) -> Future[Made]:
    future.exception()
    return future


def _predictor(job: Job) -> Predictor:
    weights = [checkpoint.published(folder) for folder in job.folders]
    members = [member._replace(weights=own) for member, own in zip(job.members, weights, strict=True)]
    return make_predictor(members, job.plan.options)


def _several(job: Job, images: Sequence[str]) -> Iterator[Future[Made]]:
    """Processes that are spawned, because tensorstore survives no fork."""
    workers = min(job.plan.options.workers, len(images))
    context = multiprocessing.get_context("spawn")
    threads = max(1, (os.cpu_count() or 1) // workers)
    with ProcessPoolExecutor(workers, context, _begin, (job, threads)) as pool:
        futures = [pool.submit(_work, image) for image in images]
        try:
            for future in futures:
                if isinstance(_waited(future).exception(), BrokenProcessPool):
                    raise FlareError("a worker died, perhaps for want of memory; give fewer --workers and run it again")
                yield future
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


class _Worker(NamedTuple):
    job: Job
    store: VolumeStore
    predictor: Predictor


_worker: list[_Worker] = []  # of this process, if it is one


def _begin(job: Job, threads: int) -> None:
    runtime.set_threads(threads)
    threading.Thread(target=end_with_parent, daemon=True).start()
    _worker.append(_Worker(job, VolumeStore(job.volumes), _predictor(job)))


def _work(image: str) -> Made:
    (worker,) = _worker
    opened: Future[Volume] = Future()
    opened.set_result(worker.store.open(image))
    return _stored(worker.job, worker.store, opened, worker.predictor.run(opened.result()))
