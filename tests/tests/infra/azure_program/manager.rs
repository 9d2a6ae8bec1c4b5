//! The parts of Azure Resource Manager that the program uses: stored resources, asynchronous
//! changes, and the values that the service adds.

use serde_json::{Value, json};

use super::{
    cloud::{SUBSCRIPTION, State},
    http::{Request, Response},
};

/// The known API versions of providers, by the beginning of the id after the last `/providers/`.
const VERSIONS: &[(&str, &str)] = &[
    ("Microsoft.Storage", "2025-08-01"),
    ("Microsoft.DocumentDB", "2025-10-15"),
    ("Microsoft.Authorization", "2022-04-01"),
    ("Microsoft.KeyVault", "2025-05-01"),
    ("Microsoft.AppConfiguration", "2024-06-01"),
    ("Microsoft.Resources", "2025-04-01"),
];
/// The number of polls until an operation is done.
const QUESTIONS: usize = 1;

/// Whether a request is a write.
pub(crate) fn is_write(request: &Request) -> bool {
    let asks = ["GET", "HEAD"].contains(&request.method.as_str());
    !asks && !request.path.ends_with("/checkNameAvailability")
}

/// A path without its common prefix.
pub(crate) fn short(path: &str) -> String {
    let path = path.rsplit("/providers/").next().unwrap_or(path);
    path.replace(&format!("/subscriptions/{SUBSCRIPTION}"), "")
}

pub(crate) fn answer(state: &mut State, url: &str, request: &Request) -> Response {
    if let Some(id) = request.path.strip_prefix("/operations") {
        return operation(state, id);
    }
    let version = request.query.get("api-version").map(String::as_str);
    let kind = match request.path.rsplit_once("/providers/") {
        Some((_, kind)) if !kind.contains('/') || kind.ends_with("/register") => {
            "Microsoft.Resources"
        }
        Some((_, kind)) => kind,
        None => "Microsoft.Resources",
    };
    let known = VERSIONS.iter().find(|(start, _)| kind.starts_with(start));
    if known.map(|(_, version)| *version) != version {
        return Response::error(400, "InvalidApiVersionParameter", "not this version");
    }
    match request.method.as_str() {
        "POST" if kind.ends_with("/checkNameAvailability") => {
            let asked = request.json();
            let name = asked["name"].as_str().unwrap_or_default();
            Response::json(200, &json!({ "nameAvailable": !is_taken(state, name) }))
        }
        "POST" => register(state, &request.path),
        "HEAD" => {
            let name = request.path.rsplit('/').next().unwrap();
            Response::empty(if is_taken(state, name) { 200 } else { 404 })
        }
        "GET" => get(state, url, request),
        _ => write(state, url, request),
    }
}

/// Whether an account in any group has this name.
fn is_taken(state: &State, name: &str) -> bool {
    let ending = format!("accounts/{name}");
    let mut ids = state.resources.keys();
    state.taken.iter().any(|taken| taken == name) || ids.any(|id| id.ends_with(&ending))
}

fn register(state: &mut State, path: &str) -> Response {
    let Some(id) = path.strip_suffix("/register") else {
        return Response::error(400, "BadRequest", "no such action");
    };
    let found = json!({ "registrationState": "Registering" });
    state.resources.insert(id.to_lowercase(), found.clone());
    state.operations.insert(id.to_lowercase(), QUESTIONS);
    Response::json(200, &found)
}

/// Counts a poll of an operation. Returns whether it is done.
fn advance(state: &mut State, id: &str) -> bool {
    let left = state.operations.get(id).copied().unwrap_or_default();
    if left > 0 {
        state.operations.insert(id.to_owned(), left - 1);
        return false;
    }
    state.operations.remove(id);
    if let Some(resource) = state.resources.get_mut(id) {
        if resource.get("registrationState").is_some() {
            resource["registrationState"] = "Registered".into();
        } else {
            resource["properties"]["provisioningState"] = "Succeeded".into();
        }
    }
    true
}

fn operation(state: &mut State, id: &str) -> Response {
    if state.fails.is_some_and(|part| id.contains(part)) {
        state.resources.remove(id);
        state.operations.remove(id);
        let error = json!({ "code": "ServiceUnavailable", "message": "no room in this region" });
        return Response::json(200, &json!({ "status": "Failed", "error": error }));
    }
    let status = match advance(state, id) {
        true => "Succeeded",
        false => "InProgress",
    };
    Response::json(200, &json!({ "status": status }))
}

