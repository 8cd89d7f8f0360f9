"""The Hugging Face Hub as this project speaks to it: one client, ids with a revision, and who may write where."""

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

WRITING_ROLES = ("admin", "write", "contributor")  # of a member in an organisation; a contributor may make repositories
WRITE_SCOPES = ("repo.write", "repo.content.write")  # of a fine-grained token

_NAMED = re.compile(r"(?P<id>[\w.-]+/[\w.-]+)(@(?P<revision>\w[\w.-]*(/\w[\w.-]*)*))?", re.ASCII)


@dataclass(frozen=True)
class HubName:
    """A repository (owner/name) and, where one was asked for, its revision: a branch, a tag or a commit."""

    id: str
    revision: str | None = None

    def __str__(self) -> str:
        """Write it as it is typed."""
        return f"{self.id}@{self.revision}" if self.revision else self.id


@dataclass(frozen=True)
class Target:
    """A repository that may be written to: as whom, whether it is there already, and if so, whether it is private."""

    repository: str
    account: str
    private: bool | None  # None: it is not there yet
    kind: str = "model"  # or "space", as the Hub says


def hub(token: str | None = None) -> HfApi:
    """Return a client for ``HF_ENDPOINT`` as it is now; ``token`` stands for this client alone and is kept nowhere.

    Without a token the environment's (HF_TOKEN) or that of ``hf auth login`` is used, where there is one.
    """
    endpoint = os.environ.get("HF_ENDPOINT", "").rstrip("/") or constants.ENDPOINT
    return HfApi(endpoint=endpoint, token=token or None, library_name="deftx", library_version=deftx.__version__)


def read_name(text: str) -> HubName | None:
    """Read ``OWNER/NAME``, ``OWNER/NAME@REVISION`` or the address of a repository's page; None for anything else."""
    match = _NAMED.fullmatch(text.strip().removeprefix("https://huggingface.co/").rstrip("/"))
    if not match:
        return None
    try:
        validate_repo_id(match["id"])
    except HFValidationError:
        return None
    return HubName(match["id"], match["revision"])


def check_push(api: HfApi, repository: str, kind: str = "model") -> Target:
    """Ask the Hub who is logged in and whether that account may write to a repository, without changing anything.

    ``kind`` is "model" or "space": the Hub knows repositories of the same name of either kind.

    Raises:
        HubError: no or a wrong token, one that may only read, somebody else's repository, or no answer.
    """
    name = read_name(repository)
    if name is None or name.revision:
        raise HubError(
            f"{repository.strip()[:120]!r} is not the id of a repository on the Hub. It looks like owner/name."
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
            raise HubError(f"{name.id} was renamed: it is {found.id} now. Push to that name, or choose another.")
        api.auth_check(name.id, repo_type=kind, write=True)
    except FAMILIES as error:
        raise HubError(_refused(error, name.id)) from error
    return Target(name.id, account["name"], bool(found.private), kind)


def _check_token(account: dict[str, Any], repository: str) -> None:
    token = (account.get("auth") or {}).get("accessToken") or {}
    if token.get("role") == "read":
        raise HubError(
            f"The token of {account['name']} may only read. Make one that may write to {repository} on the Hub "
            "(Settings, Access Tokens) and use that."
        )
    if token.get("role") == "fineGrained" and not _scoped(token.get("fineGrained") or {}, repository):
        raise HubError(
            f"The token of {account['name']} may not write to {repository}. Give it write access to the "
            f"repositories of {repository.split('/')[0]} on the Hub (Settings, Access Tokens)."
        )


def _scoped(scopes: dict[str, Any], repository: str) -> bool:
    """Say whether a fine-grained token may write to a repository or to those of its owner."""
    owner = repository.split("/")[0]
    granted = list(scopes.get("global") or [])
    for scope in scopes.get("scoped") or []:
        if (scope.get("entity") or {}).get("name") in (owner, repository):
            granted += scope.get("permissions") or []
    return any(permission in WRITE_SCOPES for permission in granted)


def _check_owner(account: dict[str, Any], repository: str) -> None:
    """Refuse a new repository of an owner who is neither the account nor an organisation in which it may write."""
    owner = repository.split("/")[0]
    roles = {one.get("name"): one.get("roleInOrg") for one in account.get("orgs") or []}
    if owner == account["name"] or roles.get(owner) in WRITING_ROLES:
        return
    where = (
        f"you may only read in {owner}" if owner in roles else f"{owner} is neither you nor an organisation of yours"
    )
    raise HubError(
        f"You are {account['name']} on the Hub, and {where}: {repository} cannot be made. "
        f"Push to {account['name']}/{repository.split('/')[1]} instead."
    )


def _refused(error: Exception, repository: str) -> str:
    response = getattr(error, "response", None)
    if isinstance(response, httpx2.Response) and response.status_code == 403:
        return f"Your account or its token has no right to write to {repository}. Choose a repository of your own."
    return explain_hub(error, f"repository {repository}", "try again later; nothing was changed")
