//! The layout of the surface's data, as this process knows it.

use std::sync::OnceLock;

use wm_core::{
    operation::Problem,
    record::{Layout, Record},
    storage::Item,
};

use crate::{
    Service,
    execute::describe,
    ports::{PortError, PortErrorKind, Provider, Records},
};

/// A newer program wrote the data of the surface.
#[derive(Debug, thiserror::Error)]
#[error(
    "a newer release wrote the data: it has layout {0}, and this program knows {known} at most. Run the \
     newer release, or restore a backup from before it",
    known = Layout::CURRENT
)]
pub struct NewerLayout(u32);

impl From<NewerLayout> for PortError {
    fn from(error: NewerLayout) -> Self {
        Self::new(PortErrorKind::Refused, error)
    }
}

impl<P: Provider> Service<P> {
    /// The layout that the data had when this process first read it. A surface reads it at its
    /// start, so that its first request need not wait for it.
    ///
    /// # Errors
    /// 503 if the database does not answer, or if a newer program wrote the data.
    pub async fn known_layout(&self) -> Result<&Layout, Problem> {
        if let Some(layout) = self.layout.get() {
            return Ok(layout);
        }
        let (records, key) = (self.provider.records(), Layout::only_key());
        let item = self.retried(|| records.get(&key)).await?;
        // This program cannot serve newer data, but after the next deployment it is served again.
        let layout =
            layout_of(item.as_ref()).map_err(|error| Problem::unavailable(describe(&error)))?;
        Ok(self.layout.get_or_init(|| layout))
    }

    /// The service with a layout that was read before. Without one, it reads the layout when it first
    /// needs it.
    #[must_use]
    pub fn with_layout(self, layout: Option<Layout>) -> Self {
        Self {
            layout: layout.map(OnceLock::from).unwrap_or_default(),
            ..self
        }
    }

    /// The layout that the data has now.
    ///
    /// # Errors
    /// If the database does not answer, the record is damaged, or a newer program wrote the data.
    pub(crate) async fn current_layout(&self) -> Result<Layout, PortError> {
        read(self.provider.records()).await
    }
}

/// Reads the layout of the data at the start of a process, which also opens the connection to the
/// database. `None` if the database does not answer, or a newer program wrote the data: the first
/// request then reads it again.
pub async fn warm_up(records: &impl Records) -> Option<Layout> {
    match read(records).await {
        Ok(layout) => Some(layout),
        Err(error) => {
            let error = describe(&error);
            tracing::warn!(error, "cannot read the layout of the data yet");
            None
        }
    }
}

async fn read(records: &impl Records) -> Result<Layout, PortError> {
    let item = records.get(&Layout::only_key()).await?;
    layout_of(item.as_ref())
}

pub(crate) fn layout_of(item: Option<&Item>) -> Result<Layout, PortError> {
    let record: Option<Record<Layout>> = item
        .map(Record::decode)
        .transpose()
        .map_err(|error| PortError::new(PortErrorKind::Refused, error))?;
    let layout = record.map(|record| record.body).unwrap_or_default();
    if layout.is_newer() {
        return Err(NewerLayout(layout.number).into());
    }
    Ok(layout)
}
