//! The user pool and its app client.

use serde_json::json;
use wm_tests::infra::{Template, each};

use super::{Findings, assert_check, expect, expect_members};

pub(crate) fn safe(template: &Template) -> Findings {
    let mut findings = Findings::new();
    let pool = json!({
        "DeletionProtection": "ACTIVE",
        "UsernameAttributes": ["email"],
        "AutoVerifiedAttributes": ["email"],
        "UsernameConfiguration": { "CaseSensitive": false },
        "UserAttributeUpdateSettings": { "AttributesRequireVerificationBeforeUpdate": ["email"] },
        "MfaConfiguration": "OPTIONAL",
        "EnabledMfas": ["SOFTWARE_TOKEN_MFA"],
    });
    expect_members(
        &mut findings,
        "UserPool",
        template.properties("UserPool"),
        &pool,
    );
    let kept = json!({ "DeletionPolicy": "Retain", "UpdateReplacePolicy": "Retain" });
    expect_members(
        &mut findings,
        "UserPool",
        &template.0["Resources"]["UserPool"],
        &kept,
    );
    let password = &template.properties("UserPool")["Policies"]["PasswordPolicy"];
    let long = password["MinimumLength"]
        .as_u64()
        .is_some_and(|length| length >= 14);
    expect(&mut findings, long, "passwords may be short");
    let mixed =
        json!({ "RequireLowercase": true, "RequireUppercase": true, "RequireNumbers": true });
    expect_members(&mut findings, "passwords", password, &mixed);
    let client = template.properties("UserPoolClient");
    let expected = json!({
        "GenerateSecret": false,
        "AllowedOAuthFlowsUserPoolClient": true,
        "AllowedOAuthFlows": ["code"],
        "PreventUserExistenceErrors": "ENABLED",
        "EnableTokenRevocation": true,
        "AccessTokenValidity": 60,
        "IdTokenValidity": 60,
        "TokenValidityUnits": { "AccessToken": "minutes", "IdToken": "minutes", "RefreshToken": "days" },
    });
    expect_members(&mut findings, "UserPoolClient", client, &expected);
    let flows = each(&client["ExplicitAuthFlows"]);
    let in_the_clear = [
        json!("ALLOW_USER_PASSWORD_AUTH"),
        json!("USER_PASSWORD_AUTH"),
    ];
    expect(
        &mut findings,
        !flows.iter().any(|flow| in_the_clear.contains(flow)),
        "any client may send passwords",
    );
    let trusts = template
        .variables("ApiFunction")
        .get("AWS_COGNITO_TRUSTS_EMAIL")
        == Some(&json!("true"));
    expect(
        &mut findings,
        trusts,
        "no person could accept an invitation",
    );
    findings
}

#[test]
fn user_pool_verifies_email_and_signs_in_safely() {
    assert_check(safe);
}
