"""Client of the Hugging Face Hub: repository ids with revisions, and checks of write access."""

import os
import re
from dataclasses import dataclass
from typing import Any

import httpx2
from huggingface_hub import HfApi, constants
from huggingface_hub.errors import HFValidationError, RepositoryNotFoundError
from huggingface_hub.utils import validate_repo_id

import deftx
from deftx.core.errors import HubError
from deftx.hub.errors import FAMILIES, explain_hub

WRITING_ROLES = ("admin", "write", "contributor")  # roles in an organisation; contributors may create repositories
WRITE_SCOPES = ("repo.write", "repo.content.write")  # permissions of a fine-grained token

_NAMED = re.compile(r"(?P<id>[\w.-]+/[\w.-]+)(@(?P<revision>\w[\w.-]*(/\w[\w.-]*)*))?", re.ASCII)


@dataclass(frozen=True)
class HubName:
    """A repository (owner/name) and optionally a revision: a branch, tag or commit."""

    id: str
    revision: str | None = None

    def __str__(self) -> str:
        """Return the name as users write it."""
        return f"{self.id}@{self.revision}" if self.revision else self.id


@dataclass(frozen=True)
class Target:
    """A repository with write access: the account, and whether the repository exists and is private."""

    repository: str
    account: str
    private: bool | None  # None: it does not exist yet
    kind: str = "model"  # or "space"


def hub(token: str | None = None) -> HfApi:
    """Return a client for the current ``HF_ENDPOINT``. A given ``token`` is used by this client only and never stored.

    Without a token, HF_TOKEN or that of ``hf auth login`` is used, if there is one.
    """
    endpoint = os.environ.get("HF_ENDPOINT", "").rstrip("/") or constants.ENDPOINT
    return HfApi(endpoint=endpoint, token=token or None, library_name="deftx", library_version=deftx.__version__)


def read_name(text: str) -> HubName | None:
    """Parse ``OWNER/NAME``, ``OWNER/NAME@REVISION`` or the URL of a repository. Return None for anything else."""
    match = _NAMED.fullmatch(text.strip().removeprefix("https://huggingface.co/").rstrip("/"))
    if not match:
        return None
    try:
        validate_repo_id(match["id"])
    except HFValidationError:
        return None
    return HubName(match["id"], match["revision"])


def check_push(api: HfApi, repository: str, kind: str = "model") -> Target:
    """Check that the logged-in account may write to a repository, without changing anything.

    ``kind`` is "model" or "space"; repositories of different kinds can have the same name.

    Raises:
        HubError: If the token is missing, invalid or read-only, the account has no write access, or the Hub does not answer.
    """
    name = read_name(repository)
    if name is None or name.revision:
        raise HubError(
            f"{repository.strip()[:120]!r} is not the id of a repository on the Hub. An id has the form owner/name."
        )
    try:
        account = api.whoami()
        _check_token(account, name.id)
        try:
            found = api.repo_info(name.id, repo_type=kind, timeout=20)
        except RepositoryNotFoundError:
            _check_owner(account, name.id)
            return Target(name.id, account["name"], None, kind)
        if found.id != name.id:
            raise HubError(f"{name.id} was renamed to {found.id}. Push to that name, or choose another.")
        api.auth_check(name.id, repo_type=kind, write=True)
    except FAMILIES as error:
        raise HubError(_refused(error, name.id)) from error
    return Target(name.id, account["name"], bool(found.private), kind)


def _check_token(account: dict[str, Any], repository: str) -> None:
    token = (account.get("auth") or {}).get("accessToken") or {}
    if token.get("role") == "read":
        raise HubError(
            f"The token of {account['name']} is read-only. Create a token with write access to {repository} on the Hub "
            "(Settings, Access Tokens)."
        )
    if token.get("role") == "fineGrained" and not _scoped(token.get("fineGrained") or {}, repository):
        raise HubError(
            f"The token of {account['name']} has no write access to {repository}. Give it write access to the "
            f"repositories of {repository.split('/')[0]} on the Hub (Settings, Access Tokens)."
        )


def _scoped(scopes: dict[str, Any], repository: str) -> bool:
    """Return whether a fine-grained token may write to a repository or to all those of its owner."""
    owner = repository.split("/")[0]
    granted = list(scopes.get("global") or [])
    for scope in scopes.get("scoped") or []:
        if (scope.get("entity") or {}).get("name") in (owner, repository):
            granted += scope.get("permissions") or []
    return any(permission in WRITE_SCOPES for permission in granted)


def _check_owner(account: dict[str, Any], repository: str) -> None:
    """Raise HubError unless the account may create a repository of this owner."""
    owner = repository.split("/")[0]
    roles = {one.get("name"): one.get("roleInOrg") for one in account.get("orgs") or []}
    if owner == account["name"] or roles.get(owner) in WRITING_ROLES:
        return
    where = f"you have no write access to {owner}" if owner in roles else f"you are not a member of {owner}"
    raise HubError(
        f"You are logged in to the Hub as {account['name']}, and {where}: {repository} cannot be created. "
        f"Push to {account['name']}/{repository.split('/')[1]} instead."
    )


def _refused(error: Exception, repository: str) -> str:
    response = getattr(error, "response", None)
    if isinstance(response, httpx2.Response) and response.status_code == 403:
        return f"Your account or token has no write access to {repository}. Choose a repository of your own."
    return explain_hub(error, f"repository {repository}", "try again later; nothing was changed")
