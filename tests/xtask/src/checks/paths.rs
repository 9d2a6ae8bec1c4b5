//! Artifacts are below one prefix shape in the code, the pages and the goldens.

use wm_core::{
    storage::{ObjectKind, ObjectPath},
    value::{ArtifactId, DerivedId, Invalid, ProjectId, VersionId},
};

use super::{Found, Violations, many};
use crate::{
    checkout::{Checkout, Text},
    failure::Failure,
};

/// The paths of an artifact's objects.
const SHAPES: [&str; 2] = [
    "accounts/{account}/projects/{project}/artifacts/{artifact}/raw/{version}/{file}",
    "accounts/{account}/projects/{project}/artifacts/{artifact}/derived/{derived}/{file}",
];
/// The permitted short form of the second part.
const SHORT: [&str; 2] = ["…/raw/{version}/{file}", "…/derived/{derived}/{file}"];
/// The pages that must state both.
const STATED_IN: [&str; 2] = [
    "core/src/storage/object_path.rs",
    "docs/data-identity-model.md",
];

pub(super) fn find(checkout: &Checkout) -> Result<Found, Failure> {
    let mut violations = built();
    for path in STATED_IN {
        let text = checkout.read(path)?;
        let states_shape = |number: usize| {
            let shapes = [SHAPES.get(number), SHORT.get(number)];
            shapes
                .into_iter()
                .flatten()
                .any(|shape| text.contains(*shape))
        };
        let missing = SHAPES
            .iter()
            .enumerate()
            .filter(|(number, _)| !states_shape(*number));
        violations.extend(missing.map(|(_, shape)| {
            format!("`{path}` does not say that objects are at `{shape}`: add it")
        }));
    }
    let mut pages = checkout.texts("docs")?;
    pages.push(Text {
        text: checkout.read("core/openapi.json")?,
        path: "core/openapi.json".into(),
    });
    violations.extend(pages.iter().flat_map(otherwise));
    let goldens = checkout.texts("tests/goldens")?;
    violations.extend(goldens.iter().flat_map(unreadable));
    let held = goldens.iter().flat_map(objects);
    Ok(Found {
        looked_at: format!(
            "{}, {} in the goldens",
            many(pages.len(), "page"),
            many(held.count(), "path")
        ),
        violations,
    })
}

/// Builds paths and checks that they can be parsed.
fn built() -> Violations {
    let raw: Result<VersionId, Invalid> = format!("ver_{ULID}").parse();
    let raw = raw.and_then(|id| is_built(SHAPES[0], ObjectKind::Raw(id), &id.to_string()));
    let derived: Result<DerivedId, Invalid> = format!("drv_{ULID}").parse();
    let derived = derived.and_then(|id| {
        let kind = ObjectKind::Derived(id);
        is_built(SHAPES[1], kind, &id.to_string())
    });
    let built = SHAPES.iter().zip([raw, derived]);
    let otherwise = built.filter(|(_, built)| *built != Ok(true));
    otherwise
        .map(|(shape, _)| {
            let source = STATED_IN[0];
            format!("`wm-core` does not build or does not parse paths of the shape `{shape}`: fix `{source}`")
        })
        .collect()
}

const ULID: &str = "01arz3ndektsv4rrffq69g5fav";

fn is_built(shape: &str, kind: ObjectKind, id: &str) -> Result<bool, Invalid> {
    let project: ProjectId = format!("prj_{ULID}{ULID}").parse()?;
    let artifact: ArtifactId = format!("art_{ULID}").parse()?;
    let path = ObjectPath {
        project,
        artifact,
        kind,
        file: "plan.txt".parse()?,
    };
    let expected = shape
        .replace("{account}", &project.account().to_string())
        .replace("{project}", &project.to_string())
        .replace("{artifact}", &artifact.to_string())
        .replace("{version}", id)
        .replace("{derived}", id)
        .replace("{file}", "plan.txt");
    let read: ObjectPath = expected.parse()?;
    Ok(path.to_string() == expected && read == path)
}

/// The deviating object paths on a page.
fn otherwise(page: &Text) -> Violations {
    let known = |word: &str| SHAPES.contains(&word) || SHORT.contains(&word);
    let is_shape = |word: &&str| {
        word.starts_with("accounts/{")
            || word.starts_with("…/raw/{")
            || word.starts_with("…/derived/{")
    };
    let ends = |c: char| c.is_whitespace() || "`\"'()<>,;".contains(c);
    let words = page.text.split(ends).filter(is_shape);
    words
        .filter(|word| !known(word))
        .map(|word| {
            format!(
                "`{}` contains the path `{word}`: the valid shapes are `{}`",
                page.path,
                SHAPES.join("` and `")
            )
        })
        .collect()
}

/// The invalid object paths in a golden.
fn unreadable(golden: &Text) -> Violations {
    objects(golden)
        .filter(|word| word.parse::<ObjectPath>().is_err())
        .map(|word| {
            format!(
                "`{}` contains `{word}`, which is not an object path: the valid shapes are `{}`",
                golden.path,
                SHAPES.join("` and `")
            )
        })
        .collect()
}

/// The texts in a golden that must be object paths.
fn objects(golden: &Text) -> impl Iterator<Item = &str> {
    let ends = |c: char| c.is_whitespace() || "`\"'?&#\\".contains(c);
    let places = golden.text.match_indices("accounts/acc_");
    let objects = places.filter(|(at, _)| {
        let before = golden.text.get(..*at).unwrap_or_default();
        // The API has paths below accounts too.
        !before.ends_with("/v1/")
    });
    objects.filter_map(move |(at, _)| golden.text.get(at..)?.split(ends).next())
}
