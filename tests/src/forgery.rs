//! Forged tokens: one table of attacks, built with the keys of the attacked surface.

use aws_lc_rs::hmac;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json, value::RawValue};

use crate::{harness::Signing, issuer::TestIssuer};

/// The person whose tokens are forged.
const VICTIM: &str = "ana@example.com";

/// A forgery: its description and its token.
pub type Forgery = (String, String);

/// An attacker with their own keys under the issuer's name.
pub struct Attacker {
    /// The attacker's signing key, under the issuer's name.
    pub issuer: TestIssuer,
    /// The URL of the attacker's keys.
    pub address: String,
}

/// Every forgery of an access token of a surface.
#[must_use]
pub fn all(surface: &impl Signing, attacker: &Attacker) -> Vec<Forgery> {
    let good = ValidToken::of(surface, VICTIM);
    [
        good.without_the_key(),
        good.under_other_keys(attacker),
        good.for_others(surface),
        good.at_other_times(),
        good.incomplete(),
        good.recombined_parts(&surface.access_token("ben@example.com")),
        good.no_tokens(),
    ]
    .concat()
}

/// A valid token, signed with the right key, whose extra claims would give administrator rights if
/// the surface trusted claims of clouds.
#[must_use]
pub fn with_cloud_claims(surface: &impl Signing, email: &str, account: &str) -> String {
    let powers = ["admin", "owner", "Global Administrator", account];
    ValidToken::of(surface, email).with(|claims| {
        for name in [
            "cognito:groups",
            "cognito:roles",
            "groups",
            "roles",
            "wids",
            "custom:role",
            "role",
        ] {
            claims[name] = json!(powers);
        }
        claims["admin"] = json!(true);
    })
}

/// The parts of a valid token.
struct ValidToken<'a> {
    issuer: &'a TestIssuer,
    text: String,
    header: Value,
    claims: Value,
}

fn part(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}

