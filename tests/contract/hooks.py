"""What schemathesis is told about this API beyond its document, and the counts that run.py makes its tables of."""

import atexit
import json
import os
import re
from collections import Counter
from itertools import count
from urllib.parse import urlsplit

import requests
import schemathesis
from schemathesis.core.parameters import ParameterLocation
from schemathesis.generation.meta import CoverageScenario

ROLE = os.environ["CONTRACT_ROLE"]
COUNTS = os.environ["CONTRACT_COUNTS"]

# (phase, operation, kind, status) -> answers. The kind is "other method" when the request was none of the operation.
answers = Counter()
# The version of each resource, by its path.
versions = {}
keys = count(1)
session = requests.Session()

# What the server may say to a request that fits the schema: no schema can tell which cursor was given out, or that a period ends after it begins.
BEYOND_SCHEMAS = {"invalid_cursor", "stale_version", "unsupported_grant_type", "idempotency_key_required"}

# The codes of faults that the schema itself finds. A request that fits the schema must not get one.
SCHEMA_FAULTS = {
    "unknown_member", "required", "wrong_type", "too_long", "too_short", "not_in_list", "too_large", "too_small", "too_many", "too_few",
    "not_unique", "bad_format", "no_match", "nul_character", "invalid_value",
}  # fmt: skip


def is_negative(case, location):
    return case.meta is not None and case.meta.is_negative_at(location)


def scenario(case):
    return getattr(case.meta.phase.data, "scenario", None) if case.meta else None


@schemathesis.hook
def before_call(context, case, kwargs):
    """Gives a well-formed request a key of its own and the present version, so that it gets as far as the use case."""
    if is_negative(case, ParameterLocation.HEADER) or not case.headers:
        return
    if "Idempotency-Key" in case.headers:
        case.headers["Idempotency-Key"] = f"{ROLE}-{next(keys)}"
    if "If-Match" in case.headers and not is_negative(case, ParameterLocation.PATH):
        version = present_version(case, kwargs)
        if version:
            case.headers["If-Match"] = version


def resource_of(path):
    """The resource that a path changes: that of `/v1/visits/1/cancel` is `/v1/visits/1`."""
    parts = path.split("/")
    if "consents" in parts and parts.index("consents") > 3:
        # A consent has the version of its referral.
        return "/".join(parts[: parts.index("consents")])
    known = [index for index, part in enumerate(parts) if len(part) == 36 and part.count("-") == 4]
    return "/".join(parts[: known[-1] + 1]) if known else path


def present_version(case, kwargs):
    url = case.operation.base_url.rstrip("/")
    path = resource_of(case.formatted_path)
    if path not in versions:
        answer = session.get(url + path, headers={"Authorization": kwargs.get("headers", {}).get("Authorization", os.environ["CONTRACT_AUTHORIZATION"])}, timeout=20)
        versions[path] = answer.headers.get("ETag")
    return versions[path]


@schemathesis.hook
def after_call(context, case, response):
    phase = case.meta.phase.name.value if case.meta else "other"
    other = scenario(case) in (CoverageScenario.UNSPECIFIED_HTTP_METHOD,)
    answers[phase, case.operation.definition.raw["operationId"], "other method" if other else "own", response.status_code] += 1
    request = response.request
    path = urlsplit(request.url).path
    if request.method != "GET" and response.status_code < 300:
        etag = response.headers.get("etag")
        # What else a change has moved is read anew.
        versions.clear()
        if etag:
            versions[resource_of(path)] = etag[0]
    elif response.status_code == 412:
        versions.pop(resource_of(path), None)


def of_register(fault):
    """Which municipalities there are changes from year to year: it stands in a register and not in a schema."""
    return fault["code"] == "not_in_list" and re.search(r"/municipalit(y|ies/[0-9]+)$", fault["pointer"])


@schemathesis.hook
def filter_failure(context, failure, case, response):
    """Keeps all failures but one: a request that fits the schema is refused by a rule that no schema can tell."""
    if type(failure).__name__ != "RejectedPositiveData":
        return True
    try:
        problem = json.loads(response.content)
    except ValueError:
        return True
    if problem.get("code") in BEYOND_SCHEMAS or problem.get("error") in BEYOND_SCHEMAS:
        return False
    told_by_schema = r"The form (lacks (token|grant_type)\.|cannot)|A member of the form is too long"
    if problem.get("error") == "invalid_request" and not re.match(told_by_schema, problem["detail"]):
        # Which members of a form go together is said in RFC 6749 and 7523, and not in a schema.
        return False
    if problem.get("code") == "invalid_parameter" and "must not lie before" in problem["detail"]:
        return False
    if problem.get("status") == 422:
        return any(fault["code"] in SCHEMA_FAULTS and not of_register(fault) for fault in problem.get("errors", []))
    return True


@atexit.register
def write_counts():
    with open(COUNTS, "w", encoding="utf-8") as file:
        json.dump([[*key, number] for key, number in sorted(answers.items())], file)
