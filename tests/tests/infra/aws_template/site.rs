use serde_json::json;
use wm_tests::infra::{SITE, Template, each, shown};

use super::{Findings, expect, expect_members};

pub(crate) fn apart(template: &Template) -> Findings {
    let mut findings = Findings::new();
    let distribution = &template.properties("Distribution")["DistributionConfig"];
    let origin = json!([{
        "Id": "bucket",
        "DomainName": { "Fn::GetAtt": ["SiteBucket", "RegionalDomainName"] },
        "OriginAccessControlId": { "Fn::GetAtt": ["OriginAccess", "Id"] },
        "S3OriginConfig": { "OriginAccessIdentity": "" },
    }]);
    expect(
        &mut findings,
        distribution["Origins"] == origin,
        "the site comes from elsewhere",
    );
    let behaviour = json!({
        "ViewerProtocolPolicy": "redirect-to-https",
        "AllowedMethods": ["GET", "HEAD"],
        "ResponseHeadersPolicyId": { "Ref": "Headers" },
    });
    expect_members(
        &mut findings,
        "site",
        &distribution["DefaultCacheBehavior"],
        &behaviour,
    );
    let modern =
        distribution["ViewerCertificate"]["Fn::If"][1]["MinimumProtocolVersion"] == "TLSv1.2_2021";
    expect(&mut findings, modern, "old TLS is taken");
    let headers =
        &template.properties("Headers")["ResponseHeadersPolicyConfig"]["SecurityHeadersConfig"];
    for header in [
        "ContentSecurityPolicy",
        "ContentTypeOptions",
        "FrameOptions",
        "ReferrerPolicy",
        "StrictTransportSecurity",
    ] {
        expect(
            &mut findings,
            headers[header]["Override"] == true,
            format!("`{header}` is not set"),
        );
    }
    let policy = shown(&headers["ContentSecurityPolicy"]["ContentSecurityPolicy"]);
    expect(
        &mut findings,
        policy.contains("default-src 'none'")
            && !policy.contains("unsafe")
            && !policy.contains("https: "),
        "pages may load anything",
    );
    for statement in each(&template.properties("SiteBucketPolicy")["PolicyDocument"]["Statement"]) {
        let distribution =
            "arn:${AWS::Partition}:cloudfront::${AWS::AccountId}:distribution/${Distribution}";
        let only = statement["Condition"]["StringEquals"]["aws:SourceArn"]
            == json!({ "Fn::Sub": distribution });
        let reads = ["s3:GetObject", "s3:ListBucket"]
            .iter()
            .any(|action| statement["Action"] == *action);
        expect(
            &mut findings,
            statement["Effect"] == "Deny" || (only && reads),
            "others than the distribution reach the site's bucket",
        );
    }
    let apart = &template.0["Rules"]["TheSiteIsNotTheDocuments"]["Assertions"][0]["Assert"];
    let differ = json!({ "Fn::Not": [{ "Fn::Equals": [{ "Ref": "SiteBucketName" }, { "Ref": "DocumentsBucketName" }] }] });
    expect(
        &mut findings,
        *apart == differ,
        "the site could be put among the documents",
    );
    findings
}

#[test]
fn site_is_separate_and_served_by_its_distribution_only() {
    let findings = apart(&Template::read(SITE));
    assert!(findings.is_empty(), "{findings:#?}");
}
