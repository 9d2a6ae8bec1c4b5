export const backendSelection = {
  "provider": "aws",
  "environment": "dev",
  "region": "us-east-1",
  "storage": {
    "bucket": "workspace-management-dev-documents",
    "privatePrefixMode": "workspace-model"
  },
  "database": {
    "table": "workspace-management-dev",
    "itemContainer": "workspace_items"
  },
  "identity": {
    "service": "Cognito"
  },
  "notifications": {
    "service": "EventBridge + SES"
  }
};
