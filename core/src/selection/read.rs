//! Reads a selection and reports all errors.

use alloc::{
    borrow::ToOwned,
    collections::BTreeMap,
    format,
    string::{String, ToString},
    vec::Vec,
};

use serde_json::Value;

use super::{
    BackendSelection, check_environment, check_name, credential, field_error,
    literal::{self, Module},
    unknown,
};
use crate::{
    catalog::{Field, Provider},
    value::FieldError,
};

pub(super) fn read(text: &str) -> Result<BackendSelection, Vec<FieldError>> {
    let module = match literal::parse(text) {
        Ok(module) => module,
        Err(syntax) => {
            let position = format!("line {}", syntax.line);
            let mut errors = alloc::vec![field_error(
                position,
                format!("expected {}", syntax.expected)
            )];
            // A text that cannot be parsed may still contain a credential.
            let lines = text.lines().enumerate();
            errors.extend(lines.filter_map(|(index, line)| credential_on_line(index + 1, line)));
            return Err(errors);
        }
    };
    let mut check = Check::of(&module);
    let provider = check.provider();
    let environment = check.environment();
    let names = provider.map(|provider| check.names(provider));
    match (provider, environment, names) {
        (Some(provider), Some(environment), Some(names)) if check.errors.is_empty() => {
            Ok(BackendSelection {
                provider,
                environment,
                names,
            })
        }
        _ => Err(check.errors),
    }
}

fn credential_on_line(line: usize, text: &str) -> Option<FieldError> {
    let kind = credential::looks_like(text)?;
    Some(credential_found(format!("line {line}"), kind))
}

fn credential_found(position: impl ToString, kind: &str) -> FieldError {
    field_error(
        position,
        format!("looks like {kind}: remove it, and revoke it if it was ever shared"),
    )
}

/// The values of a module that no field has used yet, and the errors so far.
struct Check {
    leaves: BTreeMap<String, Value>,
    errors: Vec<FieldError>,
}

impl Check {
    fn of(module: &Module) -> Self {
        let mut leaves = BTreeMap::new();
        let mut errors = Vec::new();
        flatten("", &module.value, &mut leaves, &mut errors);
        for path in &module.repeated {
            errors.push(field_error(path, "is given twice: keep one"));
        }
        for (line, comment) in &module.comments {
            let lines = comment.lines().enumerate();
            errors.extend(lines.filter_map(|(index, text)| credential_on_line(line + index, text)));
        }
        Self { leaves, errors }
    }

    fn wrong(&mut self, field: &str, message: impl Into<String>) {
        self.errors.push(field_error(field, message));
    }

    /// Removes the text of a field from the module. Reports an error if it is missing or not a
    /// text.
    fn text(&mut self, path: &str) -> Option<String> {
        let inside = format!("{path}.");
        let members = self.leaves.len();
        self.leaves.retain(|leaf, _| !leaf.starts_with(&inside));
        match self.leaves.remove(path) {
            Some(Value::String(text)) => return Some(text),
            None if self.leaves.len() == members => self.wrong(path, "is missing"),
            _ => self.wrong(path, "must be a text in quotes"),
        }
        None
    }

    fn provider(&mut self) -> Option<Provider> {
        let provider = self.text("provider")?.parse();
        provider
            .map_err(|error: crate::value::Invalid| self.wrong("provider", error.to_string()))
            .ok()
    }

    fn environment(&mut self) -> Option<String> {
        let environment = self.text("environment")?;
        self.errors.extend(check_environment(&environment));
        Some(environment)
    }

