//! The backend selection: the names of the services that a surface uses. It never contains a
//! secret.

mod credential;
mod literal;
mod naming;
mod read;

use alloc::{
    borrow::{Cow, ToOwned},
    collections::BTreeMap,
    format,
    string::{String, ToString},
    vec,
    vec::Vec,
};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Serialize, Serializer};
use serde_json::{Map, Value, json};

use crate::{
    catalog::{DEFAULT_ENVIRONMENT, DEFAULT_PREFIX, Field, Provider, Rule, Source},
    value::FieldError,
};

/// The selection of one surface, without secrets.
///
/// The catalog entry of the provider defines its fields and their valid values. Every field has a
/// value that the provider accepts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackendSelection {
    /// The provider whose catalog entry defines the fields.
    pub provider: Provider,
    /// The environment, such as `dev`.
    pub environment: String,
    names: BTreeMap<&'static str, String>,
}

impl BackendSelection {
    /// The selection for a prefix, an environment and a location, such as a region.
    /// Not every provider has one. Names that are too long for the provider are shortened; six
    /// digits of a digest keep them distinct.
    ///
    /// # Errors
    /// All errors of the three arguments.
    pub fn new(
        provider: Provider,
        prefix: &str,
        environment: &str,
        location: Option<&str>,
    ) -> Result<Self, Vec<FieldError>> {
        let slug = naming::slug(prefix);
        let mut errors = Vec::new();
        errors.extend(check_prefix(&slug));
        errors.extend(check_environment(environment));
        let mut names = BTreeMap::new();
        for field in provider.entry().fields {
            let name = match field.source {
                Source::Catalog => field.example.to_owned(),
                Source::Derived(ending) => naming::derive(field.rule, &slug, environment, ending),
                Source::Location => location.unwrap_or(field.example).to_owned(),
            };
            if field.source == Source::Location {
                errors.extend(check_name(field, &name));
            }
            names.insert(field.path, name);
        }
        if !errors.is_empty() {
            return Err(errors);
        }
        Ok(Self {
            provider,
            environment: environment.to_owned(),
            names,
        })
    }

    /// The selection of a provider for the default prefix and environment.
    #[must_use]
    pub fn defaults(provider: Provider) -> Self {
        let fields = provider.entry().fields.iter();
        Self {
            provider,
            environment: DEFAULT_ENVIRONMENT.to_owned(),
            names: fields
                .map(|field| (field.path, field.example.to_owned()))
                .collect(),
        }
    }

    /// The value under a path such as `storage.bucket`. `None` if the provider has no such field.
    #[must_use]
    pub fn name(&self, path: &str) -> Option<&str> {
        self.names.get(path).map(String::as_str)
    }

    /// The selection with another value under a path.
    ///
    /// # Errors
    /// If the provider has no such field or does not accept the value.
    pub fn with(mut self, path: &str, name: &str) -> Result<Self, FieldError> {
        let mut fields = self.provider.entry().fields.iter();
        let field = fields
            .find(|field| field.path == path)
            .ok_or_else(|| unknown(path, self.provider))?;
        if let Some(error) = check_name(field, name) {
            return Err(error);
        }
        self.names.insert(field.path, name.to_owned());
        Ok(self)
    }

    /// The selection as the text of an ES module: `export const backendSelection = {…};`.
    #[must_use]
    pub fn module(&self) -> String {
        let mut members = vec![
            member(2, "provider", self.provider.as_str()),
            member(2, "environment", &self.environment),
        ];
        let fields = self.provider.entry().fields;
        for group in fields.chunk_by(|a, b| group_of(a) == group_of(b)) {
            let indent = if group.iter().all(|field| group_of(field).is_empty()) {
                2
            } else {
                4
            };
            let names: Vec<_> = group
                .iter()
                .map(|field| {
                    let name = self.name(field.path).unwrap_or_default();
                    member(indent, last_segment(field.path), name)
                })
                .collect();
            let names = names.join(",\n");
            members.push(match group.first().map(group_of) {
                None | Some("") => names,
                Some(group) => format!("  {}: {{\n{names}\n  }}", Value::from(group)),
            });
        }
        format!(
            "export const backendSelection = {{\n{}\n}};\n",
            members.join(",\n")
        )
    }

