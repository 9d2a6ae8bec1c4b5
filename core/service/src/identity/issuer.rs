//! What makes a token acceptable, per issuer. Surfaces supply these as data.

use serde_json::Value;
use wm_core::operation::TokenUsage;

/// One issuer whose tokens count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issuer {
    /// The exact `iss`.
    pub issuer: String,
    /// Where its keys are, or the document that says where. Configured apart from the issuer; never taken
    /// from a token.
    pub jwks_url: String,
    /// What an access token must say.
    pub access: Vec<Requirement>,
    /// What an ID token must say.
    pub id: Vec<Requirement>,
    /// Whether its word that an address is verified counts here.
    pub trusts_email: bool,
    /// Which claims say who somebody is.
    pub names: ClaimNames,
}

/// The claims in which an issuer says who somebody is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClaimNames {
    /// The claim whose value is the person: the same in every token of theirs, and never another's.
    pub subject: &'static str,
    /// The claim that says whether `email` is proved to be theirs.
    pub email_verified: &'static str,
}

impl ClaimNames {
    /// As OpenID Connect has them
    /// (<https://openid.net/specs/openid-connect-core-1_0.html#StandardClaims>).
    pub const STANDARD: Self = Self {
        subject: "sub",
        email_verified: "email_verified",
    };
}

/// What a claim must be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Requirement {
    /// The claim, such as `aud` or `token_use`.
    pub(super) claim: String,
    rule: Rule,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Rule {
    /// One of these values; of a list of values, one among them.
    OneOf(Vec<String>),
    /// Text, and not empty.
    Present,
    /// Not there, whatever it would say.
    Absent,
}

impl Requirement {
    /// A claim that must have this one value.
    #[must_use]
    pub fn new(claim: &str, value: &str) -> Self {
        Self::one_of(claim, vec![value.into()])
    }

    /// A claim that must have one of these values; of a list of values, one must be among them.
    #[must_use]
    pub fn one_of(claim: &str, values: Vec<String>) -> Self {
        Self::with(claim, Rule::OneOf(values))
    }

    /// A claim that must say something.
    #[must_use]
    pub fn present(claim: &str) -> Self {
        Self::with(claim, Rule::Present)
    }

    /// A claim that must not be there.
    #[must_use]
    pub fn absent(claim: &str) -> Self {
        Self::with(claim, Rule::Absent)
    }

    fn with(claim: &str, rule: Rule) -> Self {
        Self {
            claim: claim.into(),
            rule,
        }
    }

    pub(super) fn holds(&self, value: Option<&Value>) -> bool {
        match &self.rule {
            Rule::OneOf(values) => is_one_of(values, value),
            Rule::Present => value
                .and_then(Value::as_str)
                .is_some_and(|text| !text.is_empty()),
            Rule::Absent => value.is_none(),
        }
    }
}

fn is_one_of(values: &[String], value: Option<&Value>) -> bool {
    let accepted = |value: &Value| {
        value
            .as_str()
            .is_some_and(|text| values.iter().any(|accepted| accepted == text))
    };
    match value {
        Some(Value::Array(values)) => values.iter().any(accepted),
        Some(value) => accepted(value),
        None => false,
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_claim_is_there_when_it_says_something() {
        let rule = Requirement::present("scp");
        assert!(rule.holds(Some(&json!("access"))));
        for nothing in [json!(""), json!(null), json!(7), json!([]), json!(["a"])] {
            assert!(!rule.holds(Some(&nothing)), "{nothing}");
        }
        assert!(!rule.holds(None));
    }

    #[test]
    fn a_claim_is_absent_only_when_it_does_not_stand_there() {
        let rule = Requirement::absent("scp");
        assert!(rule.holds(None));
        for something in [json!(""), json!(null), json!("access")] {
            assert!(!rule.holds(Some(&something)), "{something}");
        }
    }

    #[test]
    fn one_of_nothing_is_never_met() {
        let rule = Requirement::one_of("aud", Vec::new());
        assert!(!rule.holds(Some(&json!("a"))) && !rule.holds(None));
    }
}