fn get(state: &mut State, url: &str, request: &Request) -> Response {
    let id = request.path.to_lowercase();
    if let Some(name) = request
        .path
        .split("/Microsoft.Resources/deployments/")
        .nth(1)
    {
        return deployment(state, name);
    }
    if id.ends_with("/roleassignments") {
        let principal = request.query.get("$filter").cloned().unwrap_or_default();
        let scope = id.replace("/providers/microsoft.authorization/roleassignments", "");
        let at = |id: &str| {
            let (at, _) = id
                .split_once("/providers/microsoft.authorization/")
                .unwrap();
            scope.starts_with(at)
        };
        let given = state.resources.iter();
        let given = given.filter(|(id, _)| id.contains("/roleassignments/") && at(id));
        let given = given.map(|(_, role)| role).filter(|role| {
            let whose = role["properties"]["principalId"].as_str().unwrap();
            principal.contains(whose)
        });
        return Response::json(200, &json!({ "value": given.collect::<Vec<_>>() }));
    }
    if state.operations.contains_key(&id) {
        advance(state, &id);
    }
    // The resources of the site template.
    let made = [
        "/storageaccounts/wmdevsite",
        "/storageaccounts/wmdevsite/blobservices/default/containers/$web",
    ];
    let is_site =
        made.iter().any(|made| id.ends_with(made)) && state.deployed("wm-dev-site").is_some();
    if is_site && !state.resources.contains_key(&id) {
        let account = json!({ "kind": "StorageV2", "location": "eastus", "properties": {} });
        store(state, url, &request.path, account);
    }
    match state.resources.get(&id) {
        Some(found) => Response::json(200, found),
        None => Response::error(404, "ResourceNotFound", "there is none"),
    }
}

/// A deployment as the manager stores it, with the outputs of the templates.
fn deployment(state: &State, name: &str) -> Response {
    let Some(recorded) = state.deployed(name) else {
        return Response::error(404, "DeploymentNotFound", "there is none");
    };
    let at = recorded
        .iter()
        .position(|word| word == "--parameters")
        .unwrap();
    let pairs = recorded[at + 1..]
        .iter()
        .map(|word| word.split_once('=').unwrap());
    let value = |text: &str| serde_json::from_str(text).unwrap_or_else(|_| json!(text));
    let parameters = pairs.map(|(name, text)| (name.to_owned(), json!({ "value": value(text) })));
    let parameters: serde_json::Map<_, _> = parameters.collect();
    let documents = &parameters["storageAccountName"];
    let outputs = state.resources.get("outputs").cloned().unwrap_or_default();
    let mut outputs = outputs.as_object().cloned().unwrap_or_default();
    outputs.insert("storageAccountName".to_owned(), documents.clone());
    let properties = json!({ "parameters": parameters, "outputs": outputs });
    Response::json(200, &json!({ "properties": properties }))
}

/// The resource that must exist first, or `None`.
fn parent(id: &str) -> Option<String> {
    let (before, last) = id.rsplit_once("/providers/")?;
    let parts: Vec<&str> = last.split('/').collect();
    match parts.len() {
        // An account in a group, or an extension of any resource.
        3 => Some(before.to_owned()),
        5.. => {
            let above = parts[..parts.len() - 2].join("/");
            Some(format!("{before}/providers/{above}"))
        }
        _ => None,
    }
}

fn write(state: &mut State, url: &str, request: &Request) -> Response {
    let id = request.path.to_lowercase();
    if let Some(parent) = parent(&id)
        && !state.resources.contains_key(&parent)
        && !parent.ends_with("blobservices/default")
        && !parent.contains("keyvault")
    {
        return Response::error(404, "ParentResourceNotFound", "make what it is in first");
    }
    let provider = id
        .rsplit("/providers/")
        .next()
        .unwrap()
        .split('/')
        .next()
        .unwrap();
    let registration = format!("/subscriptions/{SUBSCRIPTION}/providers/{provider}");
    let registered = state.resources.get(&registration);
    let is_registered = registered.is_some_and(|found| found["registrationState"] == "Registered");
    if ["microsoft.storage", "microsoft.documentdb"].contains(&provider) && !is_registered {
        return Response::error(409, "MissingSubscriptionRegistration", "register first");
    }
    let exists = state.resources.contains_key(&id);
    let name = id.rsplit('/').next().unwrap().to_owned();
    if !exists && state.taken.contains(&name) {
        return Response::error(409, "StorageAccountAlreadyTaken", "somebody has it");
    }
    let sent = request.json();
    if id.contains("/roleassignments/") && !exists && has_role(state, &id, &sent) {
        return Response::error(409, "RoleAssignmentExists", "given already");
    }
    let mut whole = match (request.method.as_str(), state.resources.get(&id)) {
        ("PATCH", None) => return Response::error(404, "ResourceNotFound", "there is none"),
        ("PATCH", Some(found)) => patched(found, &sent),
        _ => sent,
    };
    if let (true, Some(found)) = (exists, state.resources.get(&id)) {
        // Immutable properties keep their first value.
        for fixed in ["location", "kind"] {
            if let Some(value) = found.get(fixed) {
                whole[fixed] = value.clone();
            }
        }
    }
    store(state, url, &request.path, whole);
    let found = state.resources[&id].clone();
    let status = match state.operations.contains_key(&id) {
        false => return Response::json(if exists { 200 } else { 201 }, &found),
        true if id.contains("/storageaccounts/") || id.contains("/sqldatabases/") => 202,
        true => 200,
    };
    let operation = format!("{url}/operations{id}");
    let header = match id.contains("/storageaccounts/") {
        true => "location",
        false => "azure-asyncoperation",
    };
    let body = if status == 202 { json!({}) } else { found };
    Response::json(status, &body).with(header, operation)
}

