//! The texts of `wm-aws`.

use wm_deploy::cloud::{CommandHelp, Texts};

pub(super) const TEXTS: Texts = Texts {
    program: "wm-aws",
    help: CommandHelp {
        about: "The commands of `wm` for AWS",
        after: BEGIN,
    },
    setup: CommandHelp {
        about: "Create the table and the private bucket, or harden existing ones",
        after: SETUP,
    },
    selection: "A backend selection with environment, region, bucket and table",
    tags_variable: "AWS_TAGS",
    setup_tags: "Additional tags for both: `key=value,key=value`. `application` and `environment` are always set",
    deploy: CommandHelp {
        about: "Build the functions and deploy everything as one stack",
        after: DEPLOY,
    },
    deploy_plan: "Show the steps without running them",
    deploy_site: CommandHelp {
        about: "Deploy a built site to its own bucket behind a distribution",
        after: DEPLOY_SITE,
    },
    site_tags: "Additional tags for the stack: `key=value,key=value`. `application` and `environment` are always set",
    redrive: CommandHelp {
        about: "Send failed events again from the queues of dead letters",
        after: REDRIVE,
    },
    dead_letters_in: "queues",
};

const BEGIN: &str = "\
In this order:
  wm setup aws --plan                          show what would be created or changed
  wm setup aws                                 create table and bucket, or harden existing ones
  wm deploy aws --mail-from docs@example.com   build the functions and deploy everything
  wm deploy-site aws                           deploy the console

Credentials, profiles and endpoints come from the same places as for every AWS tool.
Exit codes: 0 done, 1 failed, 2 usage error.";

const SETUP: &str = "\
Examples:
  wm setup aws --plan
  wm setup aws --region eu-central-1 --environment prod --origin https://docs.example.com
  wm setup aws --selection web/src/config/backend.js
  AWS_PROFILE=acme AWS_TAGS=team=docs,cost-center=42 wm setup aws --bucket acme-documents

The command reads the current state, shows what it will create or change, and makes the changes
step by step. Correct settings stay unchanged, and so do statements, rules, indexes and tags that
the command does not manage. The command can be stopped at any time and run again. Differences
that it cannot correct, such as other keys or a bucket in another account, are refused before
anything is changed.

`wm deploy aws` creates table and bucket too. Run `wm setup aws` first to use existing ones, or to
keep both out of the stack.";

const DEPLOY: &str = "\
Examples:
  wm deploy aws --mail-from docs@example.com --plan
  wm deploy aws --mail-from docs@example.com
  wm deploy aws --environment prod --region eu-central-1 --origin https://docs.example.com \\
      --mail-from docs@example.com --alarm-topic arn:aws:sns:eu-central-1:111122223333:alarms
  wm deploy aws --no-build --parameter SelfSignUp=false

The command builds the five functions with cargo-lambda and deploys them and their resources as
one stack with sam. The first deployment creates table and bucket in the stack. If both exist, the
stack uses them without changes. Parameters that are not given keep their deployed values.

It needs cargo-lambda (`pip install cargo-lambda==1.9.2`), sam (`pip install aws-sam-cli`), and
credentials that may create everything in the template, including roles.";

const DEPLOY_SITE: &str = "\
Examples:
  wm deploy-site aws --plan
  wm deploy-site aws
  wm deploy-site aws --environment prod --from site/dist \\
      --domain docs.example.com \\
      --certificate arn:aws:acm:us-east-1:111122223333:certificate/11112222-3333-4444-5555-666677778888

The command creates a bucket with a distribution in front of it, as a stack separate from that of
`wm deploy aws`, which must exist. Then it uploads changed files and deletes files that are not
part of the site. Browsers cache files below `assets/` with a digest in their name without limit,
and revalidate all others.

The command refuses the private bucket, buckets that contain documents, and folders that contain
hidden files, keys or texts in the form of a credential.";

const REDRIVE: &str = "\
Examples:
  wm redrive aws --plan
  wm redrive aws
  wm redrive aws --environment prod --function notify

The command sends the dead letters of `notify` and `ingest` to them again, over the event bus, and
deletes them from their queues. Events that the bus does not accept stay in the queue. No mail is
sent twice, and no upload is completed twice. Dead letters of `relay` and `sweep` need no action:
the sweep publishes their entries.";
