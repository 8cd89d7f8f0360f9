"""One folder of a bucket on the Hub: files put there, listed, brought here and removed."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from huggingface_hub import BucketFile, HfApi

from deftx.jobs.job import JobError


def open_bucket(api: HfApi, bucket: str) -> None:
    """Create a private bucket where there is none; JobError where there is a public one."""
    api.create_bucket(bucket, private=True, exist_ok=True)
    if not api.bucket_info(bucket).private:
        raise JobError(
            f"The bucket {bucket} is public: everybody could read the texts of this training. Make it private on its page "
            "on the Hub, or name another one with DEFTX_JOBS_BUCKET."
        )


class BucketFolder:
    """The files below ``path`` in a bucket; names are relative to that."""

    def __init__(self, api: HfApi, bucket: str, path: str) -> None:
        """Nothing is asked yet."""
        self._api, self.bucket, self.path = api, bucket, path

    def put(self, files: Iterable[tuple[Path | bytes, str]]) -> None:
        """Upload files, or bytes, under their names; what is there is replaced."""
        self._api.batch_bucket_files(self.bucket, add=[(source, f"{self.path}/{name}") for source, name in files])

    def list(self, below: str = "") -> dict[str, BucketFile]:
        """List the files, all or those below a folder, by name."""
        prefix = f"{self.path}/{below}".rstrip("/")
        found = self._api.list_bucket_tree(self.bucket, prefix, recursive=True)
        # A prefix is no folder: others may begin with the same letters.
        files = (one for one in found if isinstance(one, BucketFile) and one.path.startswith(f"{prefix}/"))
        return {one.path.removeprefix(f"{self.path}/"): one for one in files}

    def look(self, name: str) -> BucketFile | None:
        """Describe one file; None where it is not there."""
        return next(iter(self._api.get_bucket_paths_info(self.bucket, [f"{self.path}/{name}"])), None)

    def fetch(self, files: Mapping[str, BucketFile], folder: Path) -> None:
        """Bring files into a folder, under their names."""
        self._api.download_bucket_files(self.bucket, [(file, folder / name) for name, file in files.items()])

    def remove(self) -> None:
        """Remove all that is there."""
        if names := self.list():
            self._api.batch_bucket_files(self.bucket, delete=[f"{self.path}/{name}" for name in names])
