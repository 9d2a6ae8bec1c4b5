//! The vault and the configuration. No key is read anywhere.

use serde_json::{Value, json};
use wm_azure::secrets::{PUBLIC_URL_KEY, SURFACE_ID_KEY};
use wm_core::catalog::{ACCESS_KEY_STARTS, CREDENTIAL_MARKS};
use wm_tests::arm::{Arm, CONTAINER_APP, MAIN, SITE};

use super::{Findings, SURFACE, assert_check, deployed, expect, expect_equal, expect_members};

pub(crate) fn vault(template: &Arm) -> Findings {
    let mut findings = Findings::new();
    let first = deployed(template, &[("surfaceSecret", json!("hush"))]);
    let later = deployed(template, &[]);
    let expected = json!({
        "tenantId": "{subscription.tenantId}",
        "enableRbacAuthorization": true,
        "enableSoftDelete": true,
        "softDeleteRetentionInDays": 90,
        "enablePurgeProtection": true,
        "enabledForDeployment": false,
        "enabledForDiskEncryption": false,
        "enabledForTemplateDeployment": false,
    });
    expect_members(&mut findings, "vault", first.properties("vault"), &expected);
    let value = &first.properties("secret")["value"];
    expect_equal(&mut findings, "secret", value, &json!("hush"));
    let name = &first.resource("secret")["name"];
    let place = json!("workspace-management-dev/surface-secret");
    expect_equal(&mut findings, "secret", name, &place);
    expect(
        &mut findings,
        later.resource("secret").is_null(),
        "a deployment without a secret overwrites the one there is",
    );
    let before = deployed(template, &[("functionsPublished", json!(false))]);
    for (template, secret) in [(&before, false), (&first, true), (&later, true)] {
        let right = template.resource("appMayReadItsSecret").is_object();
        expect(
            &mut findings,
            right == secret,
            "the secret exists without the right to read it, or the reverse",
        );
    }
    let parameter = &template.0["parameters"]["surfaceSecret"];
    let hidden = json!({ "type": "securestring", "defaultValue": "" });
    expect_members(&mut findings, "surfaceSecret", parameter, &hidden);
    // Outputs are visible to every reader of deployments.
    let outputs = template.0["outputs"].to_string();
    expect(
        &mut findings,
        !outputs.contains("surfaceSecret") && !outputs.contains("listKeys"),
        "an output shows a secret",
    );
    findings
}

pub(crate) fn configuration(template: &Arm) -> Findings {
    let mut findings = Findings::new();
    let before = deployed(template, &[("functionsPublished", json!(false))]);
    let values = "Microsoft.AppConfiguration/configurationStores/keyValues";
    expect(
        &mut findings,
        before.of_type(values).is_empty(),
        "values are written before the right to write them has spread",
    );
    let own = deployed(
        template,
        &[("publicUrl", json!("https://docs.example.com"))],
    );
    let template = deployed(template, &[]);
    for (name, value) in [
        (SURFACE_ID_KEY, SURFACE),
        (PUBLIC_URL_KEY, "{gateway.gatewayUrl}"),
    ] {
        let place = format!("workspace-management-dev/{name}");
        let found = template.of_type(values);
        let found = found.iter().find(|(_, found)| found["name"] == place);
        let found = found.map_or(&Value::Null, |(_, found)| &found["properties"]["value"]);
        expect_equal(&mut findings, name, found, &json!(value));
    }
    let public = &own.properties("publicUrlValue")["value"];
    let expected = json!("https://docs.example.com");
    expect_equal(&mut findings, "publicUrlValue", public, &expected);
    let proxy = &template.properties("configuration")["dataPlaneProxy"]["authenticationMode"];
    expect_equal(
        &mut findings,
        "configuration",
        proxy,
        &json!("Pass-through"),
    );
    findings
}

/// Services that accept keys besides an identity, and the property that disables them.
const KEYLESS: [(&str, &str); 7] = [
    ("cosmosAccount", "/disableLocalAuth"),
    ("topic", "/disableLocalAuth"),
    ("configuration", "/disableLocalAuth"),
    ("mail", "/disableLocalAuth"),
    ("insights", "/DisableLocalAuth"),
    ("logs", "/features/disableLocalAuth"),
    ("cosmosAccount", "/disableKeyBasedMetadataWriteAccess"),
];

pub(crate) fn keyless(template: &Arm) -> Findings {
    let mut findings = Findings::new();
    let evaluated = deployed(template, &[]);
    for (name, pointer) in KEYLESS {
        let found = evaluated.properties(name).pointer(pointer);
        expect(
            &mut findings,
            found == Some(&json!(true)),
            format!("{name} takes keys: `{pointer}` is {found:?}"),
        );
    }
    let text = template.0.to_string();
    for function in ["listKeys(", "listAccountSas(", "listConnectionStrings("] {
        expect(
            &mut findings,
            !text.contains(function),
            format!("a key is read with `{function}`"),
        );
    }
    findings.extend(shapes(template));
    findings
}

/// Texts of a template that look like credentials.
fn shapes(template: &Arm) -> Findings {
    let mut findings = Findings::new();
    let mut texts = Vec::new();
    collect(&template.0, &mut texts);
    for text in texts {
        let lower = text.to_lowercase();
        for (mark, what) in CREDENTIAL_MARKS {
            expect(
                &mut findings,
                !lower.contains(mark),
                format!("`{text}` looks like {what}"),
            );
        }
        let key = ACCESS_KEY_STARTS
            .iter()
            .any(|start| text.starts_with(start));
        expect(
            &mut findings,
            !key,
            format!("`{text}` looks like an access key"),
        );
    }
    findings
}

fn collect<'a>(value: &'a Value, texts: &mut Vec<&'a str>) {
    match value {
        Value::String(text) => texts.push(text),
        Value::Array(values) => values.iter().for_each(|value| collect(value, texts)),
        Value::Object(members) => members.values().for_each(|value| collect(value, texts)),
        _ => {}
    }
}

#[test]
fn secrets_are_in_the_vault_and_keys_are_not_used() {
    assert_check(vault);
    assert_check(configuration);
    assert_check(keyless);
    for path in [MAIN, SITE, CONTAINER_APP] {
        let findings = shapes(&Arm::read(path));
        assert!(findings.is_empty(), "{path}: {findings:#?}");
    }
}
