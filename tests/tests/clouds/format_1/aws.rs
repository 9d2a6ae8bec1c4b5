use wm_tests::{
    format_1::Stored,
    surfaces::aws::{AwsSurface, Options},
};

use super::Upgraded;

impl Upgraded for AwsSurface {
    const DATA: &str = "aws";

    async fn with_data(stored: &Stored) -> Self {
        let options = Options {
            surface: Some(stored.surface()),
            ..Options::default()
        };
        let surface = Self::with(options).await;
        for item in stored.items() {
            surface.resources.put_item(&item).await;
        }
        for (key, text) in stored.objects() {
            surface.resources.put_object(&key, text.as_bytes()).await;
        }
        surface.skip_changes().await;
        surface
    }
}

scenarios!(AwsSurface);
