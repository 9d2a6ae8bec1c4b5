//! `wm deploy azure`: the commands that it runs and the parameters that it passes to the template.

use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use serde_json::{Value, json};
use tempfile::TempDir;
use wm_core::value::SurfaceId;
use wm_tests::repository;

use super::{
    Program,
    cloud::{Cloud, SUBSCRIPTION, full},
};

/// Records its arguments, its folder and the files in it.
const FUNC: &str = r#"
for argument in "$0" "$@"; do printf '%s\n' "$argument" >> "$HOME/log"; done
test "$1" = azure && cp -a . "$HOME/published"
exit 0"#;
/// Builds a handler of a few bytes.
const CARGO: &str = r#"
for argument in "$0" "$@"; do printf '%s\n' "$argument" >> "$HOME/log"; done
for argument in "$@"; do case "$argument" in x86_64-*) target=${argument%%.2*};; esac; done
mkdir -p "target/$target/dist" && printf built > "target/$target/dist/handler""#;
/// Reports the static target as installed, unless `no-target` exists.
const RUSTC: &str = r#"test -e "$HOME/no-target" && { echo "$HOME/nowhere"; exit; }; echo "$HOME""#;
const MUSL_GCC: &str = "exit 0";

/// The outputs of a deployed surface in this cloud.
fn outputs(cloud: &Cloud) -> Value {
    let url = &cloud.url;
    json!({
        "apiUrl": { "value": "https://api.example.com" },
        "mailSender": { "value": "docs@example.com" },
        "keyVaultName": { "value": "wm-dev" },
        "deadLettersUrl": { "value": format!("{url}/blobs/host/dead-letters") },
        "topicEndpoint": { "value": format!("{url}/topic") },
        "siteUrl": { "value": "https://site.example.com/" },
    })
}

/// A cloud whose deployments return outputs.
pub(crate) fn deployable() -> Cloud {
    let cloud = Cloud::start();
    let outputs = outputs(&cloud);
    cloud
        .state()
        .resources
        .insert("outputs".to_owned(), outputs);
    cloud
}

/// The program with fakes of the tools.
pub(crate) fn tooled(cloud: &Cloud) -> Program {
    Program::azure(cloud)
        .tool("func", FUNC)
        .tool("cargo", CARGO)
        .tool("rustc", RUSTC)
        .tool("musl-gcc", MUSL_GCC)
}

/// A checkout with the files that a deployment needs for its build.
pub(crate) fn checkout() -> TempDir {
    let root = tempfile::tempdir().unwrap();
    let from = repository::root();
    let copy = |file: &Path| {
        let to = root.path().join(file);
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::copy(from.join(file), to).unwrap();
    };
    for file in [
        "infra/azure/main.json",
        "infra/azure/site.json",
        "azure-functions/host.json",
    ] {
        copy(Path::new(file));
    }
    for entry in fs::read_dir(from.join("azure-functions")).unwrap() {
        let function = entry.unwrap().path().join("function.json");
        if function.is_file() {
            copy(function.strip_prefix(&from).unwrap());
        }
    }
    root
}

/// The runs of the tools. Each is a list of the program and its arguments.
pub(crate) fn runs(program: &Program) -> Vec<Vec<String>> {
    let log = fs::read_to_string(program.home().join("log")).unwrap_or_default();
    let mut runs: Vec<Vec<String>> = Vec::new();
    for line in log.lines() {
        match line.strip_prefix(program.home().to_str().unwrap()) {
            Some(name) => runs.push(vec![name.trim_start_matches('/').to_owned()]),
            None => runs.last_mut().unwrap().push(line.to_owned()),
        }
    }
    runs
}

/// The arguments between a flag and the next one.
fn after<'run>(run: &'run [String], flag: &str) -> Vec<&'run str> {
    let at = run.iter().position(|word| word == flag);
    let at = at.unwrap_or_else(|| panic!("{flag}: {run:?}"));
    let words = run[at + 1..].iter();
    let words = words.take_while(|word| !word.starts_with("--"));
    words.map(String::as_str).collect()
}