fn has_role(state: &State, id: &str, sent: &Value) -> bool {
    let (scope, _) = id.rsplit_once('/').unwrap();
    let mut there = state
        .resources
        .iter()
        .filter(|(id, _)| id.starts_with(scope));
    there.any(|(_, role)| {
        ["principalId", "roleDefinitionId"]
            .iter()
            .all(|name| role["properties"][name] == sent["properties"][name])
    })
}

/// A resource after a `PATCH`: tags are replaced, properties merged.
fn patched(found: &Value, sent: &Value) -> Value {
    let mut whole = found.clone();
    for (name, value) in sent.as_object().unwrap() {
        if name != "properties" {
            whole[name] = value.clone();
            continue;
        }
        for (name, value) in value.as_object().unwrap() {
            whole["properties"][name] = value.clone();
        }
    }
    whole
}

/// Stores a resource with the values that the service adds.
pub(crate) fn store(state: &mut State, url: &str, id: &str, mut resource: Value) {
    let key = id.to_lowercase();
    let name = id.rsplit('/').next().unwrap().to_owned();
    resource["id"] = id.into();
    resource["name"] = name.as_str().into();
    let depth = key.rsplit("/providers/").next().unwrap().split('/').count();
    let takes_time = !state.resources.contains_key(&key) || key.contains("documentdb");
    if key.contains("/storageaccounts/") && depth == 3 {
        resource["properties"]["primaryEndpoints"] =
            json!({ "blob": format!("{url}/blobs/{name}/") });
        let location = resource["location"].as_str().unwrap_or("eastus").to_owned();
        resource["location"] = location.into();
    }
    if key.contains("/managementpolicies/") {
        for rule in resource["properties"]["policy"]["rules"]
            .as_array_mut()
            .unwrap()
        {
            let days = "/definition/actions/version/delete/daysAfterCreationGreaterThan";
            if let Some(days) = rule.pointer_mut(days) {
                *days = json!(days.as_f64());
            }
        }
    }
    if key.contains("/roleassignments/") {
        let (scope, _) = id
            .split_once("/providers/Microsoft.Authorization/")
            .unwrap();
        resource["properties"]["scope"] = scope.into();
        state.resources.insert(key, resource);
        return;
    }
    if key.contains("/containers/") && key.contains("documentdb") {
        fill_container(&mut resource["properties"]["resource"]);
    }
    let takes_time = takes_time
        && (key.contains("documentdb") || (key.contains("/storageaccounts/") && depth == 3));
    if takes_time {
        resource["properties"]["provisioningState"] = "Updating".into();
        state.operations.insert(key.clone(), QUESTIONS);
    }
    state.resources.insert(key, resource);
}

fn fill_container(resource: &mut Value) {
    for (name, value) in [
        ("_rid", json!("x")),
        ("_ts", json!(1)),
        ("_etag", json!("\"y\"")),
    ] {
        resource[name] = value;
    }
    if resource["indexingPolicy"].is_null() {
        resource["indexingPolicy"] = json!({
            "indexingMode": "consistent", "automatic": true,
            "includedPaths": [{ "path": "/*" }],
            "excludedPaths": [{ "path": "/\"_etag\"/?" }],
        });
    }
    let paths = resource["indexingPolicy"]["includedPaths"].as_array_mut();
    for path in paths.into_iter().flatten() {
        path["indexes"] = json!([{ "kind": "Range", "dataType": "String", "precision": -1 }]);
    }
}