    /// Parses the text of a module.
    ///
    /// # Errors
    /// All errors at once: unknown and missing fields, values of the wrong type, values that the
    /// provider does not accept, and texts that look like a credential. No message repeats a value.
    pub fn read(module: &str) -> Result<Self, Vec<FieldError>> {
        read::read(module)
    }

    fn to_value(&self) -> Value {
        let mut top = Map::new();
        top.insert("provider".into(), self.provider.as_str().into());
        top.insert("environment".into(), self.environment.as_str().into());
        for (path, name) in &self.names {
            match path.split_once('.') {
                None => {
                    top.insert((*path).into(), name.as_str().into());
                }
                Some((group, field)) => {
                    let group = top.entry(group).or_insert_with(|| json!({}));
                    if let Value::Object(members) = group {
                        members.insert(field.into(), name.as_str().into());
                    }
                }
            }
        }
        Value::Object(top)
    }
}

impl Serialize for BackendSelection {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.to_value().serialize(serializer)
    }
}

impl JsonSchema for BackendSelection {
    fn schema_name() -> Cow<'static, str> {
        "BackendSelection".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let variants = Provider::ALL.iter().map(|provider| variant(*provider));
        json_schema!({ "oneOf": variants.collect::<Vec<_>>() })
    }
}

/// The JSON schema of one provider's selection.
fn variant(provider: Provider) -> Value {
    let mut properties = Map::new();
    properties.insert("provider".into(), json!({ "const": provider.as_str() }));
    properties.insert("environment".into(), json!({ "type": "string" }));
    for field in provider.entry().fields {
        let schema = match field.rule {
            Rule::Exactly => json!({ "const": field.example }),
            _ => json!({ "type": "string", "examples": [field.example] }),
        };
        let group = group_of(field);
        if group.is_empty() {
            properties.insert(field.path.into(), schema);
        } else {
            let group = properties
                .entry(group)
                .or_insert_with(|| json!({ "type": "object", "properties": {}, "required": [] }));
            if let Some(Value::Object(members)) = group.get_mut("properties") {
                members.insert(last_segment(field.path).into(), schema);
            }
            if let Some(Value::Array(required)) = group.get_mut("required") {
                required.push(last_segment(field.path).into());
            }
        }
    }
    // Sorted, because the order of members depends on a feature that other crates may enable in
    // `serde_json`.
    let mut required: Vec<_> = properties.keys().cloned().collect();
    required.sort();
    json!({ "title": provider.entry().label, "type": "object", "properties": properties, "required": required })
}

fn member(indent: usize, name: &str, value: &str) -> String {
    format!(
        "{:indent$}{}: {}",
        "",
        Value::from(name),
        Value::from(value)
    )
}

fn group_of(field: &Field) -> &'static str {
    field.path.split_once('.').map_or("", |(group, _)| group)
}

fn last_segment(path: &str) -> &str {
    path.rsplit('.').next().unwrap_or_default()
}

fn unknown(path: &str, provider: Provider) -> FieldError {
    field_error(
        path,
        format!(
            "is not a field of `{provider}` selections, which hold names and never a secret: remove it"
        ),
    )
}

fn field_error(field: impl ToString, message: impl Into<String>) -> FieldError {
    FieldError {
        field: field.to_string(),
        message: message.into(),
    }
}

fn check_prefix(slug: &str) -> Option<FieldError> {
    let wrong = || {
        let message = format!("must hold at least one letter or digit, such as `{DEFAULT_PREFIX}`");
        field_error("prefix", message)
    };
    slug.is_empty().then(wrong)
}

fn check_environment(environment: &str) -> Option<FieldError> {
    (!naming::is_environment(environment)).then(|| {
        field_error(
            "environment",
            "must be 1 to 12 lower-case letters, digits and inner hyphens, beginning with a letter, such as `dev`",
        )
    })
}