/// The parameters of each deployment.
pub(crate) fn parameters(program: &Program) -> Vec<BTreeMap<String, String>> {
    let runs = runs(program);
    let deployed = runs.iter().filter(|run| {
        run[1..].starts_with(&["deployment".into(), "group".into(), "create".into()])
    });
    let pairs = |run: &Vec<String>| {
        let pairs = after(run, "--parameters").into_iter();
        let pairs = pairs.map(|pair| pair.split_once('=').unwrap());
        pairs
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect()
    };
    deployed.map(pairs).collect()
}

/// The required arguments of the first deployment.
const FIRST: [&str; 8] = [
    "--publisher-email",
    "docs@example.com",
    "--entra-issuer",
    "https://people.example.com/v2.0",
    "--entra-tenant",
    "tenant-id",
    "--entra-client",
    "client-id",
];

/// `wm deploy azure` in this checkout, for the prefix `wm`.
fn deploy<'word>(root: &'word TempDir, more: &[&'word str]) -> Vec<&'word str> {
    let root = root.path().to_str().unwrap();
    [&["deploy", "--prefix", "wm", "--repository", root], more].concat()
}

/// All files of a folder, sorted.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => files.extend(self::files(&path)),
            false => files.push(path),
        }
    }
    files.sort();
    files
}

