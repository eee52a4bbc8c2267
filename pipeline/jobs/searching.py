"""The search for images through archives: from redirect to redirect, by joins of names alone."""

from collections.abc import Callable, Iterator
from typing import Any

import apache_beam as beam
from apache_beam.pvalue import PCollection

from openm3w.pipeline.images.resolve import Chase, Found, Resource

Step = Callable[[Chase, list[Resource]], Chase | Found]


def follow(
    chases: PCollection[Chase],
    resources: PCollection[tuple[str, Resource]],
    step: Step,
    *,
    joins: int,
    max_redirects: int,
    label: str = "",
) -> PCollection[Found]:
    """Where each search ends, after at most so many joins with what stands under its key.

    `label` tells a second search in one pipeline from the first.
    """
    ends = []
    for at in range(joins):
        keyed = chases | f"{label}Key {at}" >> beam.Map(lambda c: (c.key, c))
        steps = (
            {"chases": keyed, "at": resources}
            | f"{label}Join {at}" >> beam.CoGroupByKey()
            | f"{label}Step {at}" >> beam.FlatMap(_stepped, step, max_redirects)
        )
        ends.append(steps | f"{label}Ended {at}" >> _only(Found))
        chases = steps | f"{label}Going on {at}" >> _only(Chase)
    lost = chases | f"{label}Lost" >> beam.Map(_lost)
    return (*ends, lost) | f"{label}Ends" >> beam.Flatten()


def _only(kind: type[Chase] | type[Found]) -> beam.PTransform[Any, Any]:
    return beam.Filter(lambda step: isinstance(step, kind)).with_output_types(kind)


def _stepped(
    joined: tuple[str, dict[str, Any]], step: Step, max_redirects: int
) -> Iterator[Chase | Found]:
    _, sides = joined
    resources = list(sides["at"])
    for chase in sides["chases"]:
        after = step(chase, resources)
        if isinstance(after, Chase) and after.hops > max_redirects:
            after = Found(after.origin, reason="too_many_redirects")
        yield after


def _lost(chase: Chase) -> Found:
    return Found(chase.origin, reason="too_many_redirects" if chase.hops else "not_found")
