"""Lints the templates in this directory, in their source form and after the SAM transform.

Three checks complement each other. cfn-lint checks the source. cfn-lint checks the transformed template,
because it ignores the policies of a source with a transform. parliament checks every policy against the
actions, resources and condition keys of each service.

Runs offline, with the packages of tests/tools/aws-lint/requirements.txt. Prints every finding. The exit code
is 1 if there is a finding, or if an accepted finding no longer occurs.
"""

import json
import os
import re
import sys
import tempfile
from pathlib import Path

from cfnlint.api import lint_file
from cfnlint.config import ManualArgs
from parliament import analyze_policy_string
from samtranslator.public.translator import ManagedPolicyLoader
from samtranslator.translator.transform import transform
from samtranslator.yaml_helper import yaml_parse

HERE = Path(__file__).resolve().parent
TEMPLATES = ["template.yaml", "site.yaml"]
REGION = "us-east-1"
ACCOUNT = "123456789012"

# Accepted findings: all texts of a row occur in the finding.
ACCEPTED = [
    # A rule of the template refuses the empty default wherever it would be used.
    ("W1030", "TableStreamArn"),
    ("W1030", "CertificateArn"),
]

# Sample values of `Ref` (the empty attribute) and `Fn::GetAtt` per resource type, in the format that policies expect.
VALUES = {
    ("AWS::DynamoDB::Table", "StreamArn"): "arn:aws:dynamodb:{region}:{account}:table/sample/stream/sample",
    ("AWS::Events::EventBus", "Arn"): "arn:aws:events:{region}:{account}:event-bus/sample",
    ("AWS::Events::Rule", "Arn"): "arn:aws:events:{region}:{account}:rule/sample",
    ("AWS::Logs::LogGroup", "Arn"): "arn:aws:logs:{region}:{account}:log-group:sample:*",
    ("AWS::S3::Bucket", "Arn"): "arn:aws:s3:::sample",
    ("AWS::SecretsManager::Secret", ""): "arn:aws:secretsmanager:{region}:{account}:secret:sample-AbCdEf",
    ("AWS::SQS::Queue", "Arn"): "arn:aws:sqs:{region}:{account}:sample",
    ("AWS::CloudFront::Distribution", ""): "SAMPLE",
}
PSEUDO = {"AWS::Partition": "aws", "AWS::Region": REGION, "AWS::AccountId": ACCOUNT, "AWS::URLSuffix": "amazonaws.com"}
PARAMETERS = {
    "TableStreamArn": VALUES["AWS::DynamoDB::Table", "StreamArn"],
    "MailFrom": "sample@example.com",
    "SesIdentity": "example.com",
}


def read(path):
    """Reads a template and expands short tags such as `!Ref`."""
    return yaml_parse(path.read_text())


def transformed(template):
    """Applies the SAM transform, with code locations that look uploaded."""
    if "Transform" not in template:
        return template
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::Serverless::Function":
            resource["Properties"]["CodeUri"] = "s3://sample/code.zip"
    os.environ["AWS_DEFAULT_REGION"] = REGION
    return transform(template, {}, ManagedPolicyLoader(None))


class Resolver:
    """Resolves intrinsic functions in a policy. `branch` (1 or 2) is the argument of `Fn::If` to use."""

    def __init__(self, template, branch):
        self.template = template
        self.branch = branch

    def value(self, node):
        if isinstance(node, list):
            return [self.value(item) for item in node]
        if not isinstance(node, dict):
            return node
        if len(node) == 1:
            function, argument = next(iter(node.items()))
            if function == "Ref":
                return self.named(argument, "")
            if function == "Fn::GetAtt":
                name, attribute = argument if isinstance(argument, list) else argument.split(".", 1)
                return self.named(name, attribute)
            if function == "Fn::Sub":
                return re.sub(r"\$\{([\w:]+)\.?(\w*)\}", lambda found: self.named(*found.groups()), argument)
            if function == "Fn::If":
                return self.value(argument[self.branch])
        return {key: self.value(value) for key, value in node.items()}

    def named(self, name, attribute):
        if name in PSEUDO:
            return PSEUDO[name]
        if name in self.template["Parameters"]:
            text = PARAMETERS.get(name) or self.template["Parameters"][name].get("Default")
        else:
            text = VALUES[self.template["Resources"][name]["Type"], attribute]
        return text.format(region=REGION, account=ACCOUNT)


def policies(template):
    """Yields each policy document with its location."""
    for name, resource in template["Resources"].items():
        properties = resource.get("Properties", {})
        if "PolicyDocument" in properties:
            yield name, properties["PolicyDocument"]
        for policy in properties.get("Policies", []) if isinstance(properties.get("Policies"), list) else []:
            yield f"{name}/{policy['PolicyName']}", policy["PolicyDocument"]


def check_policies(title, template):
    found = set()
    checked = 0
    for branch in (1, 2):
        for name, document in policies(template):
            document = Resolver(template, branch).value(document)
            checked += 1
            # parliament checks identity policies only; cfn-lint checks principals.
            for statement in document["Statement"]:
                statement.pop("Principal", None)
            analyzed = analyze_policy_string(json.dumps(document))
            for finding in analyzed.findings:
                found.add(f"{title}: {name}: {finding.issue}: {finding.detail or finding.location}")
    if checked == 0:
        found.add(f"{title}: no policy found")
    return found


def check_template(title, path):
    return {
        f"{title}:{match.linenumber}: {match.rule.id}: {match.message}"
        for match in lint_file(path, config=ManualArgs(regions=[REGION], include_checks=["W", "I"]))
    }


def main():
    found = set()
    for name in TEMPLATES:
        found |= check_template(name, HERE / name)
        template = transformed(read(HERE / name))
        title = f"{name}, transformed"
        with tempfile.TemporaryDirectory() as directory:
            path = Path(directory) / "template.json"
            path.write_text(json.dumps(template, indent=1))
            found |= check_template(title, path)
        found |= check_policies(title, template)
    accepted = {texts: {line for line in found if all(text in line for text in texts)} for texts in ACCEPTED}
    for texts, lines in accepted.items():
        found -= lines
        if not lines:
            found.add(f"{' '.join(texts)} is accepted but does not occur: remove it from the list")
    for line in sorted(found):
        print(line)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
