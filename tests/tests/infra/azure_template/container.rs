use serde_json::json;
use wm_azure::config::Role;
use wm_tests::{
    arm::{Arm, CONTAINER_APP, MAIN},
    repository,
};

use super::{Findings, deployed, expect, expect_equal, expect_members, functions};

pub(crate) fn whole(template: &Arm) -> Findings {
    let mut findings = Findings::new();
    let template = deployed(template, &[]);
    let app = template.properties("api");
    let ingress = json!({ "external": true, "targetPort": 8080, "allowInsecure": false });
    let found = &app["configuration"]["ingress"];
    expect_members(&mut findings, "ingress", found, &ingress);
    let container = &app["template"]["containers"][0];
    let image = json!("registry.azurecr.io/api@sha256:0");
    expect_equal(&mut findings, "image", &container["image"], &image);
    let probes: Vec<(&str, &str)> = container["probes"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|probe| {
            let path = probe["httpGet"]["path"].as_str().unwrap();
            (probe["type"].as_str().unwrap(), path)
        })
        .collect();
    let expected = [
        ("Startup", "/health/live"),
        ("Liveness", "/health/live"),
        ("Readiness", "/health/ready"),
    ];
    expect(
        &mut findings,
        probes == expected,
        format!("asked is {probes:?}"),
    );
    let secrets = &app["configuration"]["secrets"];
    expect(&mut findings, secrets.is_null(), "the app holds secrets");
    findings
}

/// The container has the same settings as the functions, as far as it needs them.
pub(crate) fn variables(template: &Arm) -> Findings {
    let mut findings = Findings::new();
    let evaluated = deployed(template, &[]);
    let app_settings =
        Arm::settings(&evaluated.properties("api")["template"]["containers"][0]["env"]);
    for needed in Role::Api.required_variables() {
        expect(
            &mut findings,
            app_settings.contains_key(*needed),
            format!("the container lacks `{needed}`"),
        );
    }
    let functions = functions::app_settings(&Arm::read(MAIN));
    // Computed from the names, because the other template does not export these values.
    let elsewhere = [
        ("AZURE_CLIENT_ID", "{apiIdentity.clientId}"),
        (
            "AZURE_KEY_VAULT_ENDPOINT",
            "https://workspace-management-dev.vault.azure.net",
        ),
        (
            "AZURE_APP_CONFIGURATION_ENDPOINT",
            "https://workspace-management-dev.azconfig.io",
        ),
        ("WM_LISTEN", "0.0.0.0:8080"),
    ];
    for (name, value) in &app_settings {
        let expected = elsewhere.iter().find(|(known, _)| known == name);
        let expected = expected.map(|(_, value)| *value);
        let expected = expected.or(functions.get(name).map(String::as_str));
        expect(
            &mut findings,
            expected == Some(value),
            format!("`{name}` is `{value}`, not {expected:?}"),
        );
    }
    findings
}

#[test]
fn container_has_the_settings_of_the_functions() {
    let template = Arm::read(CONTAINER_APP);
    let findings = [whole(&template), variables(&template)].concat();
    assert!(findings.is_empty(), "{findings:#?}");
}

/// The findings in the build file of the image.
fn image(text: &str) -> Findings {
    let mut findings = Findings::new();
    let froms: Vec<&str> = text
        .lines()
        .filter_map(|line| line.strip_prefix("FROM "))
        .collect();
    expect(
        &mut findings,
        froms.last() == Some(&"scratch"),
        format!("the image is built on {froms:?}"),
    );
    let pinned = froms.iter().all(|from| {
        let image = from.split(' ').next().unwrap_or_default();
        image == "scratch" || (image.contains(':') && !image.ends_with(":latest"))
    });
    expect(
        &mut findings,
        pinned,
        "a stage is built on a floating version",
    );
    let (_, last) = text.rsplit_once("FROM scratch").unwrap_or_default();
    for line in [
        "COPY --from=certificates /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt",
        "COPY target/x86_64-unknown-linux-musl/dist/handler /handler",
        "USER 65532:65532",
        "ENV SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt WM_LISTEN=0.0.0.0:8080",
        "EXPOSE 8080",
        "ENTRYPOINT [\"/handler\", \"serve\"]",
    ] {
        let there = last.lines().any(|found| found == line);
        expect(&mut findings, there, format!("no `{line}`"));
    }
    findings
}

#[test]
fn image_runs_the_handler_as_an_unprivileged_user() {
    let path = repository::root().join("infra/azure/Dockerfile");
    let text = std::fs::read_to_string(path).unwrap();
    let findings = image(&text);
    assert!(findings.is_empty(), "{findings:#?}");
    for (from, to) in [
        ("USER 65532:65532", "USER 0:0"),
        ("debian:12.11-slim", "debian:latest"),
        ("FROM scratch", "FROM debian:12.11-slim"),
    ] {
        let findings = image(&text.replace(from, to));
        assert!(!findings.is_empty(), "no check finds `{to}`");
    }
}
