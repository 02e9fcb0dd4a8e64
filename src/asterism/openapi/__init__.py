"""OpenAPI 3.1 documents of applications, made from routes, types and docstrings, and pages that show them.

    from asterism.openapi import OpenAPI

    openapi = OpenAPI(title="Shop", version="1.0")
    app = Starlette(routes=[*routes, *openapi.routes()])

serves the document at `/openapi.json` and a page at `/docs`. `asterism openapi module:app` prints the document.
Needs msgspec (extra `api`); YAML in docstrings needs pyyaml (extra `full`).
"""

from __future__ import annotations

from asterism.openapi._openapi import OpenAPI as OpenAPI
from asterism.openapi._security import Scheme as Scheme
from asterism.openapi._security import api_key as api_key
from asterism.openapi._security import basic as basic
from asterism.openapi._security import bearer as bearer
from asterism.openapi._security import oauth2 as oauth2
from asterism.openapi._security import openid_connect as openid_connect

__all__ = ["OpenAPI", "Scheme", "api_key", "basic", "bearer", "oauth2", "openid_connect"]