fn read(part: &str) -> Value {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

fn without(claims: &mut Value, names: &[&str]) {
    let claims = claims.as_object_mut().unwrap();
    let before = claims.len();
    claims.retain(|name, _| !names.contains(&name.as_str()));
    assert_ne!(claims.len(), before, "no token here has any of {names:?}");
}

impl<'a> ValidToken<'a> {
    fn of(surface: &'a impl Signing, email: &str) -> Self {
        let text = surface.access_token(email);
        let parts: Vec<&str> = text.split('.').collect();
        Self {
            issuer: surface.issuer(),
            header: read(parts[0]),
            claims: read(parts[1]),
            text: text.clone(),
        }
    }

    /// A token with changed claims, signed with the right key.
    fn with(&self, change: impl FnOnce(&mut Value)) -> String {
        let mut claims = self.claims.clone();
        change(&mut claims);
        self.issuer.sign(&claims)
    }

    /// The claims with a header of another algorithm, and the text to sign.
    fn unsigned(&self, algorithm: &str) -> String {
        let mut header = self.header.clone();
        header["alg"] = algorithm.into();
        format!("{}.{}", part(&header), part(&self.claims))
    }

    /// Forgeries without an algorithm, and with the public key as a secret.
    fn without_the_key(&self) -> Vec<Forgery> {
        let none = ["none", "None", "NoNe", "NONE", ""];
        let unsigned = none.map(|algorithm| {
            let token = format!("{}.", self.unsigned(algorithm));
            (format!("the algorithm `{algorithm}`"), token)
        });
        let jwk = self.issuer.jwk();
        let number = jwk["n"].as_str().or(jwk["x"].as_str()).unwrap();
        let secrets = [
            number.as_bytes().to_vec(),
            URL_SAFE_NO_PAD.decode(number).unwrap(),
            jwk.to_string().into_bytes(),
            self.issuer.jwks().to_string().into_bytes(),
        ];
        let keyed = secrets.iter().enumerate().map(|(place, secret)| {
            let message = self.unsigned("HS256");
            let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
            let signature = URL_SAFE_NO_PAD.encode(hmac::sign(&key, message.as_bytes()));
            let what = format!("the public key as a secret, written the way {place}");
            (what, format!("{message}.{signature}"))
        });
        unsigned.into_iter().chain(keyed).collect()
    }

    /// Forgeries signed with keys that the header recommends and the issuer does not have.
    fn under_other_keys(&self, attacker: &Attacker) -> Vec<Forgery> {
        let hostile = [
            "../../etc/passwd",
            "' OR 1=1 --",
            "https://evil.test/jwks",
            "key\0",
            "",
        ];
        let unknown = hostile.map(|kid| {
            let mut header = json!({ "alg": "ES256", "typ": "JWT" });
            header["kid"] = kid.into();
            let token = attacker.issuer.sign_under(&header, &self.claims);
            (format!("the key `{kid:?}`"), token)
        });
        let recommended = [
            ("typ", json!("JWT")),
            ("jwk", attacker.issuer.jwk()),
            ("jku", json!(attacker.address)),
            ("x5u", json!(attacker.address)),
        ];
        let recommended = recommended.map(|(name, value)| {
            let mut header = json!({ "alg": "ES256", "kid": self.header["kid"] });
            header[name] = value;
            let token = attacker.issuer.sign_under(&header, &self.claims);
            (format!("another key under our id, with `{name}`"), token)
        });
        unknown.into_iter().chain(recommended).collect()
    }

    /// Tokens for another application or use, or from another issuer.
    fn for_others(&self, surface: &impl Signing) -> Vec<Forgery> {
        let mut forgeries = vec![(
            "an ID token".to_owned(),
            surface.id_token("ana@example.com"),
        )];
        for audience in [json!("another"), json!(["a", "b"]), json!(""), json!(7)] {
            let token = self.with(|claims| {
                for name in ["aud", "client_id"] {
                    if claims.get(name).is_some() {
                        claims[name] = audience.clone();
                    }
                }
            });
            forgeries.push((format!("the audience {audience}"), token));
        }
        let ours = &self.issuer.name;
        for issuer in [
            format!("{ours}/"),
            format!("{ours}.evil.test"),
            ours.to_uppercase(),
            ours.replacen("://", "://evil.test/", 1),
            ours[..ours.len() - 1].to_owned(),
            String::new(),
        ] {
            let token = self.with(|claims| claims["iss"] = issuer.as_str().into());
            forgeries.push((format!("the issuer `{issuer}`"), token));
        }
        forgeries
    }

    /// Expired tokens and tokens that are not valid yet.
    fn at_other_times(&self) -> Vec<Forgery> {
        let issued = self.claims["iat"].as_i64().unwrap();
        let times = [
            ("exp", json!(issued - 1)),
            ("exp", json!(0)),
            ("exp", json!(-1)),
            ("exp", json!("soon")),
            ("nbf", json!(issued + 300)),
            ("nbf", json!("now")),
        ];
        let forged = times.map(|(name, time)| {
            let token = self.with(|claims| claims[name] = time.clone());
            (format!("`{name}` {time}"), token)
        });
        forged.into()
    }

    /// Tokens without a required claim, or with a duplicate claim.
    fn incomplete(&self) -> Vec<Forgery> {
        // On Azure, the subject is in `oid`.
        let lacking: [&[&str]; 4] = [&["exp"], &["sub", "oid"], &["iss"], &["aud", "client_id"]];
        let mut forgeries: Vec<Forgery> = lacking
            .iter()
            .map(|names| {
                let token = self.with(|claims| without(claims, names));
                (format!("without {names:?}"), token)
            })
            .collect();
        for subject in [json!(""), json!(7), json!(null)] {
            let token = self.with(|claims| {
                for name in ["sub", "oid"] {
                    claims[name] = subject.clone();
                }
            });
            forgeries.push((format!("the subject {subject}"), token));
        }
        let twice = self.claims.to_string();
        let twice = twice.replacen('{', r#"{"sub":"somebody","#, 1);
        let token = self.issuer.sign_raw(&RawValue::from_string(twice).unwrap());
        forgeries.push(("a claim twice".to_owned(), token));
        forgeries
    }

    /// Recombined parts of valid tokens.
    fn recombined_parts(&self, other: &str) -> Vec<Forgery> {
        let (message, signature) = self.text.rsplit_once('.').unwrap();
        let (other_message, other_signature) = other.rsplit_once('.').unwrap();
        let middle = self.text.len() - signature.len() / 2;
        [
            ("a cut signature", self.text[..middle].to_owned()),
            ("no signature", message.to_owned()),
            ("an empty signature", format!("{message}.")),
            (
                "the signature of another token",
                format!("{message}.{other_signature}"),
            ),
            (
                "the claims of another token",
                format!("{other_message}.{signature}"),
            ),
            ("altered claims", self.text.replacen('.', ".e", 1)),
        ]
        .map(|(what, token)| (what.to_owned(), token))
        .into()
    }

    /// Malformed tokens, and several tokens in one header.
    fn no_tokens(&self) -> Vec<Forgery> {
        let long = "x".repeat(4_000);
        let none = ["", ".", "..", "a.b.c", "e30.e30.e30", &long].map(str::to_owned);
        let several = [" ", ",", ", Bearer "].map(|between| {
            let good = &self.text;
            format!("{good}{between}{good}")
        });
        let all = none.into_iter().chain(several);
        all.map(|text| (format!("`{text}`"), text)).collect()
    }
}