#[test]
fn first_deployment_deploys_before_and_after_its_functions() {
    let (cloud, root) = (deployable(), checkout());
    let program = tooled(&cloud).with("AZURE_TAGS", "team=The Docs");
    let more = [
        "--origin",
        "https://a.example.com",
        "--origin",
        "http://localhost:5173",
        "--mail-from",
        "docs@example.com",
        "--public-url",
        "https://docs.example.com",
        "--log-retention",
        "14",
        "--alarm-action-group",
        "/alarms",
        "--free-tier",
        "true",
        "--parameter",
        "gatewaySku=BasicV2",
        "--location",
        "westeurope",
    ];
    let ran = program.run(&deploy(&root, &[&FIRST[..], &more].concat()));
    assert_eq!(ran.code, Some(0), "{ran:?}");
    for words in [
        "the API answers at https://api.example.com",
        "mails come from docs@example.com",
        "next:",
    ] {
        assert!(ran.out.contains(words), "{ran:?}");
    }
    let runs = runs(&program);
    let order: Vec<String> = runs
        .iter()
        .map(|run| run[..3.min(run.len())].join(" "))
        .collect();
    let wanted = [
        "cargo build --target",
        "az group create",
        "az deployment group",
        "func azure functionapp",
        "az deployment group",
    ];
    assert_eq!(order, wanted);
    assert_eq!(after(&runs[0], "--target"), ["x86_64-unknown-linux-musl"]);
    assert_eq!(after(&runs[0], "--profile"), ["dist"]);
    assert_eq!(after(&runs[0], "--target-dir"), ["target"]);
    assert_eq!(after(&runs[0], "--bin"), ["handler"]);
    assert_eq!(after(&runs[1], "--location"), ["westeurope"]);
    let tags = [
        "application=workspace-management",
        "environment=dev",
        "team=The Docs",
    ];
    assert_eq!(after(&runs[1], "--tags"), tags);
    assert_eq!(
        after(&runs[2], "--template-file"),
        ["infra/azure/main.json"]
    );
    assert_eq!(after(&runs[2], "--resource-group"), ["wm-dev"]);
    assert_eq!(after(&runs[2], "--name"), ["wm-dev"]);
    for run in &runs[1..] {
        assert_eq!(after(run, "--subscription"), [SUBSCRIPTION]);
    }
    assert_eq!(runs[3][4], "wm-dev");

    let deployed = parameters(&program);
    let (before, behind) = (&deployed[0], &deployed[1]);
    assert_eq!(
        (
            before["functionsPublished"].as_str(),
            behind["functionsPublished"].as_str()
        ),
        ("false", "true")
    );
    for (name, value) in [
        ("prefix", "wm"),
        ("environment", "dev"),
        ("location", "westeurope"),
        ("storageAccountName", "wmdevdocs"),
        ("storageContainerName", "workspace-documents"),
        ("cosmosAccountName", "wm-dev-cosmos"),
        ("cosmosDatabaseName", "workspace"),
        ("cosmosContainerName", "workspace_items"),
        ("cosmosFreeTier", "true"),
        ("dataExists", "false"),
        ("entraIssuer", "https://people.example.com/v2.0"),
        ("entraTenant", "tenant-id"),
        ("entraClients", r#"["client-id"]"#),
        ("publisherEmail", "docs@example.com"),
        ("mailFrom", "docs@example.com"),
        ("publicUrl", "https://docs.example.com"),
        (
            "allowedOrigins",
            r#"["https://a.example.com","http://localhost:5173"]"#,
        ),
        ("alarmActionGroupId", "/alarms"),
        ("logRetentionDays", "14"),
        ("gatewaySku", "BasicV2"),
        ("setupPrincipalType", "User"),
        (
            "tags",
            r#"{"application":"workspace-management","environment":"dev","team":"The Docs"}"#,
        ),
    ] {
        assert_eq!(before.get(name).map(String::as_str), Some(value), "{name}");
        assert_eq!(before.get(name), behind.get(name), "{name}");
    }
    before["surfaceId"].parse::<SurfaceId>().unwrap();
    assert_eq!(before["surfaceId"], behind["surfaceId"]);
    let template = fs::read(root.path().join("infra/azure/main.json")).unwrap();
    let template: Value = serde_json::from_slice(&template).unwrap();
    let known = template["parameters"].as_object().unwrap();
    for name in before.keys() {
        assert!(
            known.contains_key(name),
            "the template has no parameter `{name}`"
        );
    }
    for (name, parameter) in known {
        let has_value = !parameter["defaultValue"].is_null() || before.contains_key(name);
        assert!(has_value, "`{name}` has no default and is not passed");
    }
}

#[test]
fn package_has_an_executable_handler_for_the_host() {
    let (cloud, root) = (deployable(), checkout());
    let program = tooled(&cloud);
    program.works(&deploy(&root, &FIRST));
    let published = program.home().join("published");
    let mut wanted = vec!["handler".to_owned(), "host.json".to_owned()];
    for entry in fs::read_dir(root.path().join("azure-functions")).unwrap() {
        let entry = entry.unwrap();
        if entry.path().is_dir() {
            let name = entry.file_name().into_string().unwrap();
            wanted.push(format!("{name}/function.json"));
        }
    }
    wanted.sort();
    for function in ["api", "relay", "ingest", "notify", "sweep"] {
        assert!(
            wanted.contains(&format!("{function}/function.json")),
            "{wanted:?}"
        );
    }
    let found = files(&published);
    let found = found
        .iter()
        .map(|file| file.strip_prefix(&published).unwrap());
    let mut found: Vec<String> = found.map(|file| file.display().to_string()).collect();
    found.sort();
    assert_eq!(found, wanted);
    let handler = published.join("handler");
    assert_eq!(fs::read(&handler).unwrap(), b"built");
    let mode = fs::metadata(&handler).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o755);
    let host: Value =
        serde_json::from_slice(&fs::read(published.join("host.json")).unwrap()).unwrap();
    // `func` makes the file with exactly this name executable.
    assert_eq!(
        host["customHandler"]["description"]["defaultExecutablePath"],
        "handler"
    );
}

