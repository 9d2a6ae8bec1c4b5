//! A fixture with one object of every kind that has an id.

use serde_json::{Value, json};
use wm_core::operation::{Method, Route};

use crate::{
    client::{Answered, Person, declaration},
    harness::Harness,
};

/// An account with one object for every path parameter.
#[derive(Debug, Clone)]
pub struct Fixture {
    parameters: Vec<(&'static str, String)>,
}

impl Fixture {
    /// Creates the fixture in a new account of the owner.
    pub async fn found<H: Harness>(owner: &Person<'_, H>) -> Self {
        let account = owner.account().await;
        let project = owner.project(&account).await;
        let artifact = owner.upload(&project, "plan.txt", b"plan").await;
        let user = owner.id().await;
        let create = async |path: String, body: Value| owner.post(&path, body).await.expect(201);
        let teams = format!("/v1/accounts/{account}/teams");
        let team = create(teams, json!({ "name": "Review" })).await.id();
        let place = format!("/v1/accounts/{account}/teams/{team}/members/{user}");
        owner
            .put(&place, json!({ "role": "member" }))
            .await
            .expect(201);
        let invitations = format!("/v1/accounts/{account}/invitations");
        let invitation = json!({ "email": "new@example.com", "role": "member" });
        let invitation = create(invitations, invitation).await.id();
        let artifact_path = format!("/v1/projects/{project}/artifacts/{artifact}");
        let mut output = declaration("plan.text", b"text");
        output["source_version"] = json!(1);
        output["kind"] = json!("text");
        let derived = create(format!("{artifact_path}/derived"), output).await;
        let derived = derived.body["derived"]["id"].as_str().unwrap().to_owned();
        let grant = json!({ "principal": { "type": "team", "id": team }, "role": "viewer" });
        let grants = format!("/v1/projects/{project}/grants");
        let grant = owner.post(&grants, grant).await.expect(201).id();
        let number = "1".to_owned();
        let parameters = vec![
            ("account", account),
            ("project", project),
            ("artifact", artifact),
            ("number", number),
            ("derived", derived),
            ("grant", grant),
            ("team", team),
            ("user", user),
            ("invitation", invitation),
        ];
        Self { parameters }
    }

    /// The id of a parameter.
    #[track_caller]
    pub fn id(&self, name: &str) -> &str {
        let mut parameters = self.parameters.iter();
        let found = parameters.find(|(known, _)| *known == name);
        &found
            .unwrap_or_else(|| panic!("nothing for `{{{name}}}`: add it to the fixture"))
            .1
    }

    /// The fixture with another id for one parameter.
    pub fn with(&self, name: &str, id: &str) -> Self {
        let mut other = self.clone();
        for (known, value) in &mut other.parameters {
            if *known == name {
                id.clone_into(value);
            }
        }
        other
    }

    /// The fixture with well-formed ids of missing objects.
    pub fn with_missing_ids(&self) -> Self {
        let mut other = self.clone();
        for (name, value) in &mut other.parameters {
            if *name != "number" {
                let last = if value.ends_with('0') { '1' } else { '0' };
                value.pop();
                value.push(last);
            }
        }
        other
    }

    /// A route's path in this fixture.
    #[track_caller]
    pub fn path(&self, route: &Route) -> String {
        parameters(route).fold(route.path.to_owned(), |path, name| {
            path.replace(&format!("{{{name}}}"), self.id(name))
        })
    }

    /// The body of a request to a route: the route's example with the person of this fixture, or an
    /// empty object for a route without a body.
    pub fn body(&self, route: &Route) -> Value {
        let example = route.body.map_or("{}", |body| body.example);
        let mut body = serde_json::from_str(example).unwrap();
        self.about_our_person(&mut body);
        body
    }

    fn about_our_person(&self, value: &mut Value) {
        match value {
            Value::String(text) if text.starts_with("usr_") => self.id("user").clone_into(text),
            Value::Array(items) => items
                .iter_mut()
                .for_each(|item| self.about_our_person(item)),
            Value::Object(members) => {
                members
                    .values_mut()
                    .for_each(|member| self.about_our_person(member));
            }
            _ => {}
        }
    }

    /// Sends a valid request to a route.
    pub async fn call<H: Harness>(&self, person: &Person<'_, H>, route: &Route) -> Answered {
        let body = takes_body(route).then(|| self.body(route));
        let headers = [("if-match", "*")];
        person
            .send(route.method.as_str(), &self.path(route), &headers, body)
            .await
    }

    /// The number of entries of its journals and of rows of its lists. A refused request changes
    /// none of them.
    pub async fn row_counts<H: Harness>(&self, owner: &Person<'_, H>) -> Vec<Value> {
        let mut counts = Vec::new();
        for scope in ["account", "project"] {
            let path = format!("/v1/{scope}s/{}/journal/verification", self.id(scope));
            let verified = owner.get(&path).await.expect(200);
            assert_eq!(verified.body["valid"], true, "{}", verified.body);
            counts.push(verified.body["entries"].clone());
        }
        counts
    }
}

/// The names of a route's path parameters, in order.
pub fn parameters(route: &Route) -> impl Iterator<Item = &'static str> {
    let name = |segment: &'static str| segment.strip_prefix('{')?.strip_suffix('}');
    route.path.split('/').filter_map(name)
}

/// Whether requests to a route have a body.
pub fn takes_body(route: &Route) -> bool {
    !matches!(route.method, Method::Get | Method::Delete)
}
