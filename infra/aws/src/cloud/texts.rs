//! The texts of `wm-aws`.

use wm_deploy::cloud::{CommandHelp, Texts};

pub(super) const TEXTS: Texts = Texts {
    program: "wm-aws",
    help: CommandHelp {
        about: "What `wm` does on AWS",
        after: BEGIN,
    },
    setup: CommandHelp {
        about: "Make the table and the private bucket, or harden those that are there",
        after: SETUP,
    },
    selection: "A backend selection that names environment, region, bucket and table",
    tags_variable: "AWS_TAGS",
    setup_tags: "Tags for both, beside `application` and `environment`: `key=value,key=value`",
    deploy: CommandHelp {
        about: "Build the functions and deploy everything as one stack",
        after: DEPLOY,
    },
    deploy_plan: "Say what would be run and run nothing",
    deploy_site: CommandHelp {
        about: "Put a built site into a bucket of its own, with a distribution in front",
        after: DEPLOY_SITE,
    },
    site_tags: "Tags for the stack, beside `application` and `environment`: `key=value,key=value`",
    redrive: CommandHelp {
        about: "Send again what functions could not take: the dead letters",
        after: REDRIVE,
    },
    dead_letters_in: "queues",
};

const BEGIN: &str = "\
In this order:
  wm setup aws --plan                          see what would be made or changed
  wm setup aws                                 make table and bucket, or harden what is there
  wm deploy aws --mail-from docs@example.com   build the functions and deploy everything
  wm deploy-site aws                           put the console beside it

Credentials, profiles and endpoints are found as by every tool of AWS.
Exit codes: 0 done, 1 failed, 2 asked for wrongly.";

const SETUP: &str = "\
Examples:
  wm setup aws --plan
  wm setup aws --region eu-central-1 --environment prod --origin https://docs.example.com
  wm setup aws --selection web/src/config/backend.js
  AWS_PROFILE=acme AWS_TAGS=team=docs,cost-center=42 wm setup aws --bucket acme-documents

Looks at what is there, says what it will create or change, and does it step by step. What is as it
has to be is not touched; statements, rules, indexes and tags of others stay. It may be stopped at
any time and run again. What cannot be mended, such as other keys or a bucket in another account, is
refused before anything is changed.

`wm deploy aws` makes table and bucket too. Run this first to use those that exist, or to keep both
out of the stack.";

const DEPLOY: &str = "\
Examples:
  wm deploy aws --mail-from docs@example.com --plan
  wm deploy aws --mail-from docs@example.com
  wm deploy aws --environment prod --region eu-central-1 --origin https://docs.example.com \\
      --mail-from docs@example.com --alarm-topic arn:aws:sns:eu-central-1:111122223333:alarms
  wm deploy aws --no-build --parameter SelfSignUp=false

Builds the five functions with cargo-lambda and deploys them, with all they need, as one stack with
sam. The first time, table and bucket are made by the stack, unless both exist already: then they are
used as they are and left alone by it. What is not named again stays as it was deployed before.

Needs cargo-lambda (`pip install cargo-lambda==1.9.2`), sam (`pip install aws-sam-cli`), and
credentials that may make everything in the template, roles among it.";

const DEPLOY_SITE: &str = "\
Examples:
  wm deploy-site aws --plan
  wm deploy-site aws
  wm deploy-site aws --environment prod --from site/dist \\
      --domain docs.example.com \\
      --certificate arn:aws:acm:us-east-1:111122223333:certificate/11112222-3333-4444-5555-666677778888

Makes a bucket of its own with a distribution in front of it, as a stack beside that of `wm deploy aws`,
which has to be there. Then uploads what differs and removes what is no longer part of the site. Files
below `assets/` whose names hold a digest are kept by browsers for ever, all others are asked for again.

Refused: the private bucket, any bucket that holds documents, and a folder that holds hidden files, keys
or anything in the form of a credential.";

const REDRIVE: &str = "\
Examples:
  wm redrive aws --plan
  wm redrive aws
  wm redrive aws --environment prod --function notify

Sends what `notify` and `ingest` could not take to them again, over the event bus, and takes it out of
their queues of dead letters. What the bus does not accept stays in its queue. Nothing is mailed or
completed twice. Dead letters of `relay` and `sweep` need nothing: the sweep publishes what was left.";
