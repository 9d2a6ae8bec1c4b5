//! What makes a token acceptable, per issuer. Surfaces supply these as data.

use wm_core::facts::TokenUsage;

/// One issuer whose tokens count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issuer {
    /// The exact `iss`.
    pub issuer: String,
    /// Where its keys are. Configured apart from the issuer; never taken from a token.
    pub jwks_url: String,
    /// What an access token must say.
    pub access: Vec<Requirement>,
    /// What an ID token must say.
    pub id: Vec<Requirement>,
    /// Whether its `email_verified` counts here.
    pub trusts_email: bool,
}

/// A claim that must have one of these values; of a list of values, one must be among them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Requirement {
    /// The claim, such as `aud` or `token_use`.
    pub claim: String,
    /// The accepted values.
    pub one_of: Vec<String>,
}

impl Requirement {
    /// A claim that must have this one value.
    #[must_use]
    pub fn new(claim: &str, value: &str) -> Self {
        Self {
            claim: claim.into(),
            one_of: vec![value.into()],
        }
    }

    pub(super) fn holds(&self, value: Option<&serde_json::Value>) -> bool {
        use serde_json::Value;
        let accepted = |value: &Value| {
            value
                .as_str()
                .is_some_and(|text| self.one_of.iter().any(|accepted| accepted == text))
        };
        match value {
            Some(Value::Array(values)) => values.iter().any(accepted),
            Some(value) => accepted(value),
            None => false,
        }
    }
}

impl Issuer {
    pub(super) fn requirements(&self, usage: TokenUsage) -> &[Requirement] {
        match usage {
            TokenUsage::Access => &self.access,
            TokenUsage::Id => &self.id,
        }
    }
}
