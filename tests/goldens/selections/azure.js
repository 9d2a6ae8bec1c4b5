export const backendSelection = {
  "provider": "azure",
  "environment": "dev",
  "location": "eastus",
  "storage": {
    "account": "workspacemanagedevdocs",
    "container": "workspace-documents",
    "privatePrefixMode": "workspace-model"
  },
  "database": {
    "account": "workspace-management-dev-cosmos",
    "database": "workspace",
    "container": "workspace_items",
    "itemContainer": "workspace_items"
  },
  "identity": {
    "service": "Microsoft Entra External ID"
  },
  "notifications": {
    "service": "Event Grid + Azure Communication Services Email"
  }
};