#[test]
fn secret_is_created_once_and_never_shown() {
    let (cloud, root) = (deployable(), checkout());
    let program = tooled(&cloud);
    let ran = program.run(&deploy(&root, &FIRST));
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let id =
        "/resourceGroups/wm-dev/providers/Microsoft.KeyVault/vaults/wm-dev/secrets/surface-secret";
    let secret = cloud.resource(id)["properties"]["value"].take();
    let secret = secret.as_str().unwrap();
    assert_eq!(secret.len(), 64);
    assert!(
        !ran.out.contains(secret) && !ran.err.contains(secret),
        "{ran:?}"
    );
    for folder in [program.home(), root.path()] {
        for file in files(folder) {
            let text = fs::read(&file).unwrap();
            let text = String::from_utf8_lossy(&text);
            assert!(!text.contains(secret), "{}", file.display());
        }
    }
    program.works(&deploy(&root, &[]));
    assert_eq!(cloud.resource(id)["properties"]["value"], secret);
    let writes = cloud.writes();
    assert_eq!(
        writes
            .iter()
            .filter(|write| write.contains("KeyVault"))
            .count(),
        1,
        "{writes:?}"
    );
}

#[test]
fn later_deployment_keeps_surface_and_unnamed_parameters() {
    let (cloud, root) = (deployable(), checkout());
    let program = tooled(&cloud).with("AZURE_TAGS", "team=docs");
    program.works(&deploy(
        &root,
        &[&FIRST[..], &["--storage-account", "theirdocs"]].concat(),
    ));
    cloud.put("/resourceGroups/wm-dev", json!({ "location": "eastus" }));
    let first = parameters(&program).pop().unwrap();
    let later = tooled(&cloud);
    fs::copy(
        program.home().join("deployed-wm-dev"),
        later.home().join("deployed-wm-dev"),
    )
    .unwrap();
    later.works(&deploy(
        &root,
        &["--no-build", "--mail-from", "new@example.com"],
    ));
    let order: Vec<String> = runs(&later).iter().map(|run| run[..3].join(" ")).collect();
    assert_eq!(order, ["az deployment group", "func azure functionapp"]);
    let mut wanted = first.clone();
    wanted.insert("mailFrom".to_owned(), "new@example.com".to_owned());
    assert_eq!(parameters(&later), [wanted]);
    assert_eq!(first["storageAccountName"], "theirdocs");
}

#[test]
fn interrupted_first_deployment_keeps_its_surface() {
    let (cloud, root) = (deployable(), checkout());
    let program = tooled(&cloud).tool("func", "exit 4");
    let ran = program.run(&deploy(&root, &FIRST));
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(
        ran.err
            .contains("`func` failed (exit status: 4): fix the errors above"),
        "{ran:?}"
    );
    let program = program.tool("func", FUNC);
    program.works(&deploy(&root, &["--no-build"]));
    let deployed = parameters(&program);
    let published: Vec<&str> = deployed
        .iter()
        .map(|recorded| recorded["functionsPublished"].as_str())
        .collect();
    assert_eq!(published, ["false", "false", "true"]);
    assert!(
        deployed
            .iter()
            .all(|recorded| recorded["surfaceId"] == deployed[0]["surfaceId"])
    );
}

#[test]
fn another_issuer_gets_its_own_discovery_document() {
    let (cloud, root) = (deployable(), checkout());
    let program = tooled(&cloud);
    program.works(&deploy(&root, &FIRST));
    // The manager stores the computed values besides the given parameters.
    let file = program.home().join("deployed-wm-dev");
    let recorded = fs::read_to_string(&file).unwrap();
    let url = "https://people.example.com/v2.0/.well-known/openid-configuration";
    for (kept, later) in [
        (url, None),
        (
            "https://other.example.com/",
            Some("https://other.example.com/"),
        ),
    ] {
        fs::write(&file, format!("{recorded}entraDiscoveryUrl={kept}\n")).unwrap();
        let issuer = ["--no-build", "--entra-issuer", "https://new.example.com"];
        program.works(&deploy(&root, &issuer));
        let parameters = parameters(&program).pop().unwrap();
        assert_eq!(parameters["entraIssuer"], "https://new.example.com");
        assert_eq!(
            parameters.get("entraDiscoveryUrl").map(String::as_str),
            later
        );
    }
}

