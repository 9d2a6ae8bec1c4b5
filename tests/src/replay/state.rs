//! The state of one target: its people's tokens, its ETags, cursors and upload plans, and the
//! objects created there.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use wm_core::{http::Request, value::Timestamp};

use super::{
    compare::Digests,
    model::{Body, Model, Precondition, RequestTemplate, Sender, Upload},
    normal::Normaliser,
    script::{Command, PEOPLE},
    target::Target,
};
use crate::harness::Answer;

/// The per-target state.
pub(super) struct TargetState {
    /// The objects created on this target.
    pub(super) model: Model,
    /// The mapping of its digests to the reference's.
    pub(super) digests: Digests,
    /// The position of each id and digest among its kind.
    pub(super) normal: Normaliser,
    /// The upload plans, by the number of the upload.
    pub(super) plans: Vec<Value>,
    tokens: Vec<String>,
    etags: BTreeMap<String, Vec<String>>,
    cursors: BTreeMap<String, String>,
}

impl TargetState {
    /// A state with only the people's tokens.
    pub(super) fn new(target: &Target, run: &str, begun: Timestamp) -> Self {
        let model = Model::new(run.to_owned(), begun);
        // The token of the last person has no e-mail address.
        let token = |person| target.access_token(&model.email(person), begun, person + 1 < PEOPLE);
        Self {
            tokens: (0..PEOPLE).map(token).collect(),
            model,
            digests: Digests::default(),
            normal: Normaliser::default(),
            plans: Vec::new(),
            etags: BTreeMap::new(),
            cursors: BTreeMap::new(),
        }
    }

    /// The request in the form for this target.
    pub(super) fn request(
        &self,
        target: &Target,
        template: &RequestTemplate,
        trace: String,
    ) -> Request {
        let mut headers = vec![("traceparent".to_owned(), trace)];
        let mut header = |name: &str, value: String| headers.push((name.to_owned(), value));
        if let Some(value) = self.authorization(target, template.who) {
            header("authorization", value);
        }
        if let Some(etag) = self.if_match(template) {
            header("if-match", etag);
        }
        if let Some(key) = &template.key {
            header("idempotency-key", key.clone());
        }
        if template.body != Body::Nothing {
            header("content-type", template.media_type.to_owned());
        }
        let mut query = template.query.clone();
        if let Some(cursor) = self
            .cursors
            .get(&template.path)
            .filter(|_| template.goes_on)
        {
            let separator = if query.is_empty() { "" } else { "&" };
            query = format!("{query}{separator}cursor={cursor}");
        }
        Request {
            method: template.method.into(),
            path: template.path.clone(),
            query,
            headers,
            body: self.body(target, &template.body),
        }
    }

    fn authorization(&self, target: &Target, who: Sender) -> Option<String> {
        match who {
            Sender::Person(person) => Some(format!("Bearer {}", self.tokens[person])),
            Sender::Expired(person) => {
                let token = target.expired_token(&self.model.email(person));
                Some(format!("Bearer {token}"))
            }
            Sender::Stranger(token) => token.map(str::to_owned),
        }
    }

    fn if_match(&self, template: &RequestTemplate) -> Option<String> {
        let known = self.etags.get(&template.path).map(Vec::as_slice);
        let known = known.unwrap_or_default();
        let any = || "*".to_owned();
        match template.precondition {
            Precondition::Nothing => None,
            Precondition::Any => Some(any()),
            Precondition::Current => Some(known.last().cloned().unwrap_or_else(any)),
            Precondition::First => Some(known.first().cloned().unwrap_or_else(any)),
            Precondition::Unknown => Some(format!("\"{}\"", "0".repeat(32))),
        }
    }

    fn body(&self, target: &Target, body: &Body) -> Vec<u8> {
        match body {
            Body::Nothing => Vec::new(),
            Body::Bytes(bytes) => bytes.clone(),
            Body::Json(value) => value.to_string().into_bytes(),
            Body::Token(member, person) => {
                let email = self.model.email(*person);
                let begun = self.model.begun;
                let token = match *member {
                    "id_token" => target.id_token(&email, begun),
                    _ => target.access_token(&format!("second-{email}"), begun, true),
                };
                json!({ *member: token }).to_string().into_bytes()
            }
            Body::Mailed(_) => unreachable!("its token was looked up"),
        }
    }

    /// Records an answer of this target.
    pub(super) fn record_answer(
        &mut self,
        command: &Command,
        template: &RequestTemplate,
        answer: &Answer,
    ) {
        if let Some(etag) = answer.header("etag") {
            let place = answer.header("location").unwrap_or(&template.path);
            let known = self.etags.entry(place.to_owned()).or_default();
            if known.last().is_none_or(|last| last != etag) {
                known.push(etag.to_owned());
            }
        }
        let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
        match body["next_cursor"].as_str() {
            Some(cursor) => self
                .cursors
                .insert(template.path.clone(), cursor.to_owned()),
            None => self.cursors.remove(&template.path),
        };
        self.model
            .record_answer(command, template, answer.status, &body);
        self.plan(template, &body);
    }

    /// Records a planned upload.
    fn plan(&mut self, template: &RequestTemplate, body: &Value) {
        let plan = &body["upload"];
        let Some(path) = Model::planned(plan) else {
            return;
        };
        let declared = match &template.body {
            Body::Json(document) => document["sha256"].as_str(),
            _ => None,
        };
        let known = self.model.uploads.iter().find(|upload| upload.path == path);
        let known = known.map(|upload| upload.bytes.clone());
        if let Some(bytes) = declared.and_then(Model::bytes).or(known) {
            self.model.uploads.push(Upload { path, bytes });
            self.plans.push(plan.clone());
        }
    }
}
