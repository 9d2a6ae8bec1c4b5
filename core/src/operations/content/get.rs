//! `GET …/versions/{number}` and `GET …/derived/{derived}`

use alloc::{boxed::Box, vec::Vec};

use super::shown::Shown;
use crate::{
    operation::{
        Budget, Context, Example, Facts, Method, Outcome, Parsed, Problem, ReadRequest, Requires,
        Route, Success, UseCase, content::ContentRef, schema, view,
    },
    value::Capability,
};

pub(crate) struct GetContent<S: Shown> {
    target: ContentRef<S>,
}

impl<S: Shown> GetContent<S> {
    const ANSWERS: &'static [Success] =
        &[Success::ok(schema::<S::View>, Example::Text(S::EXAMPLE))];

    /// The route for records of this family.
    pub(crate) const fn route(
        path: &'static str,
        operation: &'static str,
        summary: &'static str,
    ) -> Route {
        Route::new(Method::Get, path, operation, summary, Self::parse)
            .describes(
                "Answers the file name, the size, the digest and the state of the upload. Another \
                 operation signs a URL for the bytes.",
            )
            .requires(Requires::Project(Capability::ArtifactView))
            .budget(Budget::READ)
            .answers(Self::ANSWERS)
    }

    fn parse(request: &Parsed<'_>) -> Result<Box<dyn UseCase>, Problem> {
        Ok(Box::new(Self {
            target: ContentRef::of(request)?,
        }))
    }
}

impl<S: Shown> UseCase for GetContent<S> {
    fn reads(&self, context: &Context<'_>, _: &Facts) -> Result<Vec<ReadRequest>, Problem> {
        Ok(self.target.reads(context.user()))
    }

    fn decide(&self, context: &Context<'_>, facts: &Facts) -> Result<Outcome, Problem> {
        // The capability to view a document also covers its records.
        let (_, record) = self.target.find(context, facts)?;
        Ok(Outcome::Reply(view::shown(
            &record,
            &S::View::from(&record),
        )))
    }
}