    /// The values of the provider's fields. Values that remain in the module afterwards are
    /// unknown.
    fn names(&mut self, provider: Provider) -> BTreeMap<&'static str, String> {
        let mut names = BTreeMap::new();
        for field in provider.entry().fields {
            if let Some(name) = self.name(field) {
                names.insert(field.path, name);
            }
        }
        for path in core::mem::take(&mut self.leaves).into_keys() {
            self.errors.push(unknown(&path, provider));
        }
        names
    }

    fn name(&mut self, field: &Field) -> Option<String> {
        let name = self.text(field.path)?;
        // A text that looks like a credential already has its error.
        if credential::looks_like(&name).is_none() {
            self.errors.extend(check_name(field, &name));
        }
        Some(name)
    }
}

/// Collects every value that is not an object under its path, and reports credentials.
fn flatten(
    path: &str,
    value: &Value,
    leaves: &mut BTreeMap<String, Value>,
    errors: &mut Vec<FieldError>,
) {
    let found = match value {
        Value::String(text) => credential::looks_like(text),
        Value::Array(items) => items
            .iter()
            .filter_map(Value::as_str)
            .find_map(credential::looks_like),
        _ => None,
    };
    errors.extend(found.map(|kind| credential_found(path, kind)));
    let Value::Object(members) = value else {
        leaves.insert(path.to_owned(), value.clone());
        return;
    };
    for (name, member) in members {
        let kind = credential::looks_like(name);
        // Do not repeat a credential, not even in the name of a field.
        let name = kind.map_or_else(|| name.chars().take(64).collect(), |_| "…".to_owned());
        let inner = if path.is_empty() {
            name
        } else {
            format!("{path}.{name}")
        };
        errors.extend(kind.map(|kind| credential_found(&inner, kind)));
        flatten(&inner, member, leaves, errors);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(text: &str) -> Vec<String> {
        let errors = read(text).unwrap_err();
        errors.into_iter().map(|error| error.field).collect()
    }

    #[test]
    fn read_reports_all_errors_at_once() {
        let text = "export const backendSelection = {
            provider: 'aws', environment: 'Dev', location: 'eastus', region: 3,
            storage: { bucket: 'No_Bucket', privatePrefixMode: 'workspace-model' },
            database: 'x', identity: { service: 'Cognito', service: 'Cognito' },
            notifications: { service: 'pigeons' },
        };";
        let mut fields = fields(text);
        fields.sort();
        assert_eq!(
            fields,
            [
                "database",
                "database.itemContainer",
                "database.table",
                "environment",
                "identity.service",
                "location",
                "notifications.service",
                "region",
                "storage.bucket",
            ]
        );
    }

    #[test]
    fn credential_is_reported_anywhere_and_never_repeated() {
        let secret = format!("AK{}IOSFODNN7EXAMPLE1", "IA");
        let module = BackendSelection::defaults(Provider::Aws).module();
        let as_value = module.replace("workspace-management-dev-documents", &secret);
        let as_name = module.replace("\"region\"", &format!("\"{secret}\": \"x\", \"region\""));
        let as_comment = format!("{module}// {secret}\n");
        let as_rest = format!("{module}\n{secret}\n");
        for (text, field) in [
            (as_value, "storage.bucket"),
            (as_name, "…"),
            (as_comment, "line 20"),
            (as_rest, "line 21"),
        ] {
            let errors = read(&text).unwrap_err();
            let named = errors
                .iter()
                .find(|error| error.message.contains("an access key"));
            assert_eq!(named.unwrap().field, field, "{errors:?}");
            assert!(!format!("{errors:?}").contains(&secret));
        }
    }

    #[test]
    fn credential_is_reported_for_an_unknown_provider() {
        let text = format!(
            "export const backendSelection = {{ provider: 'x', environment: 'dev', a: 'https://x?{}=1' }};",
            "sig"
        );
        assert_eq!(fields(&text), ["a", "provider"]);
    }

    #[test]
    fn empty_object_lacks_every_field() {
        assert_eq!(
            fields("export const backendSelection = {};"),
            ["provider", "environment"]
        );
        assert!(fields("export const backendSelection = { provider: 'local', environment: 'dev', storage: {} };").contains(&"storage.directory".into()));
    }
}
