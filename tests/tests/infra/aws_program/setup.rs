//! `wm setup aws`: it creates the same result from any earlier state.

use std::process::{Command, Stdio};

use serde_json::{Value, json};
use wm_core::{catalog::Provider, selection::BackendSelection};
use wm_tests::emulators::ministack::Ministack;

use super::{
    Program, Ran,
    cloud::{bucket, described_bucket, described_table, table},
    gate::{Gate, Shut},
};

/// The program behind a gate.
fn gated(shut: Option<Shut>) -> (Program, Gate) {
    let gate = Gate::new(Ministack::shared().port(), shut);
    (Program::aws().with("AWS_ENDPOINT_URL", &gate.url), gate)
}

/// The expected description of a table with these tags.
fn hardened_table(tags: &Value) -> Value {
    let keys = |partition: &str, sort: &str| json!([[partition, "HASH"], [sort, "RANGE"]]);
    let index = |number: usize| {
        let keys = keys(&format!("GSI{number}PK"), &format!("GSI{number}SK"));
        json!([format!("GSI{number}"), keys, "ALL", "ACTIVE"])
    };
    json!({
        "keys": keys("PK", "SK"),
        "indexes": (1..=4).map(index).collect::<Vec<_>>(),
        "billing": "PAY_PER_REQUEST",
        "stream": { "StreamEnabled": true, "StreamViewType": "NEW_IMAGE" },
        "encryption": ["ENABLED", "KMS"],
        "deletion_protection": true,
        "point_in_time_recovery": "ENABLED",
        "time_to_live": { "TimeToLiveStatus": "ENABLED", "AttributeName": "ttl" },
        "tags": tags,
    })
}

async fn assert_hardened_bucket(name: &str) {
    let found = described_bucket(name).await;
    let arn = format!("arn:aws:s3:::{name}");
    let policy: Value = serde_json::from_str(&found["policy"]).unwrap();
    let refuses = json!({
        "Sid": "TlsOnly", "Effect": "Deny", "Principal": "*", "Action": "s3:*",
        "Resource": [arn, format!("{arn}/*")],
        "Condition": { "Bool": { "aws:SecureTransport": "false" } },
    });
    assert!(
        policy["Statement"].as_array().unwrap().contains(&refuses),
        "{policy}"
    );
    for (setting, parts) in [
        (
            "publicAccessBlock",
            &[
                "<BlockPublicAcls>true<",
                "<IgnorePublicAcls>true<",
                "<BlockPublicPolicy>true<",
                "<RestrictPublicBuckets>true<",
            ][..],
        ),
        (
            "ownershipControls",
            &["<ObjectOwnership>BucketOwnerEnforced<"],
        ),
        ("versioning", &["<Status>Enabled<"]),
        ("encryption", &["<SSEAlgorithm>AES256<"]),
        (
            "lifecycle",
            &[
                "<ID>unfinished-uploads<",
                "<DaysAfterInitiation>7<",
                "<ID>old-versions<",
                "<NoncurrentDays>30<",
                "<ExpiredObjectDeleteMarker>true<",
            ],
        ),
        ("notification", &["<EventBridgeConfiguration"]),
        (
            "tagging",
            &["<Key>application</Key><Value>workspace-management<"],
        ),
    ] {
        for part in parts {
            assert!(
                found[setting].contains(part),
                "{setting}: {part}: {}",
                found[setting]
            );
        }
    }
}

fn tags(environment: &str) -> Value {
    json!({ "application": "workspace-management", "environment": environment })
}

/// Asserts that a second run finds no changes and requests none.
#[track_caller]
fn assert_no_changes(arguments: &[&str]) {
    let (program, gate) = gated(None);
    let out = program.works(arguments);
    assert!(out.contains("no changes"), "{out}");
    assert_eq!(
        gate.writes(),
        [""; 0],
        "a hardened table and bucket are written to"
    );
}

