"""The five jobs of a build: for each, what one unit of work does, and the Beam graph around it."""

from typing import Literal

Job = Literal["documents", "dedup", "images", "scores", "shards"]
JOBS: tuple[Job, ...] = ("documents", "dedup", "images", "scores", "shards")
