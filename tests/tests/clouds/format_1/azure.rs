use wm_tests::{format_1::Stored, surfaces::azure::AzureSurface};

use super::Upgraded;
use crate::harness::Cloud;

impl Upgraded for AzureSurface {
    const DATA: &str = "azure";

    async fn with_data(stored: &Stored) -> Self {
        let surface = <Self as Cloud>::start().await;
        for document in stored.items() {
            surface.resources.put_document(&document).await;
        }
        for (path, text) in stored.objects() {
            surface.resources.put_blob(&path, text.as_bytes()).await;
        }
        surface.skip_changes().await;
        surface
    }
}

scenarios!(AzureSurface);
