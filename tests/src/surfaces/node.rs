//! A node's data directory, read from outside: its events, mails and items, and the tokens of its
//! own issuer.

use std::{collections::BTreeSet, fs, path::Path, time::Duration};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD as URL_SAFE_NO_PAD};
use rusqlite::{Connection, OpenFlags, Row};
use serde_json::Value;
use wm_core::{
    operation::TokenUsage,
    record::CloudEvent,
    storage::{IndexKey, IndexKeys, Item, Scope, Sort},
    value::Timestamp,
};
use wm_local::{
    clock::now,
    data_directory::Layout,
    identity::{ISSUER, Issuer, LIFETIME},
};

use crate::issuer::TestIssuer;

pub struct NodeData {
    layout: Layout,
    issuer: Issuer,
    /// Signs any claims with the same key.
    forger: TestIssuer,
}

impl NodeData {
    /// Opens the directory of a node that has been started before.
    #[must_use]
    pub fn open(directory: &Path) -> Self {
        let layout = Layout::new(directory);
        let issuer = Issuer::open(&layout.issuer_key()).unwrap();
        let key = fs::read(layout.issuer_key()).unwrap();
        let id = issuer.jwks().keys[0].common.key_id.clone().unwrap();
        let forger = TestIssuer::with_key(ISSUER, &id, &key);
        Self {
            layout,
            issuer,
            forger,
        }
    }

    /// An issuer with the node's key that signs any claims.
    #[must_use]
    pub fn forger(&self) -> &TestIssuer {
        &self.forger
    }

    /// The claims of an access token of its issuer.
    #[must_use]
    pub fn access_claims(&self, email: &str, issued: Timestamp) -> Value {
        let token = self.token(email, TokenUsage::Access, issued);
        let claims = token.split('.').nth(1).unwrap();
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).unwrap()).unwrap()
    }

    /// A token that is valid from this time on.
    #[must_use]
    pub fn token(&self, email: &str, usage: TokenUsage, issued: Timestamp) -> String {
        let name = email.split('@').next().unwrap().parse().unwrap();
        self.issuer
            .mint(usage, &email.parse().unwrap(), Some(&name), issued)
            .unwrap()
    }

    /// An access token that expired an hour ago.
    #[must_use]
    pub fn expired_token(&self, email: &str) -> String {
        let ago = LIFETIME + Duration::from_hours(1);
        let ago = i64::try_from(ago.as_millis()).unwrap();
        let issued = Timestamp::from_millis(now().millis() - ago);
        let address = email.parse().unwrap();
        self.issuer
            .mint(TokenUsage::Access, &address, None, issued)
            .unwrap()
    }

    /// All published events.
    #[must_use]
    pub fn events(&self) -> Vec<CloudEvent> {
        let lines = fs::read_to_string(self.layout.events()).unwrap();
        lines
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }

    /// All stored mails to an address, oldest first.
    #[must_use]
    pub fn mails(&self, to: &str) -> Vec<String> {
        let mut files: Vec<_> = fs::read_dir(self.layout.mail().join("new"))
            .unwrap()
            .map(|entry| entry.unwrap())
            .map(|entry| (entry.metadata().unwrap().modified().unwrap(), entry.path()))
            .collect();
        files.sort();
        let texts = files
            .into_iter()
            .map(|(_, path)| fs::read_to_string(path).unwrap());
        let header = format!("To: {to}");
        texts
            .filter(|text| text.lines().any(|line| line.trim_end() == header))
            .collect()
    }

    /// Whether a journal entry is not published yet.
    #[must_use]
    pub fn is_behind(&self) -> bool {
        let waiting = "SELECT EXISTS (SELECT 1 FROM items WHERE gsi1pk LIKE 'WORK#%' AND sk LIKE 'JOURNAL#%')";
        let database = self.database();
        database.query_row(waiting, [], |row| row.get(0)).unwrap()
    }

    /// Every scope with items.
    #[must_use]
    pub fn scopes(&self) -> BTreeSet<String> {
        let database = self.database();
        let mut statement = database.prepare("SELECT DISTINCT pk FROM items").unwrap();
        let rows = statement.query_map([], |row| row.get(0));
        rows.unwrap().map(Result::unwrap).collect()
    }

    fn database(&self) -> Connection {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY;
        Connection::open_with_flags(self.layout.database(), flags).unwrap()
    }

    /// All items of a scope in order.
    #[must_use]
    pub fn items(&self, scope: Scope) -> Vec<Item> {
        let database = self.database();
        let all = "SELECT sk, etag, body, expires_at, gsi1pk, gsi1sk, gsi2pk, gsi2sk, gsi3pk, gsi3sk, gsi4pk, gsi4sk \
            FROM items WHERE pk = ?1 ORDER BY sk";
        let mut statement = database.prepare(all).unwrap();
        let rows = statement.query_map([scope.to_string()], |row| item(scope, row));
        rows.unwrap().map(Result::unwrap).collect()
    }
}

fn item(scope: Scope, row: &Row<'_>) -> rusqlite::Result<Item> {
    let mut index = IndexKeys::default();
    for (place, key) in index.iter_mut().enumerate() {
        let partition: Option<String> = row.get(4 + 2 * place)?;
        let sort: Option<String> = row.get(5 + 2 * place)?;
        *key = partition
            .zip(sort)
            .map(|(partition, sort)| IndexKey { partition, sort });
    }
    let (etag, expires_at): (String, Option<i64>) = (row.get(1)?, row.get(3)?);
    Ok(Item {
        key: scope.key(Sort::from_stored(row.get(0)?)),
        index,
        etag: etag.parse().unwrap(),
        body: row.get(2)?,
        expires_at: expires_at.map(Timestamp::from_millis),
    })
}