#[tokio::test]
async fn setup_creates_all_resources_and_plan_creates_none() {
    let arguments = [
        "setup",
        "--prefix",
        "from-nothing",
        "--origin",
        "https://docs.example.com",
    ];
    let (program, gate) = gated(None);
    let plan = program.works(&[&arguments[..], &["--plan"]].concat());
    assert!(
        plan.contains("23 to create, 0 to change; nothing was changed"),
        "{plan}"
    );
    assert_eq!(gate.writes(), [""; 0]);

    let out = program.works(&arguments);
    assert!(out.contains("done: 23 created, 0 changed"), "{out}");
    assert!(out.contains("next: `wm deploy aws`"), "{out}");
    assert_eq!(
        described_table("from-nothing-dev").await,
        hardened_table(&tags("dev"))
    );
    assert_hardened_bucket("from-nothing-dev-documents").await;
    let cors = &described_bucket("from-nothing-dev-documents").await["cors"];
    for part in [
        "<ID>signed-requests<",
        "<AllowedOrigin>https://docs.example.com<",
        "<AllowedMethod>GET</AllowedMethod><AllowedMethod>HEAD</AllowedMethod><AllowedMethod>PUT<",
        "<AllowedHeader>*<",
        "<ExposeHeader>ETag<",
        "<MaxAgeSeconds>3600<",
    ] {
        assert!(cors.contains(part), "{part}: {cors}");
    }
    assert_no_changes(&arguments);
    // Origins stay if a later run does not name them.
    assert_no_changes(&arguments[..3]);
}

/// A table with the right keys only and provisioned capacity.
async fn bare_table(name: &str) {
    let attribute = |name: &str| json!({ "AttributeName": name, "AttributeType": "S" });
    table(
        "CreateTable",
        json!({
            "TableName": name,
            "AttributeDefinitions": [attribute("PK"), attribute("SK")],
            "KeySchema": [
                { "AttributeName": "PK", "KeyType": "HASH" },
                { "AttributeName": "SK", "KeyType": "RANGE" },
            ],
            "BillingMode": "PROVISIONED",
            "ProvisionedThroughput": { "ReadCapacityUnits": 1, "WriteCapacityUnits": 1 },
        }),
    )
    .await;
}

/// A bucket with public access and no settings.
async fn bare_bucket(name: &str) {
    bucket("PUT", name, "").await;
    let target = format!("{name}?publicAccessBlock=");
    bucket("DELETE", &target, "").await;
}

#[tokio::test]
async fn bare_table_and_bucket_are_hardened() {
    let (name, documents) = ("bare-dev", "bare-dev-documents");
    bare_table(name).await;
    bare_bucket(documents).await;
    let arguments = ["setup", "--prefix", "bare"];
    let out = Program::aws().works(&arguments);
    assert!(
        out.contains("PROVISIONED \u{2192} PAY_PER_REQUEST"),
        "{out}"
    );
    assert_eq!(described_table(name).await, hardened_table(&tags("dev")));
    assert_hardened_bucket(documents).await;
    assert_no_changes(&arguments);
}

#[tokio::test]
async fn missing_fourth_index_is_the_only_change() {
    let arguments = ["setup", "--prefix", "three-of-four"];
    Program::aws().works(&arguments);
    let removal = json!({
        "TableName": "three-of-four-dev",
        "GlobalSecondaryIndexUpdates": [{ "Delete": { "IndexName": "GSI3" } }],
    });
    table("UpdateTable", removal).await;
    assert_eq!(
        described_table("three-of-four-dev").await["indexes"]
            .as_array()
            .unwrap()
            .len(),
        3
    );

    let (program, gate) = gated(None);
    let out = program.works(&arguments);
    assert!(out.contains("  create     GSI3 "), "{out}");
    assert!(out.contains("done: 1 created, 0 changed"), "{out}");
    assert_eq!(gate.writes(), ["UpdateTable"]);
    assert_eq!(
        described_table("three-of-four-dev").await,
        hardened_table(&tags("dev"))
    );
    assert_no_changes(&arguments);
}

