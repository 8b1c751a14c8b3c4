// Fails when src/api/schema.d.ts was not generated from openapi.json, so that
// the browser never speaks an API the server does not have.
import { readFileSync } from "node:fs";
import openapiTS, { astToString, COMMENT_HEADER } from "openapi-typescript";

const root = new URL("../", import.meta.url);
const fresh = COMMENT_HEADER + astToString(await openapiTS(new URL("openapi.json", root)));
const kept = readFileSync(new URL("src/api/schema.d.ts", root), "utf8");
if (fresh.trim() !== kept.trim()) {
  console.error("web/src/api/schema.d.ts is stale: run \"make generate\" (or \"npm run generate\" in web/) and commit the result.");
  process.exit(1);
}
