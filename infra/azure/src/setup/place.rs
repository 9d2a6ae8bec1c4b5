//! Where resources are, and how their ids are put together.

/// A resource group of a subscription.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The id of the subscription.
    pub subscription: String,
    /// The name of the group.
    pub group: String,
}

impl Place {
    #[must_use]
    pub fn subscription_id(&self) -> String {
        format!("/subscriptions/{}", self.subscription)
    }

    #[must_use]
    pub fn group_id(&self) -> String {
        format!("{}/resourceGroups/{}", self.subscription_id(), self.group)
    }

    /// The id of a resource in it: its provider, types and names.
    #[must_use]
    pub fn id(&self, resource: &str) -> String {
        format!("{}/providers/{resource}", self.group_id())
    }

    /// The id of the storage account of this name.
    #[must_use]
    pub fn storage_account(&self, name: &str) -> String {
        self.id(&format!("Microsoft.Storage/storageAccounts/{name}"))
    }

    /// The id of the database account of this name.
    #[must_use]
    pub fn cosmos_account(&self, name: &str) -> String {
        self.id(&format!("Microsoft.DocumentDB/databaseAccounts/{name}"))
    }
}

/// A location as it is compared: people and services write `East US` and `eastus`.
pub(super) fn location(text: &str) -> String {
    let words = text.split_whitespace().collect::<String>();
    words.to_ascii_lowercase()
}
