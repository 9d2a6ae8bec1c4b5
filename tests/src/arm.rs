//! The templates of Azure, as Azure Resource Manager reads them: with their expressions or, once they are
//! deployed with some parameters, with what those come to.

mod expression;

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::repository;

/// Where the surface's template is.
pub const MAIN: &str = "infra/azure/main.json";
/// Where the site's template is.
pub const SITE: &str = "infra/azure/site.json";
/// Where the template of the API in a container is.
pub const CONTAINER_APP: &str = "infra/azure/container-app.json";

/// A template whose resources have symbolic names.
#[derive(Debug, Clone)]
pub struct Arm(pub Value);

impl Arm {
    /// One of this repository.
    ///
    /// # Panics
    /// When it is not there or no JSON.
    #[must_use]
    pub fn read(path: &str) -> Self {
        let text = std::fs::read_to_string(repository::root().join(path));
        let text = text.unwrap_or_else(|error| panic!("`{path}`: {error}"));
        Self(serde_json::from_str(&text).unwrap_or_else(|error| panic!("`{path}`: {error}")))
    }

    /// The same with every expression replaced by what it comes to for these parameters, the others as
    /// they are by default. What only Azure knows, such as an address it gives, stays a text in braces:
    /// `{topic.endpoint}`. Resources whose condition does not hold are left out.
    ///
    /// # Panics
    /// When an expression is none, or a parameter has no value.
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

    /// Symbolic names and contents of all resources.
    #[must_use]
    pub fn resources(&self) -> Vec<(&str, &Value)> {
        let resources: Option<&Map<String, Value>> = self.0["resources"].as_object();
        let resources = resources.into_iter().flatten();
        resources
            .map(|(name, resource)| (name.as_str(), resource))
            .collect()
    }

    /// Symbolic names and contents of the resources of a type.
    #[must_use]
    pub fn of_type(&self, kind: &str) -> Vec<(&str, &Value)> {
        let mut resources = self.resources();
        resources.retain(|(_, resource)| resource["type"] == kind);
        resources
    }

    /// A resource; null where there is none of that name.
    #[must_use]
    pub fn resource(&self, symbol: &str) -> &Value {
        &self.0["resources"][symbol]
    }

    /// The properties of a resource; null where it has none.
    #[must_use]
    pub fn properties(&self, symbol: &str) -> &Value {
        &self.resource(symbol)["properties"]
    }

    /// The settings of a list such as `appSettings`, by name.
    ///
    /// # Panics
    /// When one has no name or is there twice.
    #[must_use]
    pub fn settings(list: &Value) -> BTreeMap<String, String> {
        let mut settings = BTreeMap::new();
        for setting in list.as_array().into_iter().flatten() {
            let name = setting["name"].as_str().unwrap().to_owned();
            let value = setting["value"].as_str().unwrap_or_default().to_owned();
            assert!(
                settings.insert(name, value).is_none(),
                "{setting} is there twice"
            );
        }
        settings
    }
}
