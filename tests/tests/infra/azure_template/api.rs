use serde_json::{Value, json};
use wm_core::operations;
use wm_tests::arm::Arm;

use super::{
    Findings, assert_check, deployed, expect, expect_equal, expect_members, expect_routes,
};

/// The prefix of the ids of operations without a token.
const PUBLIC: &str = "public-";

/// The operations: method, path, and whether they require a token.
fn gateway_operations(template: &Arm) -> Vec<(String, String, bool)> {
    let operations = template.of_type("Microsoft.ApiManagement/service/apis/operations");
    let listed = operations.into_iter().map(|(_, operation)| {
        let properties = &operation["properties"];
        let id = operation["name"].as_str().unwrap().rsplit('/').next();
        (
            properties["method"].as_str().unwrap().to_owned(),
            properties["urlTemplate"].as_str().unwrap().to_owned(),
            !id.unwrap().starts_with(PUBLIC),
        )
    });
    listed.collect()
}

pub(crate) fn routes(template: &Arm) -> Findings {
    let mut findings = Findings::new();
    let ours = gateway_operations(&deployed(template, &[]));
    expect_routes(&mut findings, &ours, "/v1/*");
    findings
}

/// The text of the policy with these parameters.
fn policy(template: &Arm, more: &[(&'static str, Value)]) -> String {
    let template = deployed(template, more);
    let policy = &template.properties("apiPolicy")["value"];
    policy.as_str().unwrap_or_default().to_owned()
}

pub(crate) fn gateway(template: &Arm) -> Findings {
    let mut findings = Findings::new();
    let text = policy(template, &[]);
    let asks = format!(
        "<choose><when condition=\"@(!context.Operation.Id.StartsWith(&quot;{PUBLIC}&quot;))\"><validate-jwt "
    );
    for part in [
        asks.as_str(),
        "header-name=\"Authorization\" require-scheme=\"Bearer\" require-expiration-time=\"true\" require-signed-tokens=\"true\"",
        "<openid-config url=\"https://t.example.com/t/v2.0/.well-known/openid-configuration\" />",
        "<audiences><audience>one</audience><audience>two</audience></audiences>",
        "<issuers><issuer>https://t.example.com/t/v2.0</issuer></issuers>",
        "follow-redirects=\"false\"",
    ] {
        expect(&mut findings, text.contains(part), format!("no `{part}`"));
    }
    // The cheapest check first, as the service requires: the answer to a preflight request, the
    // token, the rate limit.
    let limited = policy(
        template,
        &[
            ("gatewaySku", json!("StandardV2")),
            ("allowedOrigins", json!(["https://a.example"])),
        ],
    );
    let places: Vec<Option<usize>> = ["<cors ", "<validate-jwt ", "<rate-limit-by-key "]
        .map(|part| limited.find(part))
        .into();
    expect(
        &mut findings,
        places.iter().all(Option::is_some) && places.is_sorted(),
        format!("the policies are at {places:?}"),
    );
    expect(
        &mut findings,
        !text.contains("rate-limit"),
        "the tier that is paid by use refuses to limit requests",
    );
    let template = deployed(template, &[]);
    // Its expressions have escaped quotes, which the raw format would take literally.
    let format = &template.properties("apiPolicy")["format"];
    expect_equal(&mut findings, "apiPolicy", format, &json!("xml"));
    let api = json!({
        "path": "",
        "protocols": ["https"],
        "subscriptionRequired": false,
        "serviceUrl": "https://{functions.defaultHostName}",
    });
    expect_members(&mut findings, "api", template.properties("api"), &api);
    let old = &template.properties("gateway")["customProperties"];
    for protocol in [
        "Protocols.Tls10",
        "Protocols.Tls11",
        "Backend.Protocols.Tls10",
    ] {
        let name = format!("Microsoft.WindowsAzure.ApiManagement.Gateway.Security.{protocol}");
        expect_equal(&mut findings, protocol, &old[&name], &json!("False"));
    }
    findings
}

/// The gateway's log contains no token and no cursor.
pub(crate) fn log(template: &Arm) -> Findings {
    let mut findings = Findings::new();
    let template = deployed(template, &[]);
    let log = template.properties("apiLog");
    let quiet = json!({
        "headers": [],
        "body": { "bytes": 0 },
        "dataMasking": { "queryParams": [{ "value": "*", "mode": "Hide" }] },
    });
    for side in ["frontend", "backend"] {
        for message in ["request", "response"] {
            let title = format!("{side} {message}");
            expect_equal(&mut findings, &title, &log[side][message], &quiet);
        }
    }
    expect_equal(
        &mut findings,
        "addresses",
        &log["logClientIp"],
        &json!(false),
    );
    findings
}

/// Other origins may call the API only if the parameter names them.
pub(crate) fn origins(template: &Arm) -> Findings {
    let mut findings = Findings::new();
    let closed = deployed(template, &[]);
    let rules = &closed.properties("storageBlobs")["cors"]["corsRules"];
    expect_equal(&mut findings, "storageBlobs", rules, &json!([]));
    expect(
        &mut findings,
        !policy(template, &[]).contains("<cors"),
        "pages of some origin are let in by default",
    );
    let origins = json!(["https://a.example", "https://b.example"]);
    let text = policy(template, &[("allowedOrigins", origins)]);
    let allowed = "<allowed-origins><origin>https://a.example</origin><origin>https://b.example</origin></allowed-origins>";
    expect(
        &mut findings,
        text.contains(allowed),
        format!("no `{allowed}`"),
    );
    expect(
        &mut findings,
        text.contains("<cors allow-credentials=\"false\"") && !text.contains("<origin>*"),
        "pages may call with cookies, or from anywhere",
    );
    let every = |method: &str| text.contains(&format!("<method>{method}</method>"));
    expect(
        &mut findings,
        operations::routes().all(|route| every(route.method.as_str())),
        "pages may not use every method",
    );
    findings
}

#[test]
fn gateway_requires_tokens_where_the_contract_does() {
    assert_check(routes);
    assert_check(gateway);
    assert_check(log);
    assert_check(origins);
}
