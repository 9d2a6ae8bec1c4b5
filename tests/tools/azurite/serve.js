// azurite with what a signature binds from version 2026-04-06 on, which azurite 3.37 leaves out of what is
// signed: headers (`srh`) and parameters (`srq`) of the request. As at the service, the values are those of
// the request itself, so that one which differs or is missing makes another signature.
// https://learn.microsoft.com/rest/api/storageservices/create-user-delegation-sas

"use strict";

const { createHmac } = require("crypto");

const authentication = "azurite/dist/src/blob/authentication";
const signatures = require(`${authentication}/IBlobSASSignatureValues`);
const authenticator = require(`${authentication}/BlobSASAuthenticator`).default.prototype;

// Where the two stand among the lines that are signed.
const HEADERS = 21;
const PARAMETERS = 22;

const read = authenticator.getBlobSASSignatureValuesFromRequest;
authenticator.getBlobSASSignatureValuesFromRequest = function (request, ...rest) {
  const values = read.call(this, request, ...rest);
  if (values !== undefined) {
    const names = (parameter) => (request.getQuery(parameter) || "").split(",").filter(Boolean);
    values.headers = names("srh").map((name) => `${name}:${request.getHeader(name) ?? ""}\n`).join("");
    values.parameters = names("srq").map((name) => `\n${name}:${request.getQuery(name) ?? ""}`).join("");
  }
  return values;
};

const sign = signatures.generateBlobSASSignatureWithUDK;
signatures.generateBlobSASSignatureWithUDK = (values, resource, account, key) => {
  const [signature, signed] = sign(values, resource, account, key);
  if (values.version < "2026-04-06") {
    return [signature, signed];
  }
  const lines = signed.split("\n");
  lines[HEADERS] = values.headers;
  lines[PARAMETERS] = values.parameters;
  const all = lines.join("\n");
  return [createHmac("sha256", key).update(all, "utf8").digest("base64"), all];
};

// An address that is garbled is refused, not a fault of the service.
authenticator.decodeIfExist = (value) => {
  try {
    return value === undefined ? value : decodeURIComponent(value);
  } catch {
    return value;
  }
};

require("azurite/dist/src/blob/main.js");