#[tokio::test]
async fn foreign_files_are_kept() {
    let (name, documents) = ("shared-dev", "shared-dev-documents");
    bare_table(name).await;
    bare_bucket(documents).await;
    let theirs = json!({ "Sid": "Audit", "Effect": "Allow", "Principal": { "AWS": "arn:aws:iam::111122223333:root" }, "Action": "s3:GetObject", "Resource": format!("arn:aws:s3:::{documents}/audit/*") });
    let policy = json!({ "Version": "2012-10-17", "Id": "theirs", "Statement": [theirs] });
    bucket("PUT", &format!("{documents}?policy="), &policy.to_string()).await;
    for (setting, body) in [
        (
            "lifecycle",
            "<LifecycleConfiguration><Rule><ID>exports</ID><Filter><Prefix>exports/</Prefix></Filter><Status>Enabled</Status><Expiration><Days>3</Days></Expiration></Rule></LifecycleConfiguration>",
        ),
        (
            "cors",
            "<CORSConfiguration><CORSRule><ID>theirs</ID><AllowedOrigin>https://theirs.example.com</AllowedOrigin><AllowedMethod>GET</AllowedMethod></CORSRule></CORSConfiguration>",
        ),
        (
            "tagging",
            "<Tagging><TagSet><Tag><Key>owner</Key><Value>them</Value></Tag><Tag><Key>environment</Key><Value>test</Value></Tag></TagSet></Tagging>",
        ),
    ] {
        bucket("PUT", &format!("{documents}?{setting}="), body).await;
    }
    let index = json!({ "Create": {
        "IndexName": "ByOwner",
        "KeySchema": [{ "AttributeName": "owner", "KeyType": "HASH" }],
        "Projection": { "ProjectionType": "KEYS_ONLY" },
        "ProvisionedThroughput": { "ReadCapacityUnits": 1, "WriteCapacityUnits": 1 },
    } });
    let attribute = json!([{ "AttributeName": "owner", "AttributeType": "S" }]);
    table("UpdateTable", json!({ "TableName": name, "AttributeDefinitions": attribute, "GlobalSecondaryIndexUpdates": [index] })).await;

    let arguments = [
        "setup",
        "--prefix",
        "shared",
        "--origin",
        "https://docs.example.com",
        "--tags",
        "team=docs",
    ];
    let out = Program::aws().works(&arguments);
    for kept in ["policy Audit", "rule exports", "ByOwner"] {
        assert!(
            out.lines()
                .any(|line| line.starts_with("  kept ") && line.contains(kept)),
            "{kept}: {out}"
        );
    }
    let found = described_bucket(documents).await;
    let policy: Value = serde_json::from_str(&found["policy"]).unwrap();
    assert_eq!(
        (&policy["Id"], &policy["Statement"][0]),
        (&"theirs".into(), &theirs)
    );
    for (setting, part) in [
        ("lifecycle", "<ID>exports</ID>"),
        ("lifecycle", "<Prefix>exports/</Prefix>"),
        ("cors", "<AllowedOrigin>https://theirs.example.com<"),
        ("cors", "<AllowedOrigin>https://docs.example.com<"),
        ("tagging", "<Key>owner</Key><Value>them<"),
        ("tagging", "<Key>environment</Key><Value>dev<"),
        ("tagging", "<Key>team</Key><Value>docs<"),
    ] {
        assert!(
            found[setting].contains(part),
            "{setting}: {part}: {}",
            found[setting]
        );
    }
    assert_hardened_bucket(documents).await;
    let indexes = described_table(name).await["indexes"].clone();
    assert_eq!(indexes.as_array().unwrap().len(), 5, "{indexes}");
    assert_eq!(indexes[0][0], "ByOwner");
    assert_no_changes(&arguments);
}

#[tokio::test]
async fn other_stream_stops_before_the_new_one_starts() {
    let arguments = ["setup", "--prefix", "other-stream"];
    Program::aws().works(&arguments);
    let name = "other-stream-dev";
    for specification in [
        json!({ "StreamEnabled": false }),
        json!({ "StreamEnabled": true, "StreamViewType": "KEYS_ONLY" }),
    ] {
        table(
            "UpdateTable",
            json!({ "TableName": name, "StreamSpecification": specification }),
        )
        .await;
    }
    let (program, gate) = gated(None);
    let out = program.works(&arguments);
    assert!(out.contains("KEYS_ONLY \u{2192} NEW_IMAGE"), "{out}");
    assert_eq!(gate.writes(), ["UpdateTable", "UpdateTable"]);
    assert_eq!(described_table(name).await, hardened_table(&tags("dev")));
}

