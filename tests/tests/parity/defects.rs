//! The comparison detects errors: it finds each defect of an adapter and reduces it to a few
//! commands.

use libtest_mimic::Trial;
use wm_tests::{
    instrumented::Defect,
    random_source::Seeded,
    replay::{run::replay, script::Script, shrink::shrink, target::Targets},
};

use super::{
    scripts::{INSTANCES, LENGTH},
    trial,
};

/// The maximum number of scripts until a defect is found.
const SCRIPTS: u64 = 60;
/// The maximum number of commands that show it.
const COMMANDS: usize = 5;

/// Each defect with a surface where it is possible. A node decides no request while another
/// commits.
const DEFECTS: [(Defect, &str, &str); 6] = [
    (
        Defect::LostCondition,
        "aws",
        "defects::lost_condition_is_found",
    ),
    (
        Defect::IgnoredMultiStatus,
        "azure",
        "defects::ignored_multi_status_is_found",
    ),
    (
        Defect::IndexForPermission,
        "aws",
        "defects::index_used_for_a_permission_is_found",
    ),
    (
        Defect::DroppedPage,
        "local",
        "defects::dropped_page_is_found",
    ),
    (Defect::WrongETag, "azure", "defects::wrong_etag_is_found"),
    (
        Defect::LateTombstone,
        "local",
        "defects::late_tombstone_is_found",
    ),
];

pub(crate) fn trials() -> Vec<Trial> {
    let each = DEFECTS.into_iter().map(|(defect, target, name)| {
        trial(name, INSTANCES, move |mut targets| async move {
            is_found(&mut targets, target, defect).await
        })
    });
    each.collect()
}

async fn is_found(
    targets: &mut Targets,
    target: &'static str,
    defect: Defect,
) -> Result<(), String> {
    let defective = Some((target, defect));
    for seed in 1..=SCRIPTS {
        let script = Script::generate(&mut Seeded::new(seed), LENGTH);
        let Err(found) = replay(targets, &script, seed, defective).await else {
            continue;
        };
        if found.target != target {
            return Err(format!("seed {seed}: {found}"));
        }
        let (script, found) = shrink(targets, &script, seed, defective, found).await;
        // Without the defect the same script shows no difference, so the defect was found.
        if let Err(found) = replay(targets, &script, seed, None).await {
            return Err(format!("{defect:?} is not why: {found}"));
        }
        return match script.len() {
            0..=COMMANDS => Ok(()),
            _ => Err(format!("{defect:?} takes {script:#?}\n{found}")),
        };
    }
    Err(format!(
        "{defect:?} on {target} is not found in {SCRIPTS} scripts"
    ))
}
