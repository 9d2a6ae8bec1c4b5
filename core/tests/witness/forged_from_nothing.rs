use wm_core::permission::Permit;

fn main() {
    let _: Permit = Default::default();
}