/// The error of a value for this field, if it is not valid.
fn check_name(field: &Field, name: &str) -> Option<FieldError> {
    naming::violation(field, name).map(|message| field_error(field.path, message))
}

#[cfg(test)]
impl BackendSelection {
    pub(crate) fn for_tests(provider: Provider) -> Self {
        Self {
            environment: "test".into(),
            ..Self::defaults(provider)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MANAGED: &str = "workspace-management";

    #[test]
    fn defaults_equal_the_examples_of_the_catalog() {
        for provider in Provider::ALL {
            let selection = BackendSelection::new(*provider, MANAGED, "dev", None).unwrap();
            assert_eq!(selection, BackendSelection::defaults(*provider));
        }
    }

    #[test]
    fn module_writes_exactly_these_fields() {
        let aws = BackendSelection::new(Provider::Aws, MANAGED, "dev", Some("us-east-1")).unwrap();
        assert_eq!(
            aws.to_value(),
            json!({
                "provider": "aws", "environment": "dev", "region": "us-east-1",
                "storage": { "bucket": "workspace-management-dev-documents", "privatePrefixMode": "workspace-model" },
                "database": { "table": "workspace-management-dev", "itemContainer": "workspace_items" },
                "identity": { "service": "Cognito" },
                "notifications": { "service": "EventBridge + SES" },
            })
        );
        let azure = BackendSelection::new(Provider::Azure, MANAGED, "dev", Some("eastus")).unwrap();
        assert_eq!(
            azure.to_value(),
            json!({
                "provider": "azure", "environment": "dev", "location": "eastus",
                "storage": {
                    "account": "workspacemanagedevdocs", "container": "workspace-documents",
                    "privatePrefixMode": "workspace-model",
                },
                "database": {
                    "account": "workspace-management-dev-cosmos", "database": "workspace",
                    "container": "workspace_items", "itemContainer": "workspace_items",
                },
                "identity": { "service": "Microsoft Entra External ID" },
                "notifications": { "service": "Event Grid + Azure Communication Services Email" },
            })
        );
    }

    #[test]
    fn any_prefix_gives_valid_names_that_read_back() {
        let long = "a-very-long-prefix-".repeat(40);
        let prefixes = [
            "a",
            "9",
            "My Org, Ltd.",
            "xn--",
            "sthree",
            "amzn-s3-demo",
            "b\u{fc}ro",
            &long,
        ];
        for provider in Provider::ALL {
            for prefix in prefixes {
                for environment in ["d", "production-1"] {
                    let selection =
                        BackendSelection::new(*provider, prefix, environment, None).unwrap();
                    for field in provider.entry().fields {
                        let name = selection.name(field.path).unwrap();
                        assert_eq!(check_name(field, name), None, "{prefix} {name}");
                    }
                    assert_eq!(BackendSelection::read(&selection.module()), Ok(selection));
                }
            }
        }
    }

    #[test]
    fn long_prefixes_with_a_common_start_give_different_names() {
        let names = ["documents-of-the-north", "documents-of-the-south"].map(|prefix| {
            let selection = BackendSelection::new(Provider::Azure, prefix, "dev", None).unwrap();
            selection.name("storage.account").unwrap().to_owned()
        });
        assert_ne!(names[0], names[1]);
    }

    #[test]
    fn new_reports_all_errors_at_once() {
        let errors =
            BackendSelection::new(Provider::Aws, "--", "Dev!", Some("eastus")).unwrap_err();
        let fields: Vec<_> = errors.iter().map(|error| error.field.as_str()).collect();
        assert_eq!(fields, ["prefix", "environment", "region"]);
    }

    #[test]
    fn with_accepts_valid_names_only() {
        let local = BackendSelection::defaults(Provider::Local);
        let moved = local
            .clone()
            .with("storage.directory", "/srv/objects")
            .unwrap();
        assert_eq!(moved.name("storage.directory"), Some("/srv/objects"));
        assert_eq!(
            local.clone().with("storage.bucket", "x").unwrap_err().field,
            "storage.bucket"
        );
        assert!(local.with("identity.service", "Mine").is_err());
    }
}
