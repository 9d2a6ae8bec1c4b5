// Prints what the official clients send for fixed inputs, without sending it.

import { AppConfigurationClient } from "@azure/app-configuration";
import { AzureKeyCredential } from "@azure/core-auth";
import { EmailClient } from "@azure/communication-email";
import { EventGridPublisherClient } from "@azure/eventgrid";
import { SecretClient } from "@azure/keyvault-secrets";

const NOW = Date.UTC(2026, 10, 23, 9, 30, 0);
// What differs from one run, version or machine to the next.
const PASSING = ["accept-encoding", "user-agent", "x-ms-client-request-id", "content-length"];

Date.now = () => NOW;
const RealDate = Date;
globalThis.Date = class extends RealDate {
  constructor(...given) {
    if (given.length === 0) super(NOW);
    else super(...given);
  }
};

const scopes = [];
const credential = {
  getToken: async (scope) => {
    scopes.push(scope);
    return { token: "TOKEN", expiresOnTimestamp: NOW + 3600e3 };
  },
};

const captured = {};

/** A transport that keeps the request, and answers with a challenge what brings no token. */
function keep(name) {
  return {
    async sendRequest(request) {
      const headers = request.headers.toJSON();
      for (const header of PASSING) delete headers[header];
      if (!headers.authorization) {
        captured[`${name}-challenged`] = shape(request, headers);
        const challenge =
          'Bearer authorization="https://login.microsoftonline.com/tenant", resource="https://vault.azure.net"';
        const answered = request.headers.clone?.() ?? request.headers;
        const { createHttpHeaders } = await import("@azure/core-rest-pipeline");
        return { request, status: 401, headers: createHttpHeaders({ "www-authenticate": challenge }), answered };
      }
      captured[name] = { ...shape(request, headers), scopes: scopes.splice(0) };
      throw new Error("kept");
    },
  };
}

function shape(request, headers) {
  const url = new URL(request.url);
  const query = [...url.searchParams].map(([key, value]) => `${key}=${value}`).sort();
  const body = request.body ? JSON.parse(request.body) : null;
  return { method: request.method, host: url.host, path: url.pathname, query, headers, body };
}

async function capture(name, ask) {
  try {
    await ask({ httpClient: keep(name), retryOptions: { maxRetries: 0 } });
  } catch (error) {
    if (error.message !== "kept") throw error;
  }
}

const mail = {
  senderAddress: "DoNotReply@mail.example.com",
  content: { subject: "You are invited to Grüße", plainText: "Open this link:\n\nhttps://wm.example.com/?token=1\n" },
  recipients: { to: [{ address: "ana@example.com" }] },
  disableUserEngagementTracking: true,
};
const operationId = "6b1f7a52-0c3d-8e8f-9a10-2b3c4d5e6f70";
const key = "c3RhbmQtaW4ga2V5IG9mIGEgQ29tbXVuaWNhdGlvbiBTZXJ2aWNlcw==";
const resource = "https://wm.unitedstates.communication.azure.com";

await capture("mail-with-token", (options) =>
  new EmailClient(resource, credential, options).beginSend(mail, { operationId }),
);
await capture("mail-with-key", (options) =>
  new EmailClient(resource, new AzureKeyCredential(key), options).beginSend(mail, { operationId }),
);
await capture("mail-operation", (options) =>
  new EmailClient(resource, credential, options).generatedClient.email.getSendResult(operationId),
);

const event = {
  specversion: "1.0",
  id: "srf/scope/1",
  source: "/surfaces/srf",
  type: "wm.account.created",
  subject: "scope",
  time: new Date(NOW),
  datacontenttype: "application/json",
  data: { seq: 1 },
};
await capture("events", (options) =>
  new EventGridPublisherClient("https://wm.eastus-1.eventgrid.azure.net/api/events", "CloudEvent", credential, options).send([
    event,
  ]),
);

await capture("setting", (options) =>
  new AppConfigurationClient("https://wm.azconfig.io", credential, options).getConfigurationSetting({
    key: "workspace-management/surface-id",
  }),
);
await capture("secret", (options) => new SecretClient("https://wm.vault.azure.net", credential, options).getSecret("surface-secret"));

const sorted = (value) =>
  value && typeof value === "object" && !Array.isArray(value)
    ? Object.fromEntries(Object.keys(value).sort().map((name) => [name, sorted(value[name])]))
    : value;
process.stdout.write(`${JSON.stringify(sorted(captured), null, 2)}\n`);
