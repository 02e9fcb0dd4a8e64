"""Status codes of HTTP responses (RFC 9110 §15, IANA registry) and WebSocket close codes (RFC 6455 §7.4).

Plain integers, each named after its number and its reason phrase.
"""

from __future__ import annotations

import warnings as _warnings
from typing import Final

from starlette.exceptions import StarletteDeprecationWarning as StarletteDeprecationWarning

# 1xx: the request was received, go on (RFC 9110 §15.2; 102: RFC 2518; 103: RFC 8297).
HTTP_100_CONTINUE: Final = 100
HTTP_101_SWITCHING_PROTOCOLS: Final = 101
HTTP_102_PROCESSING: Final = 102
HTTP_103_EARLY_HINTS: Final = 103

# 2xx: it succeeded (RFC 9110 §15.3; 207, 208: WebDAV, RFC 4918 and 5842; 226: RFC 3229).
HTTP_200_OK: Final = 200
HTTP_201_CREATED: Final = 201
HTTP_202_ACCEPTED: Final = 202
HTTP_203_NON_AUTHORITATIVE_INFORMATION: Final = 203
HTTP_204_NO_CONTENT: Final = 204
HTTP_205_RESET_CONTENT: Final = 205
HTTP_206_PARTIAL_CONTENT: Final = 206
HTTP_207_MULTI_STATUS: Final = 207
HTTP_208_ALREADY_REPORTED: Final = 208
HTTP_226_IM_USED: Final = 226

# 3xx: something remains to be done (RFC 9110 §15.4). 306 is reserved; `http.HTTPStatus` does not know it.
HTTP_300_MULTIPLE_CHOICES: Final = 300
HTTP_301_MOVED_PERMANENTLY: Final = 301
HTTP_302_FOUND: Final = 302
HTTP_303_SEE_OTHER: Final = 303
HTTP_304_NOT_MODIFIED: Final = 304
HTTP_305_USE_PROXY: Final = 305
HTTP_306_RESERVED: Final = 306
HTTP_307_TEMPORARY_REDIRECT: Final = 307
HTTP_308_PERMANENT_REDIRECT: Final = 308

# 4xx: the client is at fault (RFC 9110 §15.5; 423, 424: RFC 4918; 425: RFC 8470; 428 to 431: RFC 6585; 451: RFC 7725).
HTTP_400_BAD_REQUEST: Final = 400
HTTP_401_UNAUTHORIZED: Final = 401
HTTP_402_PAYMENT_REQUIRED: Final = 402
HTTP_403_FORBIDDEN: Final = 403
HTTP_404_NOT_FOUND: Final = 404
HTTP_405_METHOD_NOT_ALLOWED: Final = 405
HTTP_406_NOT_ACCEPTABLE: Final = 406
HTTP_407_PROXY_AUTHENTICATION_REQUIRED: Final = 407
HTTP_408_REQUEST_TIMEOUT: Final = 408
HTTP_409_CONFLICT: Final = 409
HTTP_410_GONE: Final = 410
HTTP_411_LENGTH_REQUIRED: Final = 411
HTTP_412_PRECONDITION_FAILED: Final = 412
HTTP_413_CONTENT_TOO_LARGE: Final = 413
HTTP_414_URI_TOO_LONG: Final = 414
HTTP_415_UNSUPPORTED_MEDIA_TYPE: Final = 415
HTTP_416_RANGE_NOT_SATISFIABLE: Final = 416
HTTP_417_EXPECTATION_FAILED: Final = 417
HTTP_418_IM_A_TEAPOT: Final = 418
HTTP_421_MISDIRECTED_REQUEST: Final = 421
HTTP_422_UNPROCESSABLE_CONTENT: Final = 422
HTTP_423_LOCKED: Final = 423
HTTP_424_FAILED_DEPENDENCY: Final = 424
HTTP_425_TOO_EARLY: Final = 425
HTTP_426_UPGRADE_REQUIRED: Final = 426
HTTP_428_PRECONDITION_REQUIRED: Final = 428
HTTP_429_TOO_MANY_REQUESTS: Final = 429
HTTP_431_REQUEST_HEADER_FIELDS_TOO_LARGE: Final = 431
HTTP_451_UNAVAILABLE_FOR_LEGAL_REASONS: Final = 451

