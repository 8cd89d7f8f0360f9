"""A folder in a bucket on the Hub: uploading, listing, downloading and deleting files."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from huggingface_hub import BucketFile, HfApi

from deftx.jobs.job import JobError


def open_bucket(api: HfApi, bucket: str) -> None:
    """Create a private bucket if it does not exist. Raise JobError if it is public."""
    api.create_bucket(bucket, private=True, exist_ok=True)
    if not api.bucket_info(bucket).private:
        raise JobError(
            f"The bucket {bucket} is public, so everybody could read the texts of this training run. Make it private on its "
            "page on the Hub, or set another one with DEFTX_JOBS_BUCKET."
        )


class BucketFolder:
    """The files below ``path`` in a bucket; names are relative to it."""

    def __init__(self, api: HfApi, bucket: str, path: str) -> None:
        """Store the location; no request is sent."""
        self._api, self.bucket, self.path = api, bucket, path

    def put(self, files: Iterable[tuple[Path | bytes, str]]) -> None:
        """Upload files or bytes under their names, replacing existing ones."""
        self._api.batch_bucket_files(self.bucket, add=[(source, f"{self.path}/{name}") for source, name in files])

    def list(self, below: str = "") -> dict[str, BucketFile]:
        """Return the files by name, all or those below a folder."""
        prefix = f"{self.path}/{below}".rstrip("/")
        found = self._api.list_bucket_tree(self.bucket, prefix, recursive=True)
        # The Hub matches prefixes, which other folders can share.
        files = (one for one in found if isinstance(one, BucketFile) and one.path.startswith(f"{prefix}/"))
        return {one.path.removeprefix(f"{self.path}/"): one for one in files}

    def look(self, name: str) -> BucketFile | None:
        """Return information on a file, or None if it does not exist."""
        return next(iter(self._api.get_bucket_paths_info(self.bucket, [f"{self.path}/{name}"])), None)

    def fetch(self, files: Mapping[str, BucketFile], folder: Path) -> None:
        """Download files into a folder, under their names."""
        self._api.download_bucket_files(self.bucket, [(file, folder / name) for name, file in files.items()])

    def remove(self) -> None:
        """Delete all files."""
        if names := self.list():
            self._api.batch_bucket_files(self.bucket, delete=[f"{self.path}/{name}" for name in names])
