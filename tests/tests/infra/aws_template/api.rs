use serde_json::{Value, json};
use wm_tests::infra::Template;

use super::{Findings, assert_check, expect, expect_members, expect_routes};

/// The routes of the template: method, path, and whether they require a token.
fn gateway_routes(template: &Template) -> Vec<(String, String, bool)> {
    let routes = template.of_type("AWS::ApiGatewayV2::Route").into_iter();
    routes
        .map(|(_, route)| {
            let properties = &route["Properties"];
            let (method, path) = properties["RouteKey"]
                .as_str()
                .unwrap()
                .split_once(' ')
                .unwrap();
            let asked = properties["AuthorizationType"] == "JWT"
                && properties["AuthorizerId"] == json!({ "Ref": "Authorizer" });
            (method.to_owned(), path.to_owned(), asked)
        })
        .collect()
}

pub(crate) fn routes(template: &Template) -> Findings {
    let mut findings = Findings::new();
    let ours = gateway_routes(template);
    expect_routes(&mut findings, &ours, "/v1/{proxy+}");
    for (name, route) in template.of_type("AWS::ApiGatewayV2::Route") {
        let ours =
            route["Properties"]["Target"] == json!({ "Fn::Sub": "integrations/${Integration}" });
        expect(&mut findings, ours, format!("{name} leads elsewhere"));
    }
    findings
}

pub(crate) fn gateway(template: &Template) -> Findings {
    let mut findings = Findings::new();
    let authorizer = json!({
        "AuthorizerType": "JWT",
        "IdentitySource": ["$request.header.Authorization"],
        "JwtConfiguration": {
            "Issuer": { "Fn::Sub": "https://cognito-idp.${AWS::Region}.${AWS::URLSuffix}/${UserPool}" },
            "Audience": [{ "Ref": "UserPoolClient" }],
        },
    });
    expect_members(
        &mut findings,
        "Authorizer",
        template.properties("Authorizer"),
        &authorizer,
    );
    let integration = json!({
        "IntegrationType": "AWS_PROXY",
        "IntegrationUri": { "Fn::GetAtt": ["ApiFunction", "Arn"] },
        "PayloadFormatVersion": "2.0",
    });
    expect_members(
        &mut findings,
        "Integration",
        template.properties("Integration"),
        &integration,
    );
    let stage = template.properties("Stage");
    let settings = &stage["DefaultRouteSettings"];
    let throttled = settings["ThrottlingBurstLimit"].as_u64() > Some(0)
        && settings["ThrottlingRateLimit"].as_u64() > Some(0);
    expect(&mut findings, throttled, "requests are not limited");
    let format: Value = serde_json::from_str(
        stage["AccessLogSettings"]["Format"]
            .as_str()
            .unwrap_or_default(),
    )
    .unwrap_or_default();
    expect(
        &mut findings,
        format["request_id"] == "$context.requestId",
        "requests are not logged as JSON",
    );
    let listed: Vec<&str> = format
        .as_object()
        .into_iter()
        .flat_map(|members| members.values())
        .filter_map(Value::as_str)
        .collect();
    let secret = listed.iter().any(|value| {
        ["query", "header", "authorizer.claims", "requestOverride"]
            .iter()
            .any(|part| value.contains(part))
    });
    expect(&mut findings, !secret, "the access log could hold a token");
    let logs = json!({ "Fn::GetAtt": ["AccessLogs", "Arn"] });
    expect(
        &mut findings,
        stage["AccessLogSettings"]["DestinationArn"] == logs,
        "requests are not logged",
    );
    let seconds = |value: &Value| value.as_u64().unwrap_or_default();
    let first = seconds(&template.properties("ApiFunction")["Timeout"]) * 1000
        < seconds(&template.properties("Integration")["TimeoutInMillis"]);
    expect(
        &mut findings,
        first,
        "the gateway gives up before the function does",
    );
    findings
}

/// Other origins may call the API only if the parameter names them.
pub(crate) fn origins(template: &Template) -> Findings {
    let mut findings = Findings::new();
    let allowed = json!({ "Ref": "AllowedOrigins" });
    let api = &template.properties("Api")["CorsConfiguration"];
    let bucket = &template.properties("Bucket")["CorsConfiguration"];
    for (name, value, condition, at) in [
        ("Api", api, "HasOrigins", "/AllowOrigins"),
        (
            "Bucket",
            bucket,
            "BucketHasOrigins",
            "/CorsRules/0/AllowedOrigins",
        ),
    ] {
        let choice = &value["Fn::If"];
        let nothing = choice[2] == json!({ "Ref": "AWS::NoValue" });
        let only = choice[0] == condition && choice[1].pointer(at) == Some(&allowed) && nothing;
        expect(
            &mut findings,
            only,
            format!("{name} lets pages of any origin in"),
        );
    }
    let default = &template.0["Parameters"]["AllowedOrigins"]["Default"];
    expect(
        &mut findings,
        default == "",
        "pages of some origin are let in by default",
    );
    findings
}

#[test]
fn gateway_requires_tokens_where_the_contract_does() {
    assert_check(routes);
    assert_check(gateway);
    assert_check(origins);
}
