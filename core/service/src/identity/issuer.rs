//! Requirements for tokens of an issuer. Surfaces supply them as data.

use serde_json::Value;
use wm_core::operation::TokenUsage;

/// An issuer whose tokens are accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issuer {
    /// The exact value of `iss`.
    pub issuer: String,
    /// The URL of the keys, or of the discovery document that names it. It is configured and never
    /// taken from a token.
    pub jwks_url: String,
    /// Requirements for an access token.
    pub access: Vec<Requirement>,
    /// Requirements for an ID token.
    pub id: Vec<Requirement>,
    /// Whether addresses that this issuer marks as verified count as verified.
    pub trusts_email: bool,
    /// The names of the claims that identify a person.
    pub names: ClaimNames,
}

/// The names of the claims that identify a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClaimNames {
    /// The claim that identifies the person: the same in all tokens of a person, and never reused.
    pub subject: &'static str,
    /// The claim that states whether `email` is verified.
    pub email_verified: &'static str,
}

impl ClaimNames {
    /// The names of OpenID Connect
    /// (<https://openid.net/specs/openid-connect-core-1_0.html#StandardClaims>).
    pub const STANDARD: Self = Self {
        subject: "sub",
        email_verified: "email_verified",
    };
}

/// A requirement for one claim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Requirement {
    /// The claim, such as `aud` or `token_use`.
    pub(super) claim: String,
    rule: Rule,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Rule {
    /// One of these values. A list must contain one of them.
    OneOf(Vec<String>),
    /// A non-empty text.
    Present,
    /// The claim must be missing.
    Absent,
}

impl Requirement {
    /// The claim must have this value.
    #[must_use]
    pub fn new(claim: &str, value: &str) -> Self {
        Self::one_of(claim, vec![value.into()])
    }

    /// The claim must have one of these values. A list must contain one of them.
    #[must_use]
    pub fn one_of(claim: &str, values: Vec<String>) -> Self {
        Self::with(claim, Rule::OneOf(values))
    }

    /// The claim must be a non-empty text.
    #[must_use]
    pub fn present(claim: &str) -> Self {
        Self::with(claim, Rule::Present)
    }

    /// The claim must be missing.
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
    fn present_requires_a_non_empty_text() {
        let rule = Requirement::present("scp");
        assert!(rule.holds(Some(&json!("access"))));
        for nothing in [json!(""), json!(null), json!(7), json!([]), json!(["a"])] {
            assert!(!rule.holds(Some(&nothing)), "{nothing}");
        }
        assert!(!rule.holds(None));
    }

    #[test]
    fn absent_refuses_every_value() {
        let rule = Requirement::absent("scp");
        assert!(rule.holds(None));
        for something in [json!(""), json!(null), json!("access")] {
            assert!(!rule.holds(Some(&something)), "{something}");
        }
    }

    #[test]
    fn one_of_an_empty_list_never_holds() {
        let rule = Requirement::one_of("aud", Vec::new());
        assert!(!rule.holds(Some(&json!("a"))) && !rule.holds(None));
    }
}