# 5xx: the server is at fault (RFC 9110 §15.6; 506: RFC 2295; 507, 508: WebDAV; 510: RFC 2774; 511: RFC 6585).
HTTP_500_INTERNAL_SERVER_ERROR: Final = 500
HTTP_501_NOT_IMPLEMENTED: Final = 501
HTTP_502_BAD_GATEWAY: Final = 502
HTTP_503_SERVICE_UNAVAILABLE: Final = 503
HTTP_504_GATEWAY_TIMEOUT: Final = 504
HTTP_505_HTTP_VERSION_NOT_SUPPORTED: Final = 505
HTTP_506_VARIANT_ALSO_NEGOTIATES: Final = 506
HTTP_507_INSUFFICIENT_STORAGE: Final = 507
HTTP_508_LOOP_DETECTED: Final = 508
HTTP_510_NOT_EXTENDED: Final = 510
HTTP_511_NETWORK_AUTHENTICATION_REQUIRED: Final = 511

# Why a WebSocket was closed (RFC 6455 §7.4.1; 1012 to 1014: IANA registry). 1005, 1006 and 1015 are never sent.
WS_1000_NORMAL_CLOSURE: Final = 1000
WS_1001_GOING_AWAY: Final = 1001
WS_1002_PROTOCOL_ERROR: Final = 1002
WS_1003_UNSUPPORTED_DATA: Final = 1003
WS_1005_NO_STATUS_RCVD: Final = 1005
WS_1006_ABNORMAL_CLOSURE: Final = 1006
WS_1007_INVALID_FRAME_PAYLOAD_DATA: Final = 1007
WS_1008_POLICY_VIOLATION: Final = 1008
WS_1009_MESSAGE_TOO_BIG: Final = 1009
WS_1010_MANDATORY_EXT: Final = 1010
WS_1011_INTERNAL_ERROR: Final = 1011
WS_1012_SERVICE_RESTART: Final = 1012
WS_1013_TRY_AGAIN_LATER: Final = 1013
WS_1014_BAD_GATEWAY: Final = 1014
WS_1015_TLS_HANDSHAKE: Final = 1015

# Every constant so far, and nothing of what follows: a star import must not touch a deprecated name.
__all__ = [_name for _name in globals() if _name.startswith(("HTTP_", "WS_"))]  # pyright: ignore[reportUnsupportedDunderAll]

# Names of earlier releases, with the numbers that they had then.
WS_1004_NO_STATUS_RCVD: Final = 1004
WS_1005_ABNORMAL_CLOSURE: Final = 1005

# Old phrases that RFC 9110 renamed, and the constants to use.
_RENAMED: Final = {
    "HTTP_413_REQUEST_ENTITY_TOO_LARGE": "HTTP_413_CONTENT_TOO_LARGE",
    "HTTP_414_REQUEST_URI_TOO_LONG": "HTTP_414_URI_TOO_LONG",
    "HTTP_416_REQUESTED_RANGE_NOT_SATISFIABLE": "HTTP_416_RANGE_NOT_SATISFIABLE",
    "HTTP_422_UNPROCESSABLE_ENTITY": "HTTP_422_UNPROCESSABLE_CONTENT",
}
__deprecated__: Final[dict[str, int]] = {old: globals()[new] for old, new in _RENAMED.items()}


def __getattr__(name: str) -> int:
    if name not in __deprecated__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    # Nothing is stored, so every access warns; the line that is shown is the one that uses the old name.
    message = f"{name!r} is deprecated. Use {_RENAMED[name]!r} instead."
    _warnings.warn(message, StarletteDeprecationWarning, stacklevel=2)
    return __deprecated__[name]


def __dir__() -> list[str]:
    return sorted([*__all__, *__deprecated__])