#[test]
fn surface_survives_a_deleted_deployment_history() {
    let (cloud, root) = (deployable(), checkout());
    let surface = "srf_01jd8w9z3k5m7n9p1q3r5s7t9v_00002";
    let id = "/resourceGroups/wm-dev/providers/Microsoft.AppConfiguration/configurationStores/wm-dev/keyValues/surface-id";
    cloud.put(id, json!({ "properties": { "value": surface } }));
    let program = tooled(&cloud);
    program.works(&deploy(&root, &FIRST));
    assert_eq!(parameters(&program)[0]["surfaceId"], surface);
}

#[test]
fn data_of_setup_is_used_unchanged_or_refused_if_partial() {
    let (cloud, root) = (deployable(), checkout());
    let program = tooled(&cloud);
    program.works(&["setup", "--prefix", "wm"]);
    program.works(&deploy(&root, &FIRST));
    assert_eq!(parameters(&program)[0]["dataExists"], "true");

    let other = deployable();
    tooled(&other).works(&["setup", "--prefix", "wm"]);
    let program = tooled(&other);
    for (flag, found, missing) in [
        ("--cosmos-account", "wmdevdocs", "their-other"),
        ("--storage-account", "wm-dev-cosmos", "theirother"),
    ] {
        let message = program.refuses(&deploy(&root, &[&FIRST[..], &[flag, missing]].concat()), 1);
        let words = format!("`{found}` exists, but `{missing}` does not: run `wm setup azure`");
        assert!(message.contains(&words), "{message}");
    }
    assert_eq!(runs(&program), [[""; 0]; 0]);
}

/// A new database has no documents, and the sweep would delete all objects as orphaned.
#[test]
fn deployment_refuses_missing_data() {
    let (cloud, root) = (deployable(), checkout());
    let program = tooled(&cloud);
    program.works(&deploy(&root, &FIRST));
    let before = runs(&program);
    let flags = ["--no-build", "--cosmos-account", "their-other"];
    let message = program.refuses(&deploy(&root, &flags), 2);
    assert!(
        message.contains("this deployment uses other data than"),
        "{message}"
    );
    let stray = tooled(&cloud).with("AZURE_STORAGE_ACCOUNT", "theirother");
    let file = "deployed-wm-dev";
    fs::copy(program.home().join(file), stray.home().join(file)).unwrap();
    let message = stray.refuses(&deploy(&root, &["--no-build"]), 2);
    assert!(message.contains("in `theirother`"), "{message}");
    assert_eq!(runs(&program), before);
    assert_eq!(runs(&stray), [[""; 0]; 0]);
}

#[test]
fn missing_tools_are_named_with_their_source() {
    let (cloud, root) = (deployable(), checkout());
    let toolless = |missing: &[&str]| {
        let program = tooled(&cloud);
        // The tools of the machine are not found either.
        let program = program.with("PATH", "");
        let home = program.home().display().to_string();
        let program = program.with("PATH", &home);
        for name in missing {
            fs::remove_file(program.home().join(name)).unwrap();
        }
        program
    };
    let message = toolless(&["az", "func", "cargo"]).refuses(&deploy(&root, &FIRST), 1);
    for words in [
        "`az` is not on the PATH: get it with `pip install azure-cli`",
        "`func` is not on the PATH: get it with `npm install --global azure-functions-core-tools@4`",
        "`cargo` is not on the PATH: get it with `",
    ] {
        assert!(message.contains(words), "{message}");
    }
    let targetless = toolless(&["musl-gcc"]);
    fs::write(targetless.home().join("no-target"), "").unwrap();
    let message = targetless.refuses(&deploy(&root, &FIRST), 1);
    for words in [
        "the target `x86_64-unknown-linux-musl` is not installed: get it with `rustup target add x86_64-unknown-linux-musl`",
        "`musl-gcc` is not on the PATH: get it with `apt-get install musl-tools`",
        "or build with `cargo-zigbuild` instead: get it with `pip install cargo-zigbuild ziglang`",
    ] {
        assert!(message.contains(words), "{message}");
    }
    let unbuilt =
        tooled(&cloud).refuses(&deploy(&root, &[&FIRST[..], &["--no-build"]].concat()), 1);
    assert!(
        unbuilt.contains("no handler is built yet: run this again without `--no-build`"),
        "{unbuilt}"
    );
}

