//! An application as the host reads it: `host.json`, and a folder with `function.json` for each
//! function.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use serde_json::Value;
use tempfile::TempDir;

use crate::repository;

/// The published application of the Azure surface: the files of its folder that `.funcignore` does
/// not exclude, with this program as the handler.
#[must_use]
pub fn package(program: &Path) -> TempDir {
    let folder = repository::root().join("azure-functions");
    let ignored = fs::read_to_string(folder.join(".funcignore")).unwrap();
    let ignored: Vec<&str> = ignored.lines().map(str::trim).collect();
    let package = tempfile::tempdir().unwrap();
    for entry in fs::read_dir(&folder).unwrap() {
        let (path, name) = entry
            .map(|entry| (entry.path(), entry.file_name()))
            .unwrap();
        if ignored.contains(&name.to_str().unwrap()) || name == "handler" {
            continue;
        }
        let target = package.path().join(&name);
        if path.is_dir() {
            fs::create_dir(&target).unwrap();
            fs::copy(path.join("function.json"), target.join("function.json")).unwrap();
        } else {
            fs::copy(&path, &target).unwrap();
        }
    }
    std::os::unix::fs::symlink(program, package.path().join("handler")).unwrap();
    package
}

#[derive(Debug)]
pub struct App {
    pub executable: PathBuf,
    pub functions: BTreeMap<String, Function>,
}

#[derive(Debug)]
pub struct Function {
    /// The type of its trigger.
    pub trigger: String,
    /// The name of the trigger's binding.
    pub binding: String,
    /// The route of an HTTP function, with the application's prefix.
    pub route: Option<String>,
    /// The retries of a failed batch for a function with a retry policy; -1 for unlimited retries.
    pub retries: Option<i64>,
}

fn document(path: &Path) -> Value {
    let text = fs::read(path).unwrap_or_else(|error| panic!("`{}`: {error}", path.display()));
    serde_json::from_slice(&text).unwrap_or_else(|error| panic!("`{}`: {error}", path.display()))
}

impl App {
    /// Reads a folder that the host would accept.
    #[must_use]
    pub fn read(folder: &Path) -> Self {
        let host = document(&folder.join("host.json"));
        assert_eq!(host["version"], "2.0");
        let handler = &host["customHandler"];
        assert_eq!(
            handler["enableProxyingHttpRequest"], true,
            "only requests that are passed through are shown here"
        );
        assert!(
            host["extensionBundle"]["id"].is_string(),
            "triggers come with a bundle of extensions"
        );
        let prefix = host["extensions"]["http"]["routePrefix"].as_str();
        let path = handler["description"]["defaultExecutablePath"]
            .as_str()
            .unwrap();
        let functions = fs::read_dir(folder).unwrap();
        let functions = functions.filter_map(|entry| {
            let entry = entry.unwrap();
            let configuration = entry.path().join("function.json");
            let name = entry.file_name().into_string().unwrap();
            configuration.is_file().then(|| {
                let function = Function::read(&name, &document(&configuration), prefix);
                (name, function)
            })
        });
        Self {
            executable: folder.join(path),
            functions: functions.collect(),
        }
    }

    #[must_use]
    pub fn function(&self, name: &str) -> &Function {
        let found = self.functions.get(name);
        found.unwrap_or_else(|| panic!("there is no function `{name}`"))
    }

    /// Checks whether an HTTP function serves this path.
    #[must_use]
    pub fn serves(&self, path: &str) -> bool {
        let routes = self
            .functions
            .values()
            .filter_map(|function| function.route.as_deref());
        routes.into_iter().any(|route| matches(route, path))
    }
}

impl Function {
    fn read(name: &str, configuration: &Value, prefix: Option<&str>) -> Self {
        let bindings = configuration["bindings"].as_array().unwrap();
        let triggers: Vec<&Value> = bindings
            .iter()
            .filter(|binding| binding["type"].as_str().unwrap().ends_with("Trigger"))
            .collect();
        let [trigger] = triggers.as_slice() else {
            panic!("`{name}` needs exactly one trigger");
        };
        assert_eq!(trigger["direction"], "in", "`{name}`");
        let kind = trigger["type"].as_str().unwrap();
        let route = (kind == "httpTrigger").then(|| {
            assert_eq!(
                bindings[1]["type"], "http",
                "`{name}` answers what it is asked"
            );
            let own = trigger["route"].as_str().unwrap_or(name);
            match prefix.unwrap_or("api") {
                "" => own.to_owned(),
                prefix => format!("{prefix}/{own}"),
            }
        });
        Self {
            trigger: kind.to_owned(),
            binding: trigger["name"].as_str().unwrap().to_owned(),
            route,
            retries: configuration["retry"]["maxRetryCount"].as_i64(),
        }
    }
}

/// Checks whether a path matches a route. Segments are compared without regard to case, and a
/// wildcard segment at the end takes the rest.
fn matches(route: &str, path: &str) -> bool {
    let path = path.trim_start_matches('/').to_lowercase();
    match route.split_once("{*") {
        None => path.trim_end_matches('/') == route.to_lowercase(),
        Some((fixed, _)) => {
            let fixed = fixed.trim_end_matches('/').to_lowercase();
            let rest = path.strip_prefix(&fixed);
            fixed.is_empty() || rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn route_matches_its_own_paths_only() {
        for path in ["/v1", "/v1/", "/v1/a", "/V1/a/b"] {
            assert!(matches("v1/{*path}", path), "{path}");
        }
        for path in ["/", "", "/v", "/v11", "/v11/a", "/relay", "/x/v1/a"] {
            assert!(!matches("v1/{*path}", path), "{path}");
        }
        assert!(matches("openapi.json", "/openapi.json"));
        assert!(!matches("openapi.json", "/openapi.json/x"));
        assert!(matches("{*path}", "/relay"));
    }
}
