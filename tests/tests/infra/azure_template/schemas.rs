//! The template checker with Microsoft's own schemas, and the API versions.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    process::Command,
};

use wm_tests::{
    arm::{Arm, CONTAINER_APP, MAIN, SITE},
    repository, suite, tools,
};

use super::{Findings, assert_check, expect};

/// The path of the checker: from the environment, otherwise beside the repository.
fn checker() -> Option<PathBuf> {
    let configured = std::env::var_os("ARM_CHECK").map(PathBuf::from);
    let path = configured.unwrap_or_else(|| repository::root().join("../shared/tools/arm-check"));
    path.is_file().then_some(path)
}

#[test]
fn templates_pass_the_checker() {
    let Some(checker) = checker() else {
        let reason = "there is no checker: name one in `ARM_CHECK`";
        suite::skip("azure", "templates_pass_the_checker", reason);
        return;
    };
    let python = tools::python_environment("arm-check", "tests/tools/arm-check/requirements.txt");
    let templates = [MAIN, SITE, CONTAINER_APP].map(|path| repository::root().join(path));
    let run = |templates: &[PathBuf]| {
        let output = Command::new(&python)
            .arg(&checker)
            .args(templates)
            .output()
            .unwrap();
        let output_text =
            [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned());
        (output.status.code(), output_text.concat())
    };
    let (code, output_text) = run(&templates);
    assert_eq!(code, Some(0), "{output_text}");
    // First check that it reports an error at all.
    let directory = tempfile::tempdir().unwrap();
    let broken = directory.path().join("broken.json");
    let text = std::fs::read_to_string(&templates[0]).unwrap();
    std::fs::write(
        &broken,
        text.replace("minimumTlsVersion\"", "minimumTlsVersoin\""),
    )
    .unwrap();
    let (code, output_text) = run(&[broken]);
    assert_eq!(code, Some(1), "{output_text}");
}

/// One API version per interface in all templates, so that a comparison for one template holds for
/// the others.
pub(crate) fn versions(template: &Arm) -> Findings {
    let mut findings = Findings::new();
    let mut known: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let others = [MAIN, SITE, CONTAINER_APP].map(Arm::read);
    for template in others.iter().chain([template]) {
        for (_, resource) in template.resources() {
            let (kind, version) = (&resource["type"], &resource["apiVersion"]);
            let kind = kind.as_str().unwrap();
            // A provider whose types have different versions.
            let family = match kind.split_once('/').unwrap() {
                ("Microsoft.Insights", _) => kind,
                (provider, _) => provider,
            };
            let versions = known.entry(family.to_owned()).or_default();
            versions.insert(version.as_str().unwrap().to_owned());
        }
    }
    for (family, versions) in known {
        expect(
            &mut findings,
            versions.len() == 1,
            format!("{family} is spoken to in {versions:?}"),
        );
        let dated = versions.iter().all(|version| {
            !version.ends_with("-preview") || family == "Microsoft.Insights/diagnosticSettings"
        });
        expect(
            &mut findings,
            dated,
            format!("{family} is a preview: {versions:?}"),
        );
    }
    findings
}

#[test]
fn each_interface_is_used_in_one_api_version() {
    assert_check(versions);
}
