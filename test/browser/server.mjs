// Starts the program under test and signs a browser in.
import { spawn, execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

const repository = new URL("../..", import.meta.url).pathname;

/** The binary: TEITEN_BIN, or one built now from this repository. */
function binary(folder) {
  if (process.env.TEITEN_BIN) return process.env.TEITEN_BIN;
  const path = join(folder, "teiten");
  execFileSync("go", ["build", "-o", path, "./cmd/teiten"], { cwd: repository, stdio: "inherit" });
  return path;
}

function freePort() {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once("error", reject);
    probe.listen(0, "127.0.0.1", () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });
}

/**
 * Runs a command of the binary until it prints an address that matches, and
 * returns that address with a function that ends the process and its data.
 */
async function run(args, address) {
  const folder = mkdtempSync(join(tmpdir(), "teiten-browser-"));
  const port = await freePort();
  const child = spawn(binary(folder), [...args, "--data", join(folder, "data"), "--listen", `127.0.0.1:${port}`], {
    env: { ...process.env, TEITEN_LANG: "en", LANG: "en_US.UTF-8" },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let printed = "";
  const stop = async () => {
    if (child.exitCode === null) {
      const ended = new Promise((resolve) => child.once("exit", resolve));
      child.kill("SIGTERM");
      const hard = setTimeout(() => child.kill("SIGKILL"), 15_000);
      await ended;
      clearTimeout(hard);
    }
    rmSync(folder, { recursive: true, force: true });
  };
  const link = await new Promise((resolve, reject) => {
    const late = setTimeout(() => reject(new Error(`no address within 2 minutes; it printed:\n${printed}`)), 120_000);
    const hear = (chunk) => {
      printed += chunk;
      const found = address.exec(printed);
      if (!found) return;
      clearTimeout(late);
      resolve(found[0]);
    };
    child.stdout.on("data", hear);
    child.stderr.on("data", hear);
    child.once("exit", (code) => {
      clearTimeout(late);
      reject(new Error(`${args.join(" ")} ended with ${code}; it printed:\n${printed}`));
    });
  }).catch(async (error) => {
    await stop();
    throw error;
  });
  return { link, base: new URL(link).origin, stop, printed: () => printed };
}

/** The example company, with 35 days behind it. */
export const startDemo = () => run(["demo"], /http:\/\/\S+\/signin\?token=[\w-]+/);

/** A server that nobody has used yet. */
export const startEmpty = () => run(["serve"], /http:\/\/\S+\/setup\?token=[\w-]+/);
