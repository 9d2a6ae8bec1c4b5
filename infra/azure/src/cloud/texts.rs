//! The texts of `wm-azure`.

use wm_deploy::cloud::{CommandHelp, Texts};

pub(super) const TEXTS: Texts = Texts {
    program: "wm-azure",
    help: CommandHelp {
        about: "What `wm` does on Azure",
        after: BEGIN,
    },
    setup: CommandHelp {
        about: "Make the storage and the database, or harden those that are there",
        after: SETUP,
    },
    selection: "A backend selection that names environment, location, storage and database",
    tags_variable: "AZURE_TAGS",
    setup_tags: "Tags for all that is made, beside `application` and `environment`: `key=value,key=value`",
    deploy: CommandHelp {
        about: "Build the functions and deploy everything",
        after: DEPLOY,
    },
    deploy_plan: "Say what would be run and what it would change, and change nothing",
    deploy_site: CommandHelp {
        about: "Put a built site into a storage account of its own",
        after: DEPLOY_SITE,
    },
    site_tags: "Tags for the account, beside `application` and `environment`: `key=value,key=value`",
    redrive: CommandHelp {
        about: "Send again what functions could not take: the dead letters",
        after: REDRIVE,
    },
    dead_letters_in: "container",
};

const BEGIN: &str = "\
In this order:
  az login                                     sign in, once
  wm setup azure --plan                        see what would be made or changed
  wm setup azure                               make storage and database, or harden what is there
  wm deploy azure --help                       what the first deployment has to be told
  wm deploy azure …                            build the functions and deploy everything
  wm deploy-site azure                         put the console beside it

Whoever is signed in with `az` does it all; no key is asked for or kept.
Exit codes: 0 done, 1 failed, 2 asked for wrongly.";

const SETUP: &str = "\
Examples:
  wm setup azure --plan
  wm setup azure --location westeurope --environment prod --origin https://docs.example.com
  wm setup azure --selection web/src/config/backend.js
  AZURE_TAGS=team=docs,cost-center=42 wm setup azure --resource-group acme --storage-account acmedocs

Looks at what is there, says what it will create or change, and does it step by step. What is as it
has to be is not touched; rules, index entries, roles and tags of others stay, and a resource group
that is there is left alone. It may be stopped at any time and run again. What cannot be mended, such
as another partition key or an account in another location, is refused before anything is changed.

Whoever is signed in with `az` is given the role Storage Blob Data Contributor on the container.
`wm deploy azure` makes storage and database too. Run this first to use those that exist, or to keep
both out of the deployment.";

const DEPLOY: &str = "\
Examples:
  wm deploy azure --plan …
  wm deploy azure --publisher-email docs@example.com \\
      --entra-issuer https://11112222-3333-4444-5555-666677778888.ciamlogin.com/…/v2.0 \\
      --entra-tenant 11112222-3333-4444-5555-666677778888 --entra-client 9999aaaa-…
  wm deploy azure --environment prod --location westeurope --origin https://docs.example.com …
  wm deploy azure --no-build --parameter gatewaySku=BasicV2

Builds the handler and deploys the functions with all they need, as one deployment of a template with
az; then publishes the functions with func. The first time the template is deployed twice: events are
delivered to functions that are there. The first time, storage and database are made by it, unless both
exist already: then they are used as they are and left alone. What is not named again stays as it was
deployed before. The secret of the surface is made once, into the Key Vault, and shown to nobody.

Needs az (`pip install azure-cli`), func (`npm install --global azure-functions-core-tools@4`), cargo
with the target x86_64-unknown-linux-musl and musl-gcc or else cargo-zigbuild, and the role Owner of the
resource group: roles are given in it.";

const DEPLOY_SITE: &str = "\
Examples:
  wm deploy-site azure --plan
  wm deploy-site azure
  wm deploy-site azure --environment prod --from site/dist --site-account acmesite

Makes a storage account of its own that serves a static site, as a deployment beside that of
`wm deploy azure`, which has to be there. Then uploads what differs and removes what is no longer part
of the site. Files below `assets/` whose names hold a digest are kept by browsers for ever, all others
are asked for again.

Refused: the account of documents, any account whose site holds documents, and a folder that holds
hidden files, keys or anything in the form of a credential.";

const REDRIVE: &str = "\
Examples:
  wm redrive azure --plan
  wm redrive azure
  wm redrive azure --environment prod --function notify

Sends what `notify` and `ingest` could not take to them again, over the topic, and takes it out of the
container of dead letters. What the topic does not accept stays there. Nothing is mailed or completed
twice. The relay and the sweep have no dead letters: the sweep publishes what was left.

Whoever is signed in needs the roles EventGrid Data Sender on the topic and Storage Blob Data Contributor
on the container; `wm deploy azure` gives both to whoever runs it.";