#[tokio::test]
async fn next_run_finishes_a_run_killed_at_any_write() {
    let (counted, gate) = gated(None);
    counted.works(&["setup", "--prefix", "kill-count"]);
    let writes = gate.writes().len();
    assert!(writes >= 12, "{:?}", gate.writes());
    for seen in [false, true] {
        for at in 0..writes {
            let prefix = format!("kill-{at}-{seen}");
            let arguments = ["setup", "--prefix", &prefix];
            let (program, gate) = gated(Some(Shut { writes: at, seen }));
            let mut killed = program.command(&arguments);
            let killed = killed.stdout(Stdio::null()).stderr(Stdio::null());
            let mut killed = killed.spawn().unwrap();
            gate.wait();
            killed.kill().unwrap();
            killed.wait().unwrap();

            Program::aws().works(&arguments);
            assert_eq!(
                described_table(&format!("{prefix}-dev")).await,
                hardened_table(&tags("dev")),
                "{prefix}"
            );
            assert_hardened_bucket(&format!("{prefix}-dev-documents")).await;
            assert_no_changes(&arguments);
        }
    }
}

#[tokio::test]
async fn interrupted_run_says_how_to_continue() {
    let arguments = ["setup", "--prefix", "interrupted"];
    let (program, gate) = gated(Some(Shut {
        writes: 4,
        seen: true,
    }));
    let mut command = program.command(&arguments);
    let running = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let running = running.unwrap();
    gate.wait();
    let interrupt = Command::new("kill")
        .args(["-INT", &running.id().to_string()])
        .status();
    assert!(interrupt.unwrap().success());
    let ran = Ran::of(&running.wait_with_output().unwrap());
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(
        ran.err
            .ends_with("error: interrupted; run the same command again to continue\n"),
        "{ran:?}"
    );
    Program::aws().works(&arguments);
    assert_no_changes(&arguments);
}

/// Asserts that a run is refused with these words and changes nothing.
#[track_caller]
fn assert_refused(arguments: &[&str], words: &[&str]) {
    let (program, gate) = gated(None);
    let message = program.refuses(arguments, 1);
    for words in words {
        assert!(message.contains(words), "{words}: {message}");
    }
    assert_eq!(gate.writes(), [""; 0], "{message}");
}

#[tokio::test]
async fn unusable_table_is_refused_before_any_change() {
    let attribute =
        |name: &str, kind: &str| json!({ "AttributeName": name, "AttributeType": kind });
    let key = |name: &str, kind: &str| json!({ "AttributeName": name, "KeyType": kind });
    table("CreateTable", json!({
        "TableName": "other-keys-dev",
        "AttributeDefinitions": [attribute("id", "S"), attribute("GSI2PK", "N"), attribute("GSI1PK", "S")],
        "KeySchema": [key("id", "HASH")],
        "BillingMode": "PAY_PER_REQUEST",
        "GlobalSecondaryIndexes": [
            { "IndexName": "GSI1", "KeySchema": [key("GSI1PK", "HASH")], "Projection": { "ProjectionType": "KEYS_ONLY" } },
            { "IndexName": "Mine", "KeySchema": [key("GSI2PK", "HASH")], "Projection": { "ProjectionType": "ALL" } },
        ],
    })).await;
    table(
        "UpdateTimeToLive",
        json!({
            "TableName": "other-keys-dev",
            "TimeToLiveSpecification": { "AttributeName": "expires", "Enabled": true },
        }),
    )
    .await;
    assert_refused(
        &["setup", "--prefix", "other-keys"],
        &[
            "`other-keys-dev` has the keys `id`, which cannot be changed into `PK, SK`",
            "`GSI1` of `other-keys-dev` is an index of `GSI1PK` with the projection KEYS_ONLY",
            "the key `GSI2PK` of `other-keys-dev` is of type `N`",
            "expires items by `expires`, not `ttl`",
        ],
    );
}

