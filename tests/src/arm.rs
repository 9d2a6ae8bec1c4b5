//! The Azure templates as Azure Resource Manager reads them. Expressions are kept, or evaluated for
//! a deployment with given parameters.

mod expression;

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::repository;

pub const MAIN: &str = "infra/azure/main.json";
pub const SITE: &str = "infra/azure/site.json";
pub const CONTAINER_APP: &str = "infra/azure/container-app.json";

/// A template whose resources have symbolic names.
#[derive(Debug, Clone)]
pub struct Arm(pub Value);

impl Arm {
    /// Reads a template of this repository.
    #[must_use]
    pub fn read(path: &str) -> Self {
        let text = std::fs::read_to_string(repository::root().join(path));
        let text = text.unwrap_or_else(|error| panic!("`{path}`: {error}"));
        Self(serde_json::from_str(&text).unwrap_or_else(|error| panic!("`{path}`: {error}")))
    }

    /// Replaces every expression by its value for these parameters. Other parameters keep their
    /// defaults. Values that only Azure knows, such as an address that it assigns, stay a text in
    /// braces: `{topic.endpoint}`. Resources whose condition is false are left out.
    #[must_use]
    pub fn deployed(&self, given: &[(&str, Value)]) -> Self {
        let given = given.iter();
        let given: BTreeMap<String, Value> = given
            .map(|(name, value)| ((*name).to_owned(), value.clone()))
            .collect();
        let scope = expression::Scope::new(&self.0, given);
        let mut document = self.0.clone();
        for section in ["resources", "outputs"] {
            document[section] = scope.resolve(&self.0[section]);
        }
        let resources = document["resources"].as_object_mut().unwrap();
        resources.retain(|_, resource| resource["condition"] != false);
        Self(document)
    }

    /// The symbolic names and contents of all resources.
    #[must_use]
    pub fn resources(&self) -> Vec<(&str, &Value)> {
        let resources: Option<&Map<String, Value>> = self.0["resources"].as_object();
        let resources = resources.into_iter().flatten();
        resources
            .map(|(name, resource)| (name.as_str(), resource))
            .collect()
    }

    /// The symbolic names and contents of the resources of a type.
    #[must_use]
    pub fn of_type(&self, kind: &str) -> Vec<(&str, &Value)> {
        let mut resources = self.resources();
        resources.retain(|(_, resource)| resource["type"] == kind);
        resources
    }

    /// A resource, or null if no resource has this name.
    #[must_use]
    pub fn resource(&self, symbol: &str) -> &Value {
        &self.0["resources"][symbol]
    }

    /// The properties of a resource, or null.
    #[must_use]
    pub fn properties(&self, symbol: &str) -> &Value {
        &self.resource(symbol)["properties"]
    }

    /// The settings of a list such as `appSettings`, by name.
    #[must_use]
    pub fn settings(list: &Value) -> BTreeMap<String, String> {
        let mut settings = BTreeMap::new();
        for setting in list.as_array().into_iter().flatten() {
            let name = setting["name"].as_str().unwrap().to_owned();
            let value = setting["value"].as_str().unwrap_or_default().to_owned();
            assert!(
                settings.insert(name, value).is_none(),
                "{setting} occurs twice"
            );
        }
        settings
    }
}
