//! Rights of identities and deployers.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write,
};

use serde_json::{Value, json};
use wm_tests::{
    arm::{Arm, CONTAINER_APP, MAIN, SITE},
    golden,
};

use super::{Findings, assert_check, deployed, expect};

/// Roles that are too wide for any principal.
const TOO_WIDE: [&str; 5] = [
    "8e3af657-a8ff-443c-a75c-2fe8c4bcb635", // Owner
    "b24988ac-6180-42a0-ab88-20f7382dd24c", // Contributor
    "18d7d88d-d35e-4fb5-a5c3-7773c20a72d9", // User Access Administrator
    "f58310d9-a9f6-439a-9e8d-f62e7b41a168", // Role Based Access Control Administrator
    "17d1049b-9a84-46fb-8f53-869881c3d3ab", // Storage Account Contributor
];

/// The holder of a right in these templates: an identity or the deployer.
fn who(principal: &str) -> String {
    match principal.strip_suffix("Identity.principalId}") {
        Some(identity) => identity.trim_start_matches('{').to_owned(),
        None if principal == "{deployer.objectId}" => "setup".to_owned(),
        None => principal.to_owned(),
    }
}

/// A right: holder, role and scope.
struct Right {
    who: String,
    role: String,
    place: String,
}

/// Every right that a template gives.
fn rights(template: &Arm) -> Vec<Right> {
    let names = |section: &str| -> BTreeMap<String, String> {
        let roles = template.0["variables"][section].as_object();
        let roles = roles.into_iter().flatten();
        roles
            .map(|(name, id)| (id.as_str().unwrap().to_owned(), name.clone()))
            .collect()
    };
    let (roles, cosmos) = (names("roles"), names("cosmosRoles"));
    // The complete template with every optional right.
    let registry = [("registryName", json!("registry"))];
    let more: &[_] = match template.0["parameters"]["registryName"] {
        Value::Null => &[],
        _ => &registry,
    };
    let template = deployed(template, more);
    let mut rights = Vec::new();
    let named = |known: &BTreeMap<String, String>, id: &str| {
        let id = id.rsplit('/').next().unwrap_or_default();
        known.get(id).cloned().unwrap_or_else(|| id.to_owned())
    };
    for (_, resource) in template.of_type("Microsoft.Authorization/roleAssignments") {
        let properties = &resource["properties"];
        rights.push(Right {
            who: who(properties["principalId"].as_str().unwrap()),
            role: named(&roles, properties["roleDefinitionId"].as_str().unwrap()),
            place: resource["scope"]
                .as_str()
                .unwrap_or("everything")
                .to_owned(),
        });
    }
    for (_, resource) in
        template.of_type("Microsoft.DocumentDB/databaseAccounts/sqlRoleAssignments")
    {
        let properties = &resource["properties"];
        rights.push(Right {
            who: who(properties["principalId"].as_str().unwrap()),
            role: format!(
                "cosmos {}",
                named(&cosmos, properties["roleDefinitionId"].as_str().unwrap())
            ),
            place: properties["scope"]
                .as_str()
                .unwrap_or("everything")
                .to_owned(),
        });
    }
    rights
}

pub(crate) fn least(template: &Arm) -> Findings {
    let mut findings = Findings::new();
    let evaluated = deployed(template, &[]);
    for (name, resource) in evaluated.of_type("Microsoft.Authorization/roleAssignments") {
        let scope = resource["scope"].as_str().unwrap_or_default();
        // A provider, and at least one type with its name: never a group or a subscription.
        expect(
            &mut findings,
            scope.split('/').count() >= 3,
            format!("{name} reaches everything in the resource group"),
        );
        let role = resource["properties"]["roleDefinitionId"].as_str().unwrap();
        let wide = TOO_WIDE.iter().any(|wide| role.ends_with(wide));
        expect(&mut findings, !wide, format!("{name} gives far too much"));
        let waits = resource["dependsOn"]
            .as_array()
            .is_some_and(|list| !list.is_empty());
        expect(&mut findings, waits, format!("{name} waits for nothing"));
    }
    for Right { who, role, place } in rights(template) {
        let on_records = place.contains("/colls/");
        expect(
            &mut findings,
            !role.starts_with("cosmos") || on_records,
            format!("{who} has rights on every container of the database"),
        );
        // Only the handler and the set-up have rights on documents, and only on their container.
        let documents = place.contains("workspacemanagedevdocs");
        let theirs = ["app", "api", "setup"].contains(&who.as_str());
        expect(
            &mut findings,
            !documents || theirs,
            format!("{who} reaches documents"),
        );
        expect(
            &mut findings,
            !documents || place.contains("/containers/") || role == "storageBlobDelegator",
            format!("{who} is {role} of the whole account"),
        );
        let mail = place.contains("communicationServices");
        expect(
            &mut findings,
            mail == (who == "mail"),
            format!("{who} is {role} at {place}"),
        );
        let secret = place.contains("Microsoft.KeyVault");
        expect(
            &mut findings,
            !secret
                || (place.ends_with("/secrets/surface-secret") && role == "keyVaultSecretsUser"),
            format!("{who} is {role} of the vault"),
        );
    }
    findings
}

/// Two role assignments with the same name are one, and the later deployment removes the other.
pub(crate) fn distinct(template: &Arm) -> Findings {
    let mut findings = Findings::new();
    let template = deployed(template, &[]);
    let mut names = BTreeSet::new();
    for (symbol, resource) in template.resources() {
        let kind = resource["type"].as_str().unwrap();
        if kind.ends_with("oleAssignments") {
            let name = format!("{} at {}", resource["name"], resource["scope"]);
            expect(
                &mut findings,
                names.insert(name),
                format!("{symbol} has the name of another"),
            );
        }
    }
    findings
}

#[test]
fn functions_have_only_the_rights_they_need() {
    assert_check(least);
    assert_check(distinct);
    for path in [CONTAINER_APP, SITE] {
        let mut findings = distinct(&Arm::read(path));
        if path == CONTAINER_APP {
            findings.extend(least(&Arm::read(path)));
        }
        assert!(findings.is_empty(), "{path}: {findings:#?}");
    }
    let mut text = String::new();
    for path in [MAIN, CONTAINER_APP, SITE] {
        writeln!(text, "{path}").unwrap();
        let mut by_who: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for Right { who, role, place } in rights(&Arm::read(path)) {
            let line = format!("    {role}\n      {place}");
            by_who.entry(who).or_default().insert(line);
        }
        for (who, lines) in by_who {
            writeln!(text, "  {who}").unwrap();
            for line in lines {
                writeln!(text, "{line}").unwrap();
            }
        }
    }
    golden::check("azure-rights.txt", &text);
}
