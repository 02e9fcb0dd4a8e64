"""The values that requests and responses are made of: URLs, fields, queries, forms, uploads, state.

One file for each structure; the names belong here, and `run_in_threadpool` is looked up here whenever it is called.
"""

from __future__ import annotations

from starlette._utils import parse_host_header as parse_host_header
from starlette.concurrency import run_in_threadpool as run_in_threadpool
from starlette.datastructures._headers import Headers as Headers
from starlette.datastructures._headers import MutableHeaders as MutableHeaders
from starlette.datastructures._multidicts import ImmutableMultiDict as ImmutableMultiDict
from starlette.datastructures._multidicts import MultiDict as MultiDict
from starlette.datastructures._multidicts import QueryParams as QueryParams
from starlette.datastructures._settings import CommaSeparatedStrings as CommaSeparatedStrings
from starlette.datastructures._settings import Secret as Secret
from starlette.datastructures._state import State as State
from starlette.datastructures._uploads import FormData as FormData
from starlette.datastructures._uploads import UploadFile as UploadFile
from starlette.datastructures._urls import URL as URL
from starlette.datastructures._urls import Address as Address
from starlette.datastructures._urls import URLPath as URLPath
from starlette.types import Scope as Scope

# COMPAT: pickles, representations and patching tools know the classes by this module.
for _class in (
    Address,
    CommaSeparatedStrings,
    FormData,
    Headers,
    ImmutableMultiDict,
    MultiDict,
    MutableHeaders,
    QueryParams,
    Secret,
    State,
    UploadFile,
    URL,
    URLPath,
):
    _class.__module__ = __name__
