export const backendSelection = {
  "provider": "local",
  "environment": "dev",
  "storage": {
    "directory": ".wm-data/objects",
    "privatePrefixMode": "workspace-model"
  },
  "database": {
    "file": ".wm-data/workspace.sqlite",
    "itemContainer": "workspace_items"
  },
  "identity": {
    "service": "Built-in OpenID Connect issuer"
  },
  "notifications": {
    "service": "In-process bus + maildir"
  }
};
