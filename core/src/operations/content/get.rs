//! `GET …/versions/{number}` and `GET …/derived/{derived}`

use alloc::{boxed::Box, vec::Vec};

use super::{Place, Stored};
use crate::operation::{Context, Facts, Outcome, Parsed, Problem, ReadRequest, UseCase, view};

pub(crate) struct GetContent<S: Stored> {
    place: Place<S>,
}

impl<S: Stored> GetContent<S> {
    pub(crate) fn parse(request: &Parsed<'_>) -> Result<Box<dyn UseCase>, Problem> {
        Ok(Box::new(Self {
            place: Place::of(request)?,
        }))
    }
}

impl<S: Stored> UseCase for GetContent<S> {
    fn reads(&self, context: &Context<'_>, _: &Facts) -> Result<Vec<ReadRequest>, Problem> {
        Ok(self.place.reads(context.user()))
    }

    fn decide(&self, context: &Context<'_>, facts: &Facts) -> Result<Outcome, Problem> {
        // The capability to view a document also covers its records.
        let (_, record) = self.place.find(context, facts)?;
        Ok(Outcome::Reply(view::shown(
            &record,
            &S::View::from(&record),
        )))
    }
}
