//! The texts of `wm-azure`.

use wm_deploy::cloud::{CommandHelp, Texts};

pub(super) const TEXTS: Texts = Texts {
    program: "wm-azure",
    help: CommandHelp {
        about: "The commands of `wm` for Azure",
        after: BEGIN,
    },
    setup: CommandHelp {
        about: "Create the storage and the database, or harden existing ones",
        after: SETUP,
    },
    selection: "A backend selection with environment, location, storage and database",
    tags_variable: "AZURE_TAGS",
    setup_tags: "Additional tags for all resources: `key=value,key=value`. `application` and `environment` are always set",
    deploy: CommandHelp {
        about: "Build the functions and deploy everything",
        after: DEPLOY,
    },
    deploy_plan: "Show the steps and their changes without running them",
    deploy_site: CommandHelp {
        about: "Deploy a built site to its own storage account",
        after: DEPLOY_SITE,
    },
    site_tags: "Additional tags for the account: `key=value,key=value`. `application` and `environment` are always set",
    redrive: CommandHelp {
        about: "Send failed events again from the container of dead letters",
        after: REDRIVE,
    },
    dead_letters_in: "container",
};

const BEGIN: &str = "\
In this order:
  az login                                     sign in, once
  wm setup azure --plan                        show what would be created or changed
  wm setup azure                               create storage and database, or harden existing ones
  wm deploy azure --help                       list the flags that the first deployment needs
  wm deploy azure …                            build the functions and deploy everything
  wm deploy-site azure                         deploy the console

All commands run as the account that is signed in with `az`. They need and store no keys.
Exit codes: 0 done, 1 failed, 2 usage error.";

const SETUP: &str = "\
Examples:
  wm setup azure --plan
  wm setup azure --location westeurope --environment prod --origin https://docs.example.com
  wm setup azure --selection web/src/config/backend.js
  AZURE_TAGS=team=docs,cost-center=42 wm setup azure --resource-group acme --storage-account acmedocs

The command reads the current state, shows what it will create or change, and makes the changes
step by step. Correct settings stay unchanged, and so do an existing resource group and rules, index
entries, roles and tags that the command does not manage. The command can be stopped at any time
and run again. Differences that it cannot correct, such as another partition key or an account in
another location, are refused before anything is changed.

The account that is signed in with `az` gets the role Storage Blob Data Contributor on the
container. `wm deploy azure` creates storage and database too. Run `wm setup azure` first to use
existing ones, or to keep both out of the deployment.";

const DEPLOY: &str = "\
Examples:
  wm deploy azure --plan …
  wm deploy azure --publisher-email docs@example.com \\
      --entra-issuer https://11112222-3333-4444-5555-666677778888.ciamlogin.com/…/v2.0 \\
      --entra-tenant 11112222-3333-4444-5555-666677778888 --entra-client 9999aaaa-…
  wm deploy azure --environment prod --location westeurope --origin https://docs.example.com …
  wm deploy azure --no-build --parameter gatewaySku=BasicV2

The command builds the handler, deploys the functions and their resources as one template with az,
and publishes the functions with func. The first time, it deploys the template twice, because
events can only be delivered to published functions. The first deployment creates storage and
database. If both exist, it uses them without changes. Parameters that are not given keep their
deployed values. The command creates the secret of the surface once, in the Key Vault, and never
shows it.

It needs az (`pip install azure-cli`), func (`npm install --global azure-functions-core-tools@4`),
cargo with the target x86_64-unknown-linux-musl and musl-gcc, or else cargo-zigbuild, and the role
Owner of the resource group, because it assigns roles.";

const DEPLOY_SITE: &str = "\
Examples:
  wm deploy-site azure --plan
  wm deploy-site azure
  wm deploy-site azure --environment prod --from site/dist --site-account acmesite

The command creates a storage account that serves a static site, as a deployment separate from
that of `wm deploy azure`, which must exist. Then it uploads changed files and deletes files that
are not part of the site. Browsers cache files below `assets/` with a digest in their name without
limit, and revalidate all others.

The command refuses the account of documents, accounts whose site contains documents, and folders
that contain hidden files, keys or texts in the form of a credential.";

const REDRIVE: &str = "\
Examples:
  wm redrive azure --plan
  wm redrive azure
  wm redrive azure --environment prod --function notify

The command sends the dead letters of `notify` and `ingest` to them again, over the topic, and
deletes them from the container. Events that the topic does not accept stay there. No mail is sent
twice, and no upload is completed twice. The relay and the sweep have no dead letters: the sweep
publishes their entries.

The account that is signed in needs the roles EventGrid Data Sender on the topic and Storage Blob
Data Contributor on the container. `wm deploy azure` assigns both to the account that runs it.";
