//! People whose access tokens contain no e-mail address. They present their ID token before other
//! requests.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use serde_json::json;
use tokio::sync::OnceCell;
use wm_core::http::Request;

use crate::harness::Answer;

/// The person of each access token, and whether they have presented their ID token.
#[derive(Default)]
pub struct People(Mutex<Known>);

#[derive(Default)]
struct Known {
    emails: BTreeMap<String, String>,
    introduced: BTreeMap<String, Arc<OnceCell<()>>>,
}

impl People {
    /// Records the person of an access token.
    pub fn remember(&self, token: &str, email: &str) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.emails.insert(token.to_owned(), email.to_owned());
    }

    /// Presents the ID token of the caller once, in a separate request.
    pub async fn introduce<F>(
        &self,
        request: &Request,
        id_token: impl Fn(&str) -> String,
        send: impl Fn(Request) -> F,
    ) where
        F: Future<Output = Answer>,
    {
        let header = request.header("authorization");
        let Some(token) = header.and_then(|value| value.split(' ').nth(1)) else {
            return;
        };
        let (email, introduced) = {
            let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            let Some(email) = known.emails.get(token).cloned() else {
                return;
            };
            let introduced = known.introduced.entry(email.clone()).or_default();
            (email, Arc::clone(introduced))
        };
        let show = || async {
            let body = json!({ "id_token": id_token(&email) }).to_string();
            let request = Request {
                method: "POST".into(),
                path: "/v1/session/identity".into(),
                query: String::new(),
                headers: vec![
                    ("authorization".into(), format!("Bearer {token}")),
                    ("content-type".into(), "application/json".into()),
                ],
                body: body.into_bytes(),
            };
            let answer = send(request).await;
            let body = String::from_utf8_lossy(&answer.body);
            assert_eq!(answer.status, 200, "{email} is not introduced: {body}");
        };
        introduced.get_or_init(show).await;
    }
}
