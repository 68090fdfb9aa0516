"""The OpenAPI document that the program serves, read by a validator that knows nothing of this project.

    document.py --url URL --golden schemas/openapi.json --results FILE
"""

import argparse
import copy
import json
import sys

from openapi_spec_validator import OpenAPIV31SpecValidator

from checks import Checks
from ledger import Ledger


def faults(document: dict) -> list:
    return [error.message[:200] for error in OpenAPIV31SpecValidator(document).iter_errors()]


def spoilt(document: dict):
    """Documents that are none, so that a validator which finds nothing is found out."""
    nowhere = copy.deepcopy(document)
    nowhere["paths"]["/v1/alerts"]["get"]["parameters"][0]["in"] = "nowhere"
    yield "a parameter that stands nowhere", nowhere
    unnamed = copy.deepcopy(document)
    unnamed["paths"]["/v1/decisions/{index}"]["get"]["parameters"] = []
    yield "a path whose parameter is not described", unnamed
    no_schema = copy.deepcopy(document)
    no_schema["components"]["schemas"]["Alert"]["type"] = "person"
    yield "a schema that is none", no_schema


def main() -> int:
    parser = argparse.ArgumentParser()
    for name in ("--url", "--golden", "--results"):
        parser.add_argument(name, required=True)
    arguments = parser.parse_args()
    checks = Checks(arguments.results)
    with checks.part("the OpenAPI document can be read"):
        answer = Ledger(arguments.url).call("/openapi.json")
        document = answer.json()
        checks.record(answer.content_type == "application/json", "the OpenAPI document is JSON", answer.content_type)
        with open(arguments.golden, encoding="utf-8") as file:
            checks.record(document == json.load(file), "it is schemas/openapi.json")
        found = faults(document)
        checks.record(not found, "it is a valid OpenAPI 3.1 document", "; ".join(found[:3]))
        for name, wrong in spoilt(document):
            checks.record(bool(faults(wrong)), f"the validator refuses {name}")
    return 1 if checks.failed else 0


if __name__ == "__main__":
    sys.exit(main())