#[test]
fn build_without_static_target_uses_an_old_library() {
    let (cloud, root) = (deployable(), checkout());
    let program = tooled(&cloud).tool("cargo-zigbuild", CARGO);
    fs::write(program.home().join("no-target"), "").unwrap();
    program.works(&deploy(&root, &FIRST));
    let build = &runs(&program)[0];
    assert_eq!(build[..2], ["cargo-zigbuild", "zigbuild"]);
    assert_eq!(after(build, "--target"), ["x86_64-unknown-linux-gnu.2.28"]);
    assert_eq!(
        fs::read(program.home().join("published/handler")).unwrap(),
        b"built"
    );
}

#[test]
fn plan_shows_the_changes_and_makes_none() {
    let (cloud, root) = (deployable(), checkout());
    let program = tooled(&cloud);
    let arguments = deploy(&root, &[&FIRST[..], &["--plan"]].concat());
    let out = program.works(&arguments);
    assert!(
        out.contains("  cargo build --target x86_64-unknown-linux-musl --profile dist"),
        "{out}"
    );
    assert!(out.contains("publisherEmail=docs@example.com"), "{out}");
    assert!(
        out.contains("  put a secret into the Key Vault, unless it has one"),
        "{out}"
    );
    assert!(out.ends_with("no steps were run\n"), "{out}");
    assert_eq!(runs(&program), [[""; 0]; 0]);

    cloud.put("/resourceGroups/wm-dev", json!({ "location": "eastus" }));
    // Works before other tools are installed too.
    fs::remove_file(program.home().join("func")).unwrap();
    let ran = program.run(&arguments);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(
        ran.err.contains("missing: `func` is not on the PATH"),
        "{ran:?}"
    );
    assert_eq!(runs(&program).len(), 1);
    assert_eq!(runs(&program)[0][1..4], ["deployment", "group", "what-if"]);
    assert_eq!(cloud.writes(), [""; 0]);
}

#[test]
fn unusable_input_is_refused_before_the_build() {
    let (cloud, root) = (deployable(), checkout());
    let program = tooled(&cloud);
    for (arguments, code, words) in [
        (
            deploy(&root, &["--entra-tenant", "x"]),
            2,
            "needs `--entra-issuer`, `--entra-client`, `--publisher-email`",
        ),
        (
            deploy(
                &root,
                &[&FIRST[..], &["--parameter", "nonsense=1"]].concat(),
            ),
            2,
            "`infra/azure/main.json` has no parameter `nonsense`",
        ),
        (
            vec![
                "deploy",
                "--prefix",
                "a-prefix-that-is-a-little-too-long-for-it",
            ],
            2,
            "is too long for the names of a deployment",
        ),
        (
            vec!["deploy", "--repository", "/"],
            2,
            "`infra/azure/main.json` is not in `/`",
        ),
    ] {
        let message = program.refuses(&arguments, code);
        assert!(message.contains(words), "{message}");
    }
    let surface = ["--parameter", "surfaceSecret=x"];
    let ran = program.run(&deploy(&root, &surface));
    assert_eq!(ran.code, Some(2), "{ran:?}");
    assert!(
        ran.err.contains("`surfaceSecret` is set by this program"),
        "{ran:?}"
    );
    assert_eq!(runs(&program), [[""; 0]; 0]);
    fs::write(program.home().join("fails"), "").unwrap();
    let ran = program.run(&deploy(&root, &FIRST));
    assert!(ran.err.contains("`az` failed (exit status: 3)"), "{ran:?}");
    assert_eq!(cloud.state().resources.get(&full("/x")), None);
}