#[tokio::test]
async fn foreign_or_public_bucket_is_refused_before_any_change() {
    bare_bucket("far-away-dev-documents").await;
    assert_refused(
        &["setup", "--prefix", "far-away", "--region", "eu-west-1"],
        &[
            "the bucket `far-away-dev-documents` is in the region `us-east-1`, not `eu-west-1`: use `--region us-east-1`",
        ],
    );

    // To the emulator, twelve digits are the root of another account.
    let (other, gate) = gated(None);
    let message = other
        .with("AWS_ACCESS_KEY_ID", "111122223333")
        .refuses(&["setup", "--prefix", "far-away"], 1);
    assert!(
        message.contains("does not belong to the account `111122223333`"),
        "{message}"
    );
    assert_eq!(gate.writes(), [""; 0]);

    bare_bucket("wide-open-dev-documents").await;
    let open = json!({ "Statement": { "Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::wide-open-dev-documents/*" } });
    bucket("PUT", "wide-open-dev-documents?policy=", &open.to_string()).await;
    assert_refused(
        &["setup", "--prefix", "wide-open"],
        &["gives everyone access"],
    );

    bare_bucket("own-key-dev-documents").await;
    bucket("PUT", "own-key-dev-documents?encryption=", "<ServerSideEncryptionConfiguration><Rule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>aws:kms</SSEAlgorithm><KMSMasterKeyID>arn:aws:kms:us-east-1:000000000000:key/11112222-3333-4444-5555-666677778888</KMSMasterKeyID></ApplyServerSideEncryptionByDefault></Rule></ServerSideEncryptionConfiguration>").await;
    assert_refused(
        &["setup", "--prefix", "own-key"],
        &[
            "encrypts with `arn:aws:kms:",
            "which the functions may not use",
        ],
    );
}

#[tokio::test]
async fn names_come_from_flags_then_variables_then_selection() {
    let selection =
        BackendSelection::new(Provider::Aws, "selected", "prod", Some("us-east-1")).unwrap();
    let program = Program::aws();
    let file = program.home().join("backend.js");
    std::fs::write(&file, selection.module()).unwrap();
    let file = file.to_str().unwrap().to_owned();
    let plan = program.works(&["setup", "--plan", "--selection", &file]);
    for words in [
        "`selected-prod-documents`",
        "`selected-prod`",
        "environment=prod",
    ] {
        assert!(plan.contains(words), "{words}: {plan}");
    }
    let program = program
        .with("AWS_S3_BUCKET", "by-variable")
        .with("AWS_DYNAMODB_TABLE", "By_Variable")
        .with("AWS_TAGS", "team=docs");
    let plan = program.works(&[
        "setup",
        "--plan",
        "--selection",
        &file,
        "--table",
        "By_Flag",
    ]);
    for words in ["`by-variable`", "`By_Flag`", "team=docs"] {
        assert!(plan.contains(words), "{words}: {plan}");
    }
    let message = program.refuses(&["setup", "--bucket", "Not A Bucket"], 2);
    assert!(message.contains("`storage.bucket` must be"), "{message}");

    let local = BackendSelection::defaults(Provider::Local).module();
    std::fs::write(&file, local).unwrap();
    let message = program.refuses(&["setup", "--selection", &file], 2);
    assert!(message.contains("is a selection for `local`"), "{message}");
}

#[test]
fn wrong_tags_and_origins_are_named() {
    for (arguments, words) in [
        (["--tags", "team"], "`team` has no `=`"),
        (["--tags", "environment=x"], "`environment` is always set"),
        (["--origin", "https://docs.example.com/"], "without a path"),
    ] {
        let ran = Program::aws().run(&[&["setup"], &arguments[..]].concat());
        assert_eq!(ran.code, Some(2), "{ran:?}");
        assert!(ran.err.contains(words), "{ran:?}");
    }
}
