//! The resource group, ids of its resources, and the spelling of locations.

/// A resource group of a subscription.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResourceGroup {
    pub subscription: String,
    pub name: String,
}

impl ResourceGroup {
    #[must_use]
    pub fn subscription_id(&self) -> String {
        format!("/subscriptions/{}", self.subscription)
    }

    #[must_use]
    pub fn group_id(&self) -> String {
        format!("{}/resourceGroups/{}", self.subscription_id(), self.name)
    }

    /// The id of a resource in the group: its provider, types and names.
    #[must_use]
    pub fn id(&self, resource: &str) -> String {
        format!("{}/providers/{resource}", self.group_id())
    }

    #[must_use]
    pub fn storage_account(&self, name: &str) -> String {
        self.id(&format!("Microsoft.Storage/storageAccounts/{name}"))
    }

    #[must_use]
    pub fn cosmos_account(&self, name: &str) -> String {
        self.id(&format!("Microsoft.DocumentDB/databaseAccounts/{name}"))
    }
}

/// A location in the form for comparisons. People and services write both `East US` and `eastus`.
pub(super) fn normalised_location(text: &str) -> String {
    let words = text.split_whitespace().collect::<String>();
    words.to_ascii_lowercase()
}
